//! The deletion of one pod.

use http::{Request, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};

use crate::{
    Cluster, Error, detail,
    error::{Failure, Result},
};

/// Options for a deletion.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The grace period in seconds; `None` for the pod's own.
    pub grace_period: Option<u32>,
    /// The UID that the pod must have.
    pub uid: Option<String>,
    /// The resource version that the pod must have.
    pub resource_version: Option<String>,
    /// Whether to only check the request and delete nothing.
    pub dry_run: bool,
}

/// `metav1.DeleteOptions`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeleteOptions<'a> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_period_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preconditions: Option<Preconditions<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    dry_run: &'static [&'static str],
}

/// `metav1.Preconditions`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Preconditions<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_version: Option<&'a str>,
}

/// The response, which is the pod or a `Status`.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    kind: String,
}

impl Cluster {
    /// Deletes a pod.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], [`crate::Error::Conflict`] for a failed precondition, and
    /// those of every call.
    pub async fn delete_pod(&self, namespace: &str, name: &str, options: &Options) -> Result<()> {
        let client = self.client().await?;
        let (uid, resource_version) = (options.uid.as_deref(), options.resource_version.as_deref());
        let body = DeleteOptions {
            api_version: "v1",
            kind: "DeleteOptions",
            grace_period_seconds: options.grace_period,
            preconditions: (uid.is_some() || resource_version.is_some())
                .then_some(Preconditions { uid, resource_version }),
            dry_run: if options.dry_run { &["All"] } else { &[] },
        };
        let unsent = |error: &dyn std::fmt::Display| {
            Error::invalid(format!(
                "the deletion of pod `{namespace}/{name}` could not be serialised: {error}"
            ))
        };
        let body = serde_json::to_vec(&body).map_err(|error| unsent(&error))?;
        let request = Request::delete(detail::pod_path(namespace, name)?)
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|error| unsent(&error))?;
        let grace_period = options.grace_period.map(|seconds| seconds.to_string());
        let given = [
            ("gracePeriodSeconds", grace_period.as_deref()),
            ("uid", uid),
            ("resourceVersion", resource_version),
        ];
        let given: Vec<_> = given
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        let what = client.what(&request);
        let answer: Answer = client.json_with(request, &given).await?;
        if matches!(answer.kind.as_str(), "Pod" | "Status") {
            return Ok(());
        }
        let why = "it is neither a pod nor a `Status`, so the pod may still exist".into();
        Err(Error::upstream(what, Failure::NotKubernetes { why }))
    }
}
