//! `GET /api/clusters/{clusterId}/pods` and `GET /api/pods`: a page of the pods of one cluster, or
//! of all.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use axum::{extract::State as Extract, response::Response};
use http::header;
use podgate_access::{PodQuery, PodReader, Scoped, action::ListPods};
use podgate_cluster::SyncState;
use podgate_index::{Found, Query};

use super::{
    answers,
    facets::{self, Counts, Field, Values},
    query::{self, Page},
    rows::{self, Written},
    schemas::{PodList, PodOfClusterList},
};
use crate::{
    ApiError, Authorized, FromParameters, Operation, Parameter, Parameters, Params, Schemas, State, Success,
    extract::{authorized::check_cluster, content_negotiation::JSON},
    http::{
        content_coding::{ContentCoding, TakesGzip},
        etag::IfNoneMatch,
    },
    json,
    sync::{ListedView, SyncView},
};

/// About how many bytes a response has besides its rows.
const ENVELOPE: usize = 1024;
/// The most bytes of a response. The longest row takes about 1.9 MB.
const MOST: usize = 16 << 20;

/// A request for a list.
#[derive(Clone, Debug)]
struct Asked {
    query: Query,
    page: Page,
    facets: facets::Asked,
    /// Whether items have only what identifies a pod.
    is_identity: bool,
    /// In a list of all clusters: the named ones, or all.
    clusters: Vec<String>,
    /// Whether this is a list of all clusters.
    of_all: bool,
}

impl Asked {
    fn read(parameters: &Parameters, of_all: bool) -> Result<Self, ApiError> {
        let page = Page::read(parameters)?;
        let query = Query {
            offset: page.offset(),
            limit: page.size as usize,
            ..query::read(parameters)?
        };
        let clusters = parameters.many("cluster");
        clusters.iter().try_for_each(|cluster| check_cluster(cluster))?;
        Ok(Self {
            query,
            page,
            facets: facets::Asked::read(parameters)?,
            is_identity: query::is_identity(parameters),
            clusters,
            of_all,
        })
    }
}

/// A request for the list of one cluster.
#[derive(Clone, Debug)]
pub(crate) struct OfCluster(Asked);

impl FromParameters for OfCluster {
    const PARAMETERS: &'static [Parameter] = query::OF_CLUSTER;

    fn read(parameters: &Parameters) -> Result<Self, ApiError> {
        Asked::read(parameters, false).map(Self)
    }
}

/// A request for the list of all clusters.
#[derive(Clone, Debug)]
pub(crate) struct OfAll(Asked);

impl FromParameters for OfAll {
    const PARAMETERS: &'static [Parameter] = query::OF_ALL;

    fn read(parameters: &Parameters) -> Result<Self, ApiError> {
        Asked::read(parameters, true).map(Self)
    }
}

pub(crate) const OF_CLUSTER: Operation = Operation::new(
    "pods.list",
    "A page of a cluster's pods.",
    Success::Data(Schemas::of::<PodList>),
)
.fails(&[429_001, 502_001, 503_001, 504_001]);

/// `GET /api/clusters/{clusterId}/pods`.
pub(crate) async fn of_cluster(
    Authorized(scoped): Authorized<ListPods>,
    Params(OfCluster(asked)): Params<OfCluster>,
    known: IfNoneMatch,
    gzip: TakesGzip,
    Extract(state): Extract<State>,
) -> Result<Response, ApiError> {
    list(&scoped, asked, &known, gzip, &state)
}

pub(crate) const OF_ALL: Operation = Operation::new(
    "pods.listAll",
    "A page of the pods of all clusters.",
    Success::Data(Schemas::of::<PodOfClusterList>),
)
.fails(&[404_002, 429_001]);

/// `GET /api/pods`.
pub(crate) async fn of_all(
    Authorized(scoped): Authorized<ListPods>,
    Params(OfAll(asked)): Params<OfAll>,
    known: IfNoneMatch,
    gzip: TakesGzip,
    Extract(state): Extract<State>,
) -> Result<Response, ApiError> {
    list(&scoped, asked, &known, gzip, &state)
}

/// Returns the page, or 304 if it has not changed since the caller got it, which is found without
/// reading a row.
fn list(
    scoped: &Scoped<ListPods>,
    asked: Asked,
    known: &IfNoneMatch,
    gzip: TakesGzip,
    state: &State,
) -> Result<Response, ApiError> {
    let pods = scoped.pods(&asked.clusters, asked.query)?;
    let reading = pods.read();
    let list = List {
        user: scoped.caller().user.id,
        pods: &pods,
        generation: match asked.facets.others {
            true => reading.wide_generation(pods.reach()),
            false => reading.generation(),
        },
        page: asked.page,
        facets: &asked.facets,
        is_identity: asked.is_identity,
        of_all: asked.of_all,
    };
    // The compressed form has a tag of its own.
    let tag = state.tags().of(&(&list, gzip));
    if known.has(&tag) {
        return Ok(tag.unchanged());
    }
    let body = list.write(&reading)?;
    drop(reading);
    let compressed = gzip.compress(&body);
    let is_compressed = compressed.is_some();
    let body = compressed.unwrap_or(body);
    let mut response = answers::whole(state.answers(), scoped.caller().session, JSON, body)?;
    if is_compressed {
        let coding = ContentCoding::Gzip.header();
        response.headers_mut().insert(header::CONTENT_ENCODING, coding);
    }
    tag.put(response.headers_mut());
    Ok(response)
}

/// Everything that a list depends on, from which its entity tag is made.
struct List<'a> {
    user: i64,
    pods: &'a PodQuery,
    generation: u64,
    page: Page,
    facets: &'a facets::Asked,
    is_identity: bool,
    of_all: bool,
}

impl Hash for List<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let List {
            user,
            pods,
            generation,
            page,
            facets,
            is_identity,
            of_all,
        } = self;
        (user, pods.query(), generation, page, facets, is_identity, of_all).hash(state);
        for cluster in pods.clusters() {
            let sync = cluster.sync();
            (cluster.id(), cluster.name(), crate::sync::state(sync.state)).hash(state);
            // The time of a live watch advances with every event, so it is left out.
            if sync.state != SyncState::Synced {
                sync.synced_at.hash(state);
            }
            sync.error.as_ref().map(ToString::to_string).hash(state);
        }
    }
}

impl List<'_> {
    /// Writes the whole response.
    ///
    /// # Errors
    /// [`ApiError::Parameter`] if it has more than [`MOST`] bytes.
    fn write(&self, reading: &PodReader<'_>) -> Result<Vec<u8>, ApiError> {
        let found = reading.find();
        let answer = found.page();
        let rows = answer.total().min(self.page.size as usize);
        let mut out = Vec::with_capacity(ENVELOPE + rows * rows::BYTES);
        out.extend_from_slice(b"{\"code\":200,\"data\":{\"items\":");
        let cluster = |id| self.of_all.then(|| self.pods.cluster_name(id));
        let written = if self.is_identity {
            rows::write_identities(&mut out, answer.rows(), MOST, cluster)
        } else {
            rows::write_within(&mut out, answer.rows(), MOST, cluster)
        };
        if !written.all {
            return Err(too_large(&written, out.len() - written.bytes));
        }
        for (key, value) in [
            (&b",\"total\":"[..], answer.total() as u64),
            (b",\"page\":", self.page.number.into()),
            (b",\"pageSize\":", self.page.size.into()),
        ] {
            out.extend_from_slice(key);
            json::number(&mut out, value);
        }
        self.write_clusters(&mut out)
            .map_err(|error| ApiError::Internal(format!("a list can't be written: {error}")))?;
        if !self.facets.fields.is_empty() {
            out.extend_from_slice(b",\"facets\":");
            let counts = self.counts(&found);
            facets::write(&mut out, self.facets, self.pods, |at, _| counts[at].clone());
        }
        out.extend_from_slice(b"}}");
        if out.len() > MOST {
            return Err(too_large(&written, out.len() - written.bytes));
        }
        Ok(out)
    }

    /// Counts by each field of the request.
    fn counts(&self, found: &Found<'_, '_>) -> Vec<Counts> {
        let facets::Asked { fields, others, .. } = self.facets;
        let of_index = |field: &Field| match field {
            Field::Of(facet) => Some(*facet),
            Field::Labels | Field::Label(_) => None,
        };
        let facets: Vec<_> = fields.iter().filter_map(of_index).collect();
        let counted = if *others {
            found.other_facets(&facets, self.pods.reach())
        } else {
            facets
                .iter()
                .map(|facet| (found.facets(*facet), found.total()))
                .collect()
        };
        let mut counted = counted.into_iter();
        let counts = fields.iter().map(|field| {
            let (values, total) = match field {
                Field::Labels => (Values::Texts(found.label_keys()), found.total()),
                Field::Label(key) => (Values::Texts(found.label_values(key)), found.total()),
                Field::Of(_) => {
                    let (values, total) = counted.next().unwrap_or_default();
                    (Values::Of(Arc::new(values)), total)
                }
            };
            Counts { values, total }
        });
        counts.collect()
    }

    /// Writes how current the list is: `sync` for one cluster, `clusters` for all.
    fn write_clusters(&self, out: &mut Vec<u8>) -> serde_json::Result<()> {
        let clusters = self.pods.clusters();
        if self.of_all {
            out.extend_from_slice(b",\"clusters\":");
            let views: Vec<ListedView<'_>> = clusters.iter().map(ListedView::from).collect();
            return serde_json::to_writer(out, &views);
        }
        for cluster in clusters {
            out.extend_from_slice(b",\"sync\":");
            serde_json::to_writer(&mut *out, &SyncView::from(cluster.sync()))?;
        }
        Ok(())
    }
}

/// Builds the error, which names a page size that fits: the number of rows that would fit if each
/// were as large as the largest one.
fn too_large(written: &Written, beside: usize) -> ApiError {
    let fit = MOST.saturating_sub(beside) / written.largest.max(1);
    let fit = fit.clamp(1, written.rows.max(1));
    ApiError::Parameter(format!(
        "these pods take more than {} MiB, the most that one page may take: ask for fewer at once, such as `pageSize={fit}`, which fits",
        MOST >> 20
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use podgate_index::{Facet, Order, Selector, Sort};

    use super::*;

    fn asked(query: &str) -> Result<Asked, ApiError> {
        OfAll::read(&Parameters::parse(query, OfAll::PARAMETERS)?).map(|OfAll(asked)| asked)
    }

    #[test]
    fn without_parameters_it_is_the_newest_twenty() {
        for query in [
            "",
            "page=&pageSize=&sort=&order=&status=&namespace=&search=&labelSelector=&problem=&facets=&cluster=",
        ] {
            let asked = asked(query).unwrap();
            assert_eq!((asked.page.number, asked.page.size), (1, 20));
            assert!(asked.facets.fields.is_empty() && asked.clusters.is_empty());
            let newest = Query {
                sort: Sort::CreatedAt,
                order: Order::Desc,
                offset: 0,
                limit: 20,
                ..Query::default()
            };
            assert_eq!(asked.query, newest);
        }
    }

    #[test]
    fn every_parameter_reaches_the_query() {
        let text = "namespace=a&namespace=b&status=Running&status=Error&phase=Failed&qosClass=BestEffort&nodeName=n1&search=web&page=3&pageSize=50\
                    &labelSelector=app%20in%20(a,b)&sort=restarts&order=desc&problem=true&cluster=x&cluster=7&facets=status,nodeName&facets=status";
        let asked = asked(text).unwrap();
        assert_eq!(asked.clusters, ["x", "7"]);
        let fields = [Field::Of(Facet::Status), Field::Of(Facet::Node)];
        assert_eq!(asked.facets.fields, fields);
        let query = asked.query;
        assert_eq!(query.namespaces, ["a", "b"]);
        assert_eq!(query.statuses, ["Running", "Error"]);
        assert_eq!(query.phases, ["Failed"]);
        assert_eq!(query.qos_classes, ["BestEffort"]);
        assert_eq!(query.nodes, ["n1"]);
        assert_eq!(query.searches, ["web"]);
        assert_eq!(query.selector, Some(Selector::parse("app in (a,b)").unwrap()));
        assert!(query.problem);
        assert_eq!((query.sort, query.order), (Sort::Restarts, Order::Desc));
        assert_eq!((query.offset, query.limit), (100, 50));
    }

    #[test]
    fn sorts_are_ascending_by_default_except_by_times_and_problems() {
        for (word, sort) in [
            ("createdAt", Sort::CreatedAt),
            ("name", Sort::Name),
            ("namespace", Sort::Namespace),
            ("status", Sort::Status),
            ("restarts", Sort::Restarts),
            ("nodeName", Sort::NodeName),
            ("qosClass", Sort::QosClass),
            ("problem", Sort::Problem),
            ("lastRestartAt", Sort::LastRestartAt),
        ] {
            let query = asked(&format!("sort={word}")).unwrap().query;
            let is_desc = matches!(word, "createdAt" | "problem" | "lastRestartAt");
            let default = if is_desc { Order::Desc } else { Order::Asc };
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
    fn an_unreadable_parameter_is_named() {
        for (query, part) in [
            ("page=0", "`page`"),
            ("page=4294967296", "`page`"),
            ("pageSize=1001", "`pageSize`"),
            ("pageSize=0", "`pageSize`"),
            ("pageSize=5001&fields=id", "`pageSize`"),
            ("fields=name", "`fields`"),
            ("facetMode=all", "`facetMode`"),
            ("facetSearch=web", "`facetSearch`"),
            ("facetSearch=web&facets=status,phase", "`facetSearch`"),
            ("facets=label:a,label:b,label:c,label:d,label:e", "`label:KEY`"),
            ("facets=label:", "`facets`"),
            ("sort=age", "`sort`"),
            ("order=up", "`order`"),
            ("labelSelector=a%20in%20b", "`labelSelector`"),
            ("name=a&name=b", "`name`"),
            ("owner=web", "`owner`"),
            ("restartedSince=today", "`restartedSince`"),
            ("node=a", "`node`"),
            ("problem=yes", "`problem`"),
            ("facets=status,node", "`facets`"),
        ] {
            match asked(query) {
                Err(ApiError::Parameter(message)) => assert!(message.contains(part), "{query}: {message}"),
                other => panic!("{query}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_list_of_one_cluster_takes_no_other_and_does_not_count_by_it() {
        for query in ["cluster=a", "facets=cluster"] {
            let read = Parameters::parse(query, OfCluster::PARAMETERS);
            assert!(matches!(read, Err(ApiError::Parameter(_))), "{query}");
        }
    }

    #[test]
    fn an_impossible_cluster_name_is_not_looked_up() {
        for name in ["UPPER", "a.b", "..%2f..", "-a"] {
            assert!(
                matches!(asked(&format!("cluster={name}")), Err(ApiError::ClusterNotFound(_))),
                "{name}"
            );
        }
    }
}
