//! Kubeconfigs of the users.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Builds a kubeconfig in YAML with an inline CA, a bearer token, and one context that is named
/// like the cluster.
pub(crate) fn write(name: &str, server: &str, authority: &str, user: &str) -> String {
    let authority = STANDARD.encode(authority);
    let name = serde_json::Value::from(name);
    let user_name = serde_json::Value::from(user);
    let token = serde_json::Value::from(format!("{user}-token"));
    format!(
        "apiVersion: v1
kind: Config
clusters:
- name: {name}
  cluster:
    server: {server}
    certificate-authority-data: {authority}
users:
- name: {user_name}
  user:
    token: {token}
contexts:
- name: {name}
  context:
    cluster: {name}
    user: {user_name}
current-context: {name}
"
    )
}
