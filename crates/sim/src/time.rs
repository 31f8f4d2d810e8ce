//! Times as Kubernetes writes them.

use jiff::Timestamp;

/// RFC 3339 in UTC with whole seconds (`metav1.Time`).
pub(crate) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// RFC 3339 in UTC with nanoseconds: how a container runtime stamps a line.
pub(crate) fn nanos(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string()
}
