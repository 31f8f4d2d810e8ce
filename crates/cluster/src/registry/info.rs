//! What is asked of a cluster beside its pods: version, nodes, namespaces.

use std::sync::{Arc, PoisonError};

use serde::Deserialize;
use tokio::time::{sleep, timeout};

use super::{Info, Inner};
use crate::{
    Error,
    client::{Client, Policy, Slot, get, uri},
    error::Result,
    text::quote,
    watch::driver::pods,
    wire::nullable,
};

/// Only names and the like are needed: a node weighs 10 kB, its metadata 1 kB. A server that does not know the form answers in the other.
const NAMES_ONLY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
/// Pages of namespaces that are read.
const MAX_PAGES: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

#[derive(Deserialize)]
struct List {
    metadata: ListMeta,
    #[serde(default, deserialize_with = "nullable")]
    items: Vec<Named>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ListMeta {
    #[serde(rename = "continue", deserialize_with = "nullable")]
    token: String,
    remaining_item_count: Option<usize>,
}

#[derive(Deserialize)]
struct Named {
    metadata: NamedMeta,
}

#[derive(Deserialize)]
struct NamedMeta {
    name: String,
}

/// Refreshes version and nodes for ever, and looks whether a cluster that is watched in one namespace may be watched in all.
pub(super) async fn refresh(cluster: Arc<Inner>) {
    loop {
        if let Ok(client) = cluster.client().await {
            let version = version(&client).await;
            let nodes = nodes(&client).await;
            note(&cluster, version, nodes);
            if cluster.is_narrowed() && try_pods(&client, None).await.is_ok() {
                tracing::info!(
                    cluster = cluster.spec.name,
                    "the pods of all namespaces may be listed now, and are watched"
                );
                cluster.widen();
            }
        }
        sleep(cluster.policy.watch.info).await;
    }
}

/// Notes what was answered. What could not be asked now is as it was; what is not allowed (any more) is unknown.
fn note(cluster: &Inner, version: Result<String>, nodes: Result<Option<usize>>) {
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

/// See [`super::Registry::probe`].
pub(super) async fn probe(slot: &Slot, namespaces: &[String], policy: &Policy) -> Result<Info> {
    let all = async {
        let client = slot.fresh().await?;
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
        Err(Error::timeout(format!("the cluster did not answer within {seconds} s")))
    })
}

/// The version; of a refusal no more than its status, because its words may be of any server's that a source leads to.
async fn try_version(client: &Client) -> Result<String> {
    let request = get("/version")?;
    let what = client.what(&request);
    let response = client.send(request).await?;
    let status = response.status();
    if !status.is_success() {
        let error = Error::from_status(status.as_u16(), &[], &what, &[]);
        return Err(quiet(error, "its version"));
    }
    let version: Version = client.rest(response, &what).await?;
    Ok(quote(&version.git_version))
}

/// Whether pods can be listed and watched. A watch ends as soon as it has begun.
async fn try_pods(client: &Client, namespace: Option<&str>) -> Result<()> {
    for query in [
        [("limit", "1"), ("timeoutSeconds", "5")],
        [("watch", "1"), ("timeoutSeconds", "1")],
    ] {
        let request = get(&pods(namespace, &query)?)?;
        let what = client.what(&request);
        let status = client.send(request).await?.status();
        if !status.is_success() {
            return Err(may_not(Error::from_status(status.as_u16(), &[], &what, &[]), namespace));
        }
    }
    Ok(())
}

/// An error of the upstream without its words.
fn quiet(error: Error, what: &str) -> Error {
    match error {
        Error::Timeout(_) | Error::Upstream(_) => error,
        _ => Error::upstream(format!(
            "the server refuses to tell {what}: check that the address is that of an API server"
        )),
    }
}

fn may_not(error: Error, namespace: Option<&str>) -> Error {
    match (error, namespace) {
        (Error::Forbidden(_), None) => Error::forbidden(
            "the cluster does not let this credential list and watch pods in all namespaces: name the namespaces where it may, or give it that right"
                .to_owned(),
        ),
        (Error::Forbidden(_), Some(namespace)) => Error::forbidden(format!(
            "the cluster does not let this credential list and watch pods in namespace `{namespace}`: leave that out, or give it that right"
        )),
        (error, _) => quiet(error, "its pods"),
    }
}

async fn version(client: &Client) -> Result<String> {
    let version: Version = client.json(get("/version")?).await?;
    Ok(quote(&version.git_version))
}

/// How many nodes there are; none when the server does not count what it leaves out.
async fn nodes(client: &Client) -> Result<Option<usize>> {
    let list = list(client, "nodes", &[("limit", "1")]).await?;
    Ok(
        match (list.metadata.token.as_str(), list.metadata.remaining_item_count) {
            ("", _) => Some(list.items.len()),
            (_, remaining) => remaining.map(|remaining| list.items.len() + remaining),
        },
    )
}

/// The names of all namespaces.
pub(super) async fn namespaces(client: &Client) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut token = String::new();
    for _ in 0..MAX_PAGES {
        let mut query = vec![("limit", "500")];
        if !token.is_empty() {
            query.push(("continue", token.as_str()));
        }
        let page = list(client, "namespaces", &query).await?;
        names.extend(page.items.into_iter().map(|item| item.metadata.name));
        token = page.metadata.token;
        if token.is_empty() {
            break;
        }
    }
    names.sort_unstable();
    Ok(names)
}

async fn list(client: &Client, resource: &str, query: &[(&str, &str)]) -> Result<List> {
    let mut request = get(&uri(&["api", "v1", resource], query)?)?;
    let accept = http::HeaderValue::from_static(NAMES_ONLY);
    request.headers_mut().insert(http::header::ACCEPT, accept);
    client.json(request).await
}
