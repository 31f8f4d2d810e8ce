//! The access review that asks the cluster whether the credential may run commands.

use std::time::Duration;

use http::{Request, header::CONTENT_TYPE};
use serde::Deserialize;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    Error,
    client::{Client, uri},
    error::Result,
    text::excerpt,
};

/// How long a review may take.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Review {
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Status {
    allowed: bool,
    reason: String,
    #[serde(rename = "evaluationError")]
    evaluation_error: String,
}

/// Checks that a `SelfSubjectAccessReview` allows `create pods/exec`. A failed review counts as a
/// refusal.
///
/// # Errors
/// [`Error::Forbidden`], and those of every call.
pub(super) async fn may_exec(client: &Client, namespace: &str, name: &str) -> Result<()> {
    let review = timeout(TIMEOUT, client.json::<Review>(request(namespace, name)?)).await;
    let review = review.unwrap_or_else(|_| {
        Err(Error::timeout(format!(
            "cluster `{}` did not say within {} s whether its credential may `create pods/exec` in namespace `{namespace}`: try \
             again",
            client.cluster,
            TIMEOUT.as_secs()
        )))
    })?;
    if review.status.allowed {
        return Ok(());
    }
    let Status {
        reason,
        evaluation_error,
        ..
    } = review.status;
    let why = [reason, evaluation_error].into_iter().find(|why| !why.is_empty());
    let why = why.map(|why| format!(" ({})", excerpt(&why))).unwrap_or_default();
    Err(Error::forbidden(format!(
        "cluster `{}` does not let its credential `create pods/exec` for pod `{name}` in namespace `{namespace}`{why}: grant it \
         that permission",
        client.cluster
    )))
}

fn request(namespace: &str, name: &str) -> Result<Request<Vec<u8>>> {
    let body = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {
            "verb": "create", "version": "v1", "resource": "pods", "subresource": "exec", "namespace": namespace, "name": name,
        }},
    });
    let uri = uri(&["apis", "authorization.k8s.io", "v1", "selfsubjectaccessreviews"], &[])?;
    Request::post(uri)
        .header(CONTENT_TYPE, "application/json")
        .body(body.to_string().into_bytes())
        .map_err(|error| Error::invalid(format!("the access review can't be created: {error}")))
}
