//! Authorization: turns a request into access to the object that its path names.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use podgate_access::{Action, Caller, Gate, Scoped, Target, action::OwnAccount};

use crate::{
    ApiError, State,
    extract::{auth, parameters::shown},
    http::request_context::RequestContext,
};

/// Extractor: authenticates the caller, and opens the [`Gate`] for `A` on the object that the path
/// names. It is the first argument of every handler that is not public.
#[derive(Debug)]
pub struct Authorized<A: Action>(pub Scoped<A>);

impl<A: Action> FromRequestParts<State> for Authorized<A> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let caller = auth::authenticate(parts, state).await?.caller;
        // A call that may end its own session is bound to it only once it is answered.
        if A::NAME != OwnAccount::NAME
            && let Some(trace) = parts.extensions.get::<RequestContext>()
        {
            trace.bind();
        }
        open(parts, state.gate(), &caller).await.map(Self)
    }
}

/// Opens the Gate on the object that the path names: a pod, a cluster, or all of Podgate.
///
/// # Errors
/// 404001 or 404002 for a text that can't be a name, and the errors of [`Gate::open`].
pub(crate) async fn open<A: Action>(parts: &mut Parts, gate: &Gate, caller: &Caller) -> Result<Scoped<A>, ApiError> {
    let named = RawPathParams::from_request_parts(parts, &())
        .await
        .map_err(|_| ApiError::NotFound("the path contains bytes that are not UTF-8".into()))?;
    let find = |name: &str| named.iter().find(|(other, _)| *other == name).map(|(_, value)| value);
    let target = target(find("clusterId"), find("namespace"), find("name"))?;
    Ok(gate.open(caller, target).await?)
}

/// Builds the target from a path's decoded names.
///
/// The names become parts of Kubernetes URLs, so each must be valid for its kind.
fn target<'a>(
    cluster: Option<&'a str>,
    namespace: Option<&'a str>,
    name: Option<&'a str>,
) -> Result<Target<'a>, ApiError> {
    let Some(cluster) = cluster else {
        return Ok(Target::Everything);
    };
    check_cluster(cluster)?;
    let (Some(namespace), Some(name)) = (namespace, name) else {
        return Ok(Target::Cluster(cluster));
    };
    if !is_label(namespace) || !is_subdomain(name) {
        return Err(ApiError::PodNotFound(format!(
            "there is no pod `{}` in namespace `{}`: these can't be names of a pod and a namespace",
            shown(name),
            shown(namespace)
        )));
    }
    Ok(Target::Pod {
        cluster,
        namespace,
        name,
    })
}

/// Refuses a text that can be neither a cluster's number nor its name.
///
/// # Errors
/// [`ApiError::ClusterNotFound`].
pub(crate) fn check_cluster(cluster: &str) -> Result<(), ApiError> {
    if is_label(cluster) {
        return Ok(());
    }
    Err(ApiError::ClusterNotFound(format!(
        "there is no cluster `{}`: a cluster is named by its number or its name",
        shown(cluster)
    )))
}

/// Returns whether a text is a DNS-1123 label (`IsDNS1123Label` of Kubernetes): at most 63
/// characters of `a-z0-9-`, without `-` at either end.
fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// Returns whether a text is a DNS-1123 subdomain (`IsDNS1123Subdomain` of Kubernetes): at most 253
/// characters, labels joined by dots. Unlike a label alone, these may be longer than 63.
fn is_subdomain(text: &str) -> bool {
    let label = |label: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn of_pod<'a>(cluster: &'a str, namespace: &'a str, name: &'a str) -> Result<Target<'a>, ApiError> {
        target(Some(cluster), Some(namespace), Some(name))
    }

    #[test]
    fn names_that_kubernetes_knows_pass() {
        let long = "a".repeat(253);
        for (namespace, name) in [
            ("default", "nginx-abc123"),
            ("kube-system", "etcd-node.example.com"),
            ("a", &long),
        ] {
            let pod = Target::Pod {
                cluster: "production",
                namespace,
                name,
            };
            assert_eq!(of_pod("production", namespace, name).unwrap(), pod);
        }
    }

    #[test]
    fn a_text_that_could_leave_its_place_in_a_path_is_not_a_name() {
        let long = "a".repeat(254);
        for bad in [
            "a/b", "..", ".", "a%2fb", "A", "a b", "a\0b", "-a", "a-", "a..b", "", "é", "a?b", "a#b", &long,
        ] {
            assert!(
                matches!(of_pod("c", "default", bad), Err(ApiError::PodNotFound(_))),
                "{bad:?}"
            );
            assert!(
                matches!(of_pod("c", bad, "pod"), Err(ApiError::PodNotFound(_))),
                "{bad:?}"
            );
            assert!(
                matches!(of_pod(bad, "default", "pod"), Err(ApiError::ClusterNotFound(_))),
                "{bad:?}"
            );
        }
        assert!(matches!(of_pod("c", "a.b", "pod"), Err(ApiError::PodNotFound(_))));
    }
}
