//! Requests to a plain `http` API server through an HTTP proxy.
//!
//! As in Go's `http.Transport`, the request to the proxy has the whole address (`GET
//! http://server/path`, RFC 9112 §3.2.2), and the proxy makes the request itself. Only an upgrade
//! goes through a tunnel, as with client-go's WebSocket dialer.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tower::Service;

/// A connector that connects to the proxy, whatever the address of the request.
#[derive(Clone)]
pub(super) struct Forward<C> {
    proxy: Uri,
    inner: C,
}

impl<C> Forward<C> {
    pub(super) fn new(proxy: Uri, inner: C) -> Self {
        Self { proxy, inner }
    }
}

impl<C> Service<Uri> for Forward<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
{
    type Response = Forwarded<C::Response>;
    type Error = C::Error;
    type Future = futures_util::future::MapOk<C::Future, fn(C::Response) -> Forwarded<C::Response>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connected = self.inner.call(self.proxy.clone());
        futures_util::TryFutureExt::map_ok(connected, Forwarded as fn(_) -> _)
    }
}

/// A connection to a proxy. It makes hyper send whole addresses.
pub(super) struct Forwarded<S>(S);

impl<S: Connection> Connection for Forwarded<S> {
    fn connected(&self) -> Connected {
        self.0.connected().proxy(true)
    }
}

impl<S: Read + Unpin> Read for Forwarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: Write + Unpin> Write for Forwarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
