//! One pod in full, as the API server has it now.

use std::borrow::Cow;

use http::{HeaderValue, header::ACCEPT};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Cluster, Error,
    client::{self, Client, Reserved},
    error::{Failure, Result},
};

/// The most bytes by which a text made from a pod's JSON may be longer than the JSON, for fields
/// that the JSON lacks.
pub const VIEW_OVERHEAD: usize = 512 << 10;

/// A pod's JSON as the API server sent it, at most 16 MiB, with its memory reservation from
/// [`client::Policy::bodies`].
#[derive(Debug)]
pub struct PodJson {
    json: Reserved<Vec<u8>>,
    what: String,
}

impl PodJson {
    /// Returns the JSON. Only its `kind` and the presence of its `metadata` were checked.
    pub fn json(&self) -> &[u8] {
        &self.json.value
    }

    /// Returns the error for JSON that does not parse as a pod.
    pub fn not_json(&self, error: &serde_json::Error) -> Error {
        client::not_json(error, &self.what)
    }
}

/// The fields that identify a pod.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    metadata: &'a RawValue,
}

impl Cluster {
    /// Returns the pod as the API server has it now.
    ///
    /// The JSON is not parsed, because that would take many times the memory of its text.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], [`crate::Error::Busy`], and those of every call.
    pub async fn pod(&self, namespace: &str, name: &str) -> Result<PodJson> {
        let client = self.client().await?;
        let request = client::get(&pod_path(namespace, name)?)?;
        let what = client.what(&request);
        let mut json = client.bytes(request).await?;
        let head: Head<'_> = serde_json::from_slice(&json.value).map_err(|error| client::not_json(&error, &what))?;
        if head.kind != "Pod" || !head.metadata.get().starts_with('{') {
            return Err(not_a_pod(&client, namespace, name));
        }
        // Reserve the memory for the text that the caller makes from it.
        json.reservation
            .reserve(2 * json.value.capacity() + VIEW_OVERHEAD, &what)
            .await?;
        Ok(PodJson { json, what })
    }

    /// Returns the pod's manifest as YAML from the API server, without `managedFields`.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], [`crate::Error::Busy`], and those of every call.
    pub async fn manifest(&self, namespace: &str, name: &str) -> Result<Vec<u8>> {
        let client = self.client().await?;
        let mut request = client::get(&pod_path(namespace, name)?)?;
        let yaml = HeaderValue::from_static("application/yaml");
        request.headers_mut().insert(ACCEPT, yaml);
        let mut manifest = client.bytes(request).await?;
        if !manifest
            .value
            .split(|&byte| byte == b'\n')
            .any(|line| line == b"kind: Pod")
        {
            return Err(not_a_pod(&client, namespace, name));
        }
        drop_managed_fields(&mut manifest.value);
        Ok(manifest.value)
    }
}

/// Returns the path of a pod. No name can lead to another path.
pub(crate) fn pod_path(namespace: &str, name: &str) -> Result<String> {
    client::uri(&["api", "v1", "namespaces", namespace, "pods", name], &[])
}

pub(crate) fn not_a_pod(client: &Client, namespace: &str, name: &str) -> Error {
    let what = format!(
        "the request for pod `{namespace}/{name}` on cluster `{}`",
        client.cluster
    );
    let why = "the response is not a pod".into();
    Error::upstream(what, Failure::NotKubernetes { why })
}

/// Removes `metadata.managedFields` from a manifest. In the form that API servers write, the keys
/// of `metadata` are indented by two spaces, and so are the dashes of a list under such a key.
fn drop_managed_fields(manifest: &mut Vec<u8>) {
    let (mut in_metadata, mut dropping) = (false, false);
    let (mut at, mut kept) = (0, 0);
    while let Some(rest) = manifest.get(at..).filter(|rest| !rest.is_empty()) {
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let line = rest.get(..length).unwrap_or_default();
        match line {
            [first, ..] if !first.is_ascii_whitespace() => {
                in_metadata = line.trim_ascii_end() == b"metadata:";
                dropping = false;
            }
            [b' ', b' ', third, ..] if in_metadata && !third.is_ascii_whitespace() && *third != b'-' => {
                dropping = line.starts_with(b"  managedFields:");
            }
            _ => {}
        }
        if !dropping {
            manifest.copy_within(at..at + length, kept);
            kept += length;
        }
        at += length;
    }
    manifest.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managed_fields_are_left_out_of_a_manifest_and_nothing_else() {
        let manifest = "apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    note: |\n      metadata:\n        managedFields:\n\n      - x\n  \
            managedFields:\n  - apiVersion: v1\n    fieldsV1:\n      f:metadata:\n        .: {}\n    manager: |-\n\n      a\n  name: a\n  \
            ownerReferences:\n  - kind: X\nspec:\n  managedFields:\n  - kept\nstatus: {}\n";
        let want = "apiVersion: v1\nkind: Pod\nmetadata:\n  annotations:\n    note: |\n      metadata:\n        managedFields:\n\n      - x\n  \
            name: a\n  ownerReferences:\n  - kind: X\nspec:\n  managedFields:\n  - kept\nstatus: {}\n";
        let mut text = manifest.as_bytes().to_vec();
        drop_managed_fields(&mut text);
        assert_eq!(String::from_utf8_lossy(&text), want);
    }
}
