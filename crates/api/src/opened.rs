//! From a request to what its caller may touch.

use std::collections::HashMap;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;
use podgate_access::{Action, Caller, Gate, Scoped, Target};

use crate::{ApiError, State, credential, parameters::shown};

/// Extractor: authenticates the caller and opens the [`Gate`] for `A` on what the path names. The first argument of every handler that is not public.
#[derive(Debug)]
pub struct Opened<A: Action>(pub Scoped<A>);

impl<A: Action> FromRequestParts<State> for Opened<A> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, ApiError> {
        let caller = credential::authenticate(parts, state).await?.caller;
        open(parts, state.gate(), &caller).await.map(Self)
    }
}

/// Opens the Gate on what the path names: a pod, a cluster, or everything.
///
/// # Errors
/// 404001, 404002 for what can't be a name, and those of [`Gate::open`].
pub(crate) async fn open<A: Action>(parts: &mut Parts, gate: &Gate, caller: &Caller) -> Result<Scoped<A>, ApiError> {
    let names = Names::read(parts).await?;
    Ok(gate.open(caller, names.target()?).await?)
}

/// What a path names, decoded.
struct Names(HashMap<String, String>);

impl Names {
    async fn read(parts: &mut Parts) -> Result<Self, ApiError> {
        let raw = RawPathParams::from_request_parts(parts, &())
            .await
            .map_err(|_| ApiError::NotFound("the path holds bytes that are not UTF-8".into()))?;
        Ok(Self(
            raw.iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        ))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names reach paths of Kubernetes calls, so that only what can be a name of that kind goes on.
    fn target(&self) -> Result<Target<'_>, ApiError> {
        let Some(cluster) = self.get("clusterId") else {
            return Ok(Target::Everything);
        };
        if !is_label(cluster) {
            return Err(ApiError::ClusterNotFound(format!(
                "there is no cluster `{}`: a cluster is named by its number or its name",
                shown(cluster)
            )));
        }
        let (Some(namespace), Some(name)) = (self.get("namespace"), self.get("name")) else {
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
}

/// A DNS-1123 label (RFC 1123, as Kubernetes has it): at most 63 of `a-z0-9-`, no `-` at either end.
fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// A DNS-1123 subdomain: at most 253 characters, labels joined by dots. Its labels may be longer than 63, as in Kubernetes.
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

    fn names(cluster: &str, namespace: &str, name: &str) -> Names {
        let pairs = [("clusterId", cluster), ("namespace", namespace), ("name", name)];
        Names(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn names_that_kubernetes_knows_pass() {
        let long = "a".repeat(253);
        for (namespace, name) in [
            ("default", "nginx-abc123"),
            ("kube-system", "etcd-node.example.com"),
            ("a", &long),
        ] {
            let names = names("production", namespace, name);
            let target = Target::Pod {
                cluster: "production",
                namespace,
                name,
            };
            assert_eq!(names.target().unwrap(), target);
        }
    }

    #[test]
    fn what_could_leave_its_place_in_a_path_is_no_name() {
        let long = "a".repeat(254);
        for bad in [
            "a/b", "..", ".", "a%2fb", "A", "a b", "a\0b", "-a", "a-", "a..b", "", "é", "a?b", "a#b", &long,
        ] {
            assert!(
                matches!(names("c", "default", bad).target(), Err(ApiError::PodNotFound(_))),
                "{bad:?}"
            );
            assert!(
                matches!(names("c", bad, "pod").target(), Err(ApiError::PodNotFound(_))),
                "{bad:?}"
            );
            assert!(
                matches!(names(bad, "default", "pod").target(), Err(ApiError::ClusterNotFound(_))),
                "{bad:?}"
            );
        }
        assert!(matches!(
            names("c", "a.b", "pod").target(),
            Err(ApiError::PodNotFound(_))
        ));
    }
}
