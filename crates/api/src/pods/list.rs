//! `GET /api/clusters/{clusterId}/pods`: a page of a cluster's pods, from the index.

use axum::response::{IntoResponse, Response};
use podgate_access::action::ListPods;
use podgate_cluster::Sync;
use podgate_index::{Container, Order, Owner, Page, Pod, Query, Selector, Sort};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::{ApiError, Data, FromParameters, Kind, Opened, Parameter, Parameters, Params, sync::SyncView};

/// The most rows of a page.
const MAX_PAGE_SIZE: u64 = 1000;
/// The rows of a page unless asked otherwise.
const PAGE_SIZE: u32 = 20;

/// What the list's parameters ask for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    query: Query,
    page: u32,
    page_size: u32,
}

impl FromParameters for Asked {
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::many("namespace", Kind::Text, "Only pods in this namespace."),
        Parameter::many(
            "status",
            Kind::Text,
            "Only pods with this status, as `kubectl get pods` shows it under STATUS; compared without case.",
        ),
        Parameter::many("phase", Kind::Text, "Only pods in this phase; compared without case."),
        Parameter::one("nodeName", Kind::Text, "Only pods on this node."),
        Parameter::one(
            "search",
            Kind::Text,
            "Only pods with this text in their name, namespace, node or IP; compared without case.",
        ),
        Parameter::one(
            "labelSelector",
            Kind::Text,
            "Only pods whose labels match this Kubernetes label selector, equality- or set-based.",
        ),
        Parameter::one(
            "sort",
            Kind::OneOf(&["createdAt", "name", "namespace", "status", "restarts", "nodeName"]),
            "What to sort by; default `createdAt`. Ties go by namespace, then name.",
        ),
        Parameter::one(
            "order",
            Kind::OneOf(&["asc", "desc"]),
            "The direction of the sort; default `desc` (newest first) by `createdAt`, else `asc`.",
        ),
        Parameter::one(
            "page",
            Kind::Int {
                min: 1,
                max: u32::MAX as u64,
            },
            "The page, from 1; default 1.",
        ),
        Parameter::one(
            "pageSize",
            Kind::Int {
                min: 1,
                max: MAX_PAGE_SIZE,
            },
            "Pods a page; default 20.",
        ),
    ];

    fn read(parameters: &Parameters) -> Result<Self, ApiError> {
        let page = parameters.int32("page").unwrap_or(1);
        let page_size = parameters.int32("pageSize").unwrap_or(PAGE_SIZE);
        let sort = sort(parameters.one("sort").as_deref());
        let selector = parameters
            .one("labelSelector")
            .map(|text| Selector::parse(&text))
            .transpose()
            .map_err(|e| ApiError::Parameter(format!("`labelSelector` is not a label selector: {e}")))?;
        let query = Query {
            namespaces: parameters.many("namespace"),
            statuses: parameters.many("status"),
            phases: parameters.many("phase"),
            node: parameters.one("nodeName"),
            search: parameters.one("search"),
            selector,
            sort,
            order: order(parameters.one("order").as_deref(), sort),
            offset: (page as usize - 1).saturating_mul(page_size as usize),
            limit: page_size as usize,
            ..Query::default()
        };
        Ok(Self { query, page, page_size })
    }
}

fn sort(word: Option<&str>) -> Sort {
    match word {
        Some("name") => Sort::Name,
        Some("namespace") => Sort::Namespace,
        Some("status") => Sort::Status,
        Some("restarts") => Sort::Restarts,
        Some("nodeName") => Sort::NodeName,
        _ => Sort::CreatedAt,
    }
}

fn order(word: Option<&str>, sort: Sort) -> Order {
    match (word, sort) {
        (Some("asc"), _) => Order::Asc,
        (Some("desc"), _) | (_, Sort::CreatedAt) => Order::Desc,
        _ => Order::Asc,
    }
}

/// The handler.
pub(crate) async fn list(Opened(scoped): Opened<ListPods>, Params(asked): Params<Asked>) -> Result<Response, ApiError> {
    let (page, sync) = scoped.list(asked.query)?;
    Ok(Data(List::new(&page, &sync, asked.page, asked.page_size)).into_response())
}

/// A page of a cluster's pods. It borrows from the index's rows: nothing is copied between them and the JSON.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PodList)]
pub(crate) struct List<'a> {
    /// The pods of this page.
    items: Vec<Item<'a>>,
    /// The number of matches before paging.
    total: usize,
    /// This page, from 1.
    page: u32,
    /// Pods a page.
    page_size: u32,
    /// How current the list is.
    sync: SyncView,
}

impl<'a> List<'a> {
    fn new(page: &'a Page, sync: &Sync, number: u32, page_size: u32) -> Self {
        Self {
            items: page.rows.iter().map(|row| Item::from(&row.pod)).collect(),
            total: page.total,
            page: number,
            page_size,
            sync: SyncView::from(sync),
        }
    }
}

/// A pod as a list shows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PodItem)]
pub(crate) struct Item<'a> {
    name: &'a str,
    namespace: &'a str,
    uid: &'a str,
    /// What `kubectl get pods` shows under STATUS.
    #[schema(example = "CrashLoopBackOff")]
    status: &'a str,
    phase: &'a str,
    /// Empty until the pod is scheduled.
    node_name: &'a str,
    #[serde(rename = "podIP")]
    pod_ip: &'a str,
    #[serde(rename = "hostIP")]
    host_ip: &'a str,
    /// The number that `kubectl get pods` shows under RESTARTS.
    restarts: u32,
    /// When a container last restarted, or empty.
    #[schema(value_type = String)]
    last_restart_at: Time,
    /// The left number of READY.
    ready: u32,
    /// The right number of READY.
    ready_total: u32,
    /// The regular containers in spec order.
    containers: Vec<ContainerView<'a>>,
    init_containers: Vec<ContainerView<'a>>,
    /// The controller that owns the pod; null without one.
    owner: Option<OwnerView<'a>>,
    #[schema(value_type = String)]
    created_at: Time,
    /// When the pod is to be gone, if it is being deleted; else empty.
    #[schema(value_type = String)]
    deletion_timestamp: Time,
}

impl<'a> From<&'a Pod> for Item<'a> {
    fn from(pod: &'a Pod) -> Self {
        Self {
            name: &pod.name,
            namespace: &pod.namespace,
            uid: &pod.uid,
            status: &pod.status,
            phase: &pod.phase,
            node_name: &pod.node,
            pod_ip: &pod.pod_ip,
            host_ip: &pod.host_ip,
            restarts: pod.restarts,
            last_restart_at: Time(pod.last_restart_at),
            ready: pod.ready,
            ready_total: pod.ready_total,
            containers: pod.containers.iter().map(ContainerView::from).collect(),
            init_containers: pod.init_containers.iter().map(ContainerView::from).collect(),
            owner: pod.owner.as_ref().map(OwnerView::from),
            created_at: Time(Some(pod.created_at)),
            deletion_timestamp: Time(pod.deletion_at),
        }
    }
}

/// The controller that owns a pod.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PodOwner)]
pub(crate) struct OwnerView<'a> {
    #[schema(example = "ReplicaSet")]
    kind: &'a str,
    name: &'a str,
}

impl<'a> From<&'a Owner> for OwnerView<'a> {
    fn from(owner: &'a Owner) -> Self {
        Self {
            kind: &owner.kind,
            name: &owner.name,
        }
    }
}

/// A container as a list shows it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PodContainer)]
pub(crate) struct ContainerView<'a> {
    name: &'a str,
    image: &'a str,
    /// False without a status.
    ready: bool,
    restart_count: u32,
}

impl<'a> From<&'a Container> for ContainerView<'a> {
    fn from(container: &'a Container) -> Self {
        Self {
            name: &container.name,
            image: &container.image,
            ready: container.ready,
            restart_count: container.restart_count,
        }
    }
}

/// Seconds since the epoch, written as RFC 3339 in UTC; without a value an empty text.
#[derive(Debug)]
struct Time(Option<i64>);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.map(jiff::Timestamp::from_second) {
            Some(Ok(time)) => serializer.collect_str(&time),
            _ => serializer.serialize_str(""),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use podgate_cluster::SyncState;
    use podgate_index::{ClusterId, Row};
    use serde_json::json;

    use super::*;

    fn asked(query: &str) -> Result<Asked, ApiError> {
        Asked::read(&Parameters::parse(query, Asked::PARAMETERS)?)
    }

    #[test]
    fn without_parameters_it_is_the_newest_twenty() {
        for query in [
            "",
            "page=&pageSize=&sort=&order=&status=&namespace=&search=&labelSelector=",
        ] {
            let Asked { query, page, page_size } = asked(query).unwrap();
            assert_eq!((page, page_size, query.offset, query.limit), (1, 20, 0, 20));
            assert_eq!((query.sort, query.order), (Sort::CreatedAt, Order::Desc));
            assert!(query.namespaces.is_empty() && query.statuses.is_empty() && query.phases.is_empty());
            assert!(query.node.is_none() && query.search.is_none() && query.selector.is_none());
        }
    }

    #[test]
    fn every_parameter_reaches_the_query() {
        let text = "namespace=a&namespace=b&status=Running&status=Error&phase=Failed&nodeName=n1&search=web&page=3&pageSize=50\
                    &labelSelector=app%20in%20(a,b)&sort=restarts&order=desc";
        let query = asked(text).unwrap().query;
        assert_eq!(query.namespaces, ["a", "b"]);
        assert_eq!(query.statuses, ["Running", "Error"]);
        assert_eq!(query.phases, ["Failed"]);
        assert_eq!(query.node.as_deref(), Some("n1"));
        assert_eq!(query.search.as_deref(), Some("web"));
        assert_eq!(query.selector, Some(Selector::parse("app in (a,b)").unwrap()));
        assert_eq!((query.sort, query.order), (Sort::Restarts, Order::Desc));
        assert_eq!((query.offset, query.limit), (100, 50));
    }

    #[test]
    fn sorts_go_up_unless_told_but_for_the_age() {
        for (word, sort) in [
            ("createdAt", Sort::CreatedAt),
            ("name", Sort::Name),
            ("namespace", Sort::Namespace),
            ("status", Sort::Status),
            ("restarts", Sort::Restarts),
            ("nodeName", Sort::NodeName),
        ] {
            let query = asked(&format!("sort={word}")).unwrap().query;
            let default = if word == "createdAt" { Order::Desc } else { Order::Asc };
            assert_eq!((query.sort, query.order), (sort, default), "{word}");
            assert_eq!(
                asked(&format!("sort={word}&order=asc")).unwrap().query.order,
                Order::Asc
            );
        }
    }

    #[test]
    fn the_last_page_there_can_be_is_read() {
        let query = asked("page=4294967295&pageSize=1000").unwrap().query;
        assert_eq!(query.offset, 4_294_967_294_000);
    }

    #[test]
    fn what_can_not_be_read_is_named() {
        for (query, part) in [
            ("page=0", "`page`"),
            ("page=4294967296", "`page`"),
            ("pageSize=1001", "`pageSize`"),
            ("pageSize=0", "`pageSize`"),
            ("sort=age", "`sort`"),
            ("order=up", "`order`"),
            ("labelSelector=a%20in%20b", "`labelSelector`"),
            ("nodeName=a&nodeName=b", "`nodeName`"),
            ("node=a", "`node`"),
        ] {
            match asked(query) {
                Err(ApiError::Parameter(message)) => assert!(message.contains(part), "{query}: {message}"),
                other => panic!("{query}: {other:?}"),
            }
        }
    }

    fn answer(pod: Pod) -> serde_json::Value {
        let page = Page {
            rows: vec![Row {
                cluster: ClusterId(1),
                pod,
            }],
            total: 41,
        };
        let sync = Sync {
            state: SyncState::Stale,
            synced_at: Some(1_767_225_600_123),
            error: Some(podgate_cluster::Error::Timeout("it is slow".to_owned())),
        };
        serde_json::to_value(List::new(&page, &sync, 3, 20)).unwrap()
    }

    #[test]
    fn a_pod_is_written_as_the_contract_says() {
        let container = |name: &str, restart_count| Container {
            name: name.to_owned(),
            image: format!("{name}:1.21"),
            ready: true,
            restart_count,
        };
        let pod = Pod {
            uid: "u-1".to_owned(),
            namespace: "default".to_owned(),
            name: "nginx-abc123".to_owned(),
            status: "Running".to_owned(),
            phase: "Running".to_owned(),
            reason: String::new(),
            node: "node-1".to_owned(),
            pod_ip: "10.0.0.5".to_owned(),
            host_ip: "192.168.1.10".to_owned(),
            restarts: 2,
            last_restart_at: Some(1_767_225_660),
            created_at: 1_767_225_600,
            deletion_at: Some(1_767_225_720),
            ready: 1,
            ready_total: 2,
            owner: Some(Owner {
                kind: "ReplicaSet".to_owned(),
                name: "nginx-abc".to_owned(),
            }),
            containers: vec![container("nginx", 2)],
            init_containers: vec![container("init", 0)],
            labels: Vec::new(),
        };
        assert_eq!(
            answer(pod),
            json!({
                "items": [{
                    "name": "nginx-abc123", "namespace": "default", "uid": "u-1", "status": "Running", "phase": "Running",
                    "nodeName": "node-1", "podIP": "10.0.0.5", "hostIP": "192.168.1.10", "restarts": 2,
                    "lastRestartAt": "2026-01-01T00:01:00Z", "ready": 1, "readyTotal": 2,
                    "containers": [{"name": "nginx", "image": "nginx:1.21", "ready": true, "restartCount": 2}],
                    "initContainers": [{"name": "init", "image": "init:1.21", "ready": true, "restartCount": 0}],
                    "owner": {"kind": "ReplicaSet", "name": "nginx-abc"},
                    "createdAt": "2026-01-01T00:00:00Z", "deletionTimestamp": "2026-01-01T00:02:00Z",
                }],
                "total": 41, "page": 3, "pageSize": 20,
                "sync": {"state": "stale", "syncedAt": "2026-01-01T00:00:00.123Z", "error": "it is slow"},
            })
        );
    }

    #[test]
    fn a_field_without_a_value_is_there_and_empty() {
        let value = answer(Pod::default());
        let item = &value["items"][0];
        for field in [
            "uid",
            "nodeName",
            "podIP",
            "hostIP",
            "lastRestartAt",
            "deletionTimestamp",
        ] {
            assert_eq!(item[field], "", "{field}");
        }
        assert_eq!((&item["containers"], &item["initContainers"]), (&json!([]), &json!([])));
        assert_eq!(item.get("owner"), Some(&json!(null)));
    }
}
