//! Requests for a cluster's version, nodes and namespaces.

use std::sync::{Arc, PoisonError};

use http::Request;
use serde::Deserialize;
use tokio::time::{sleep, timeout};

use crate::{
    Cluster, Error,
    client::{BodyReservation, Client, Policy, SharedClient, get, pods_uri, uri},
    cluster::{Info, Inner},
    error::{Failure, Result},
    list::{self, Bounds, Sink},
    text::{MAX_TEXT, quote},
};

/// The `Accept` header that asks for metadata only. A node has about 10 kB, its metadata 1 kB. A
/// server that does not know this form sends whole objects.
const NAMES_ONLY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
/// The most namespaces of one cluster that are listed. Kubernetes is tested with 10,000.
const MAX_NAMES: usize = 50_000;
/// The most bytes of one item, which may be a whole node.
const MAX_ITEM: usize = 2 << 20;
/// The most bytes of all pages.
const MAX_BYTES: usize = 128 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

#[derive(Deserialize)]
struct Named {
    metadata: NamedMeta,
}

#[derive(Deserialize)]
struct NamedMeta {
    name: String,
}

impl Cluster {
    /// Tries the cluster's source, as [`crate::Registry::probe`] does.
    ///
    /// # Errors
    /// The failed call, as [`Error`].
    pub async fn probe(&self) -> Result<Info> {
        let Inner { policy, probe, .. } = self.inner.as_ref();
        self::probe(probe, &self.watched(), policy).await
    }

    /// Returns the names of the cluster's namespaces in order. If the credential may not list them,
    /// returns the watched ones.
    ///
    /// # Errors
    /// The failed call, as [`Error`].
    pub async fn namespaces(&self) -> Result<Vec<String>> {
        match self::namespaces(&self.client().await?).await {
            Err(Error::Forbidden(_)) if !self.watched().is_empty() => Ok(self.watched().to_vec()),
            other => other,
        }
    }
}

/// Refreshes version and nodes for ever, and checks whether a cluster of which only one namespace
/// is watched may now be watched in all of them.
pub(crate) async fn refresh(cluster: Arc<Inner>) {
    loop {
        if let Ok(client) = cluster.client().await {
            let version = version(&client).await;
            let nodes = nodes(&client).await;
            record(&cluster, version, nodes);
            if cluster.is_narrowed() && try_pods(&client, None).await.is_ok() {
                tracing::info!(
                    cluster = cluster.spec.name,
                    "the credential may list pods in all namespaces now, so all of them are watched"
                );
                cluster.widen();
            }
        }
        sleep(cluster.policy.watch.info).await;
    }
}

/// Records the results. A failed request leaves the old value; a forbidden one makes the number of
/// nodes unknown.
fn record(cluster: &Inner, version: Result<String>, nodes: Result<Option<usize>>) {
    let mut info = cluster.info.lock().unwrap_or_else(PoisonError::into_inner);
    if let Ok(version) = version {
        info.version = version;
    }
    match nodes {
        Ok(nodes) => info.nodes = nodes,
        Err(Error::Forbidden(_)) => info.nodes = None,
        Err(_) => {}
    }
}

/// Probes a source: see [`crate::Registry::probe`].
pub(crate) async fn probe(shared: &SharedClient, namespaces: &[String], policy: &Policy) -> Result<Info> {
    let all = async {
        let client = shared.fresh().await?;
        let version = try_version(&client).await?;
        let targets: Vec<_> = match namespaces {
            [] => vec![None],
            named => named.iter().map(|namespace| Some(namespace.as_str())).collect(),
        };
        for namespace in targets {
            try_pods(&client, namespace).await?;
        }
        let nodes = nodes(&client).await.unwrap_or_default();
        Ok(Info { version, nodes })
    };
    timeout(policy.request_timeout, all).await.unwrap_or_else(|_| {
        let seconds = policy.request_timeout.as_secs_f32();
        Err(Error::timeout(format!(
            "the cluster did not answer within {seconds} s: check its address, and that Podgate can reach it"
        )))
    })
}

/// Asks for the version. An error contains only the status, because the source may lead to any
/// server, whose text must not be shown.
async fn try_version(client: &Client) -> Result<String> {
    let request = get("/version")?;
    let what = client.what(&request);
    let response = client.send(request).await?;
    let status = response.status();
    if !status.is_success() {
        let error = Error::from_status(status.as_u16(), &[], &what, &[]);
        return Err(without_upstream_text(error, "its version"));
    }
    let version: Version = client.rest(response, &what).await?;
    Ok(quote(&version.git_version))
}

/// Checks that pods can be listed and watched. The watch ends as soon as it has begun.
async fn try_pods(client: &Client, namespace: Option<&str>) -> Result<()> {
    for query in [
        [("limit", "1"), ("timeoutSeconds", "5")],
        [("watch", "1"), ("timeoutSeconds", "1")],
    ] {
        let request = get(&pods_uri(namespace, &query)?)?;
        let what = client.what(&request);
        let status = client.send(request).await?.status();
        if !status.is_success() {
            return Err(cannot_list(
                Error::from_status(status.as_u16(), &[], &what, &[]),
                namespace,
            ));
        }
    }
    Ok(())
}

/// Removes the upstream's own text from an error.
fn without_upstream_text(error: Error, what: &str) -> Error {
    match error {
        Error::Timeout(_) | Error::Upstream { .. } => error,
        _ => Error::upstream(
            format!("asking the server for {what}"),
            Failure::Other("the server refused: check that the address is that of an API server".into()),
        ),
    }
}

fn cannot_list(error: Error, namespace: Option<&str>) -> Error {
    match (error, namespace) {
        (Error::Forbidden(_), None) => Error::forbidden(
            "the cluster does not let this credential list and watch pods in all namespaces: name the namespaces in which it \
             may, or grant it that permission"
                .to_owned(),
        ),
        (Error::Forbidden(_), Some(namespace)) => Error::forbidden(format!(
            "the cluster does not let this credential list and watch pods in namespace `{namespace}`: leave that namespace out, \
             or grant it that permission"
        )),
        (error, _) => without_upstream_text(error, "its pods"),
    }
}

async fn version(client: &Client) -> Result<String> {
    let version: Version = client.json(get("/version")?).await?;
    Ok(quote(&version.git_version))
}

/// A receiver that counts the items of a list.
#[derive(Default)]
struct Count(usize);

impl Sink for Count {
    fn item(&mut self, _json: Option<&[u8]>) {
        self.0 += 1;
    }

    fn kept(&self) -> usize {
        0
    }
}

/// A receiver that keeps the names of the items of a list.
#[derive(Default)]
struct Names {
    names: Vec<String>,
    text: usize,
    /// Whether there are more names than are kept.
    more: bool,
}

impl Sink for Names {
    fn item(&mut self, json: Option<&[u8]>) {
        let named: Option<Named> = json.and_then(|json| serde_json::from_slice(json).ok());
        let Some(name) = named.map(|named| named.metadata.name) else {
            return;
        };
        if name.is_empty() || name.len() > MAX_TEXT {
            return;
        }
        if self.names.len() >= MAX_NAMES {
            self.more = true;
            return;
        }
        self.text += name.len();
        self.names.push(name);
    }

    fn kept(&self) -> usize {
        self.text + self.names.capacity() * size_of::<String>()
    }
}

/// Returns the number of nodes; `None` if the server does not count the nodes on later pages.
async fn nodes(client: &Client) -> Result<Option<usize>> {
    let mut count = Count::default();
    let (mut bounds, mut reservation) = (bounds(), BodyReservation::new(&client.policy));
    let request = names_request("nodes", &[("limit", "1")])?;
    let what = client.what(&request);
    let page = list::page(client, request, &mut bounds, &mut reservation, &mut count);
    let meta = client.within(page, &what).await?;
    Ok(match (meta.token.as_str(), meta.remaining()) {
        ("", _) => Some(count.0),
        (_, remaining) => remaining.map(|remaining| count.0.saturating_add(remaining)),
    })
}

/// Returns the names of all namespaces.
///
/// # Errors
/// [`Error::Upstream`] for more than 50,000, and those of every call.
pub(crate) async fn namespaces(client: &Client) -> Result<Vec<String>> {
    let what = format!("GET /api/v1/namespaces on cluster `{}`", client.cluster);
    let mut names = client.within(all_names(client), &what).await?;
    if names.more {
        let why = format!("the cluster has more than {MAX_NAMES} namespaces, the most that Podgate lists");
        return Err(Error::upstream(
            format!("the list of the namespaces of cluster `{}`", client.cluster),
            Failure::Other(why.into()),
        ));
    }
    names.names.sort_unstable();
    Ok(names.names)
}

async fn all_names(client: &Client) -> Result<Names> {
    let mut names = Names::default();
    let (mut bounds, mut reservation) = (bounds(), BodyReservation::new(&client.policy));
    let mut token = String::new();
    loop {
        let mut query = vec![("limit", "500")];
        if !token.is_empty() {
            query.push(("continue", token.as_str()));
        }
        let request = names_request("namespaces", &query)?;
        token = list::page(client, request, &mut bounds, &mut reservation, &mut names)
            .await?
            .token;
        if token.is_empty() || names.more {
            return Ok(names);
        }
    }
}

fn bounds() -> Bounds {
    Bounds {
        item: MAX_ITEM,
        left: MAX_BYTES,
    }
}

fn names_request(resource: &str, query: &[(&str, &str)]) -> Result<Request<Vec<u8>>> {
    let mut request = get(&uri(&["api", "v1", resource], query)?)?;
    let accept = http::HeaderValue::from_static(NAMES_ONLY);
    request.headers_mut().insert(http::header::ACCEPT, accept);
    Ok(request)
}
