//! HTTP around the handlers: the work before and after each request, and the forms of answers.

pub(crate) mod body_stream;
pub(crate) mod client_info;
pub(crate) mod content_coding;
pub(crate) mod cors;
pub(crate) mod csrf;
pub(crate) mod envelope;
pub(crate) mod etag;
pub(crate) mod fallback;
pub(crate) mod host;
pub(crate) mod middleware;
pub(crate) mod proxy;
pub(crate) mod request_context;
