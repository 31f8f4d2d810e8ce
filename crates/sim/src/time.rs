//! Times as Kubernetes writes them.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

/// Formats a time as RFC 3339 in UTC with whole seconds (`metav1.Time`).
pub(crate) fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Formats a time as RFC 3339 in UTC with nanoseconds, as the kubelet does in logs
/// (`RFC3339NanoFixed`).
pub(crate) fn nanos(time: Timestamp) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(9));
    PRINTER.timestamp_to_string(&time)
}
