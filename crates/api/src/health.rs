//! Whether the process lives and can serve.

/// `GET /healthz`: the process lives.
pub(crate) async fn live() -> &'static str {
    "ok\n"
}
