//! One pod, live.

use bytes::{Bytes, BytesMut};
use http::{HeaderValue, header::ACCEPT};
use serde_json::Value;

use crate::{
    Cluster, Error,
    client::{self, Client},
    error::Result,
};

/// The most of a manifest that is read, in bytes. The API server stores at most 1.5 MiB; YAML and escapes may grow it.
const MAX_MANIFEST: usize = 16 << 20;

impl Cluster {
    /// The pod as the API server has it now, without `managedFields`.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], and those of every call.
    pub async fn pod(&self, namespace: &str, name: &str) -> Result<Value> {
        let client = self.client().await?;
        let mut pod: Value = client.json(client::get(&path(namespace, name)?)?).await?;
        if pod["kind"] != "Pod" || !pod["metadata"].is_object() {
            return Err(misunderstood(&client, namespace, name));
        }
        if let Some(metadata) = pod["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        Ok(pod)
    }

    /// The pod's manifest as YAML, asked of the API server, without `managedFields`.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], and those of every call.
    pub async fn manifest(&self, namespace: &str, name: &str) -> Result<Bytes> {
        let client = self.client().await?;
        let mut request = client::get(&path(namespace, name)?)?;
        let yaml = HeaderValue::from_static("application/yaml");
        request.headers_mut().insert(ACCEPT, yaml);
        let manifest = client.bytes(request, MAX_MANIFEST).await?;
        if !manifest.split(|&byte| byte == b'\n').any(|line| line == b"kind: Pod") {
            return Err(misunderstood(&client, namespace, name));
        }
        Ok(without_managed_fields(&manifest))
    }
}

/// The path of a pod; no name leads elsewhere.
pub(crate) fn path(namespace: &str, name: &str) -> Result<String> {
    client::uri(&["api", "v1", "namespaces", namespace, "pods", name], &[])
}

fn misunderstood(client: &Client, namespace: &str, name: &str) -> Error {
    Error::upstream(format!(
        "cluster `{}` answered something else than pod `{namespace}/{name}`: check that its address is that of an API server",
        client.cluster
    ))
}

/// Leaves `metadata.managedFields` out of a manifest as API servers write it: keys of `metadata` are indented by two, and so are
/// the dashes of a list under one.
fn without_managed_fields(manifest: &[u8]) -> Bytes {
    let mut kept = BytesMut::with_capacity(manifest.len());
    let (mut in_metadata, mut dropping) = (false, false);
    for line in manifest.split_inclusive(|&byte| byte == b'\n') {
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
            kept.extend_from_slice(line);
        }
    }
    kept.freeze()
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
        assert_eq!(without_managed_fields(manifest.as_bytes()), want.as_bytes());
    }
}
