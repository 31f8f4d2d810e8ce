//! A connection's socket. It knows whether its peer reads, and can be ended from outside.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use podgate_cluster::Reservation;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::{
    connection::{Connection, Phase},
    connections::Place,
};

/// The most bytes of a head (or TLS handshake) that need no budget.
///
/// A larger head reserves [`MAX_HEAD`] from a budget that all connections share, until the
/// connection ends, because the buffer into which it was read stays as large.
pub(super) const SMALL_HEAD: usize = 8 << 10;
/// The most bytes that a head may have.
pub(super) const MAX_HEAD: usize = 96 << 10;

/// A socket `S` with its connection's place, which is free again once the socket is closed.
///
/// A write that makes no progress within the time limit fails, and so does everything after it, so
/// a peer that does not read holds neither memory nor a connection. This layer is below TLS and
/// WebSockets, so that one rule holds for every kind of answer.
#[derive(Debug)]
pub(super) struct Io<S> {
    // The first field, so that it is dropped first: the place must not be free before the socket
    // is closed.
    socket: S,
    place: Place,
    limit: Duration,
    /// Runs while the peer does not read. It is kept for the next time, because a slow peer blocks
    /// often.
    timer: Option<Pin<Box<Sleep>>>,
    blocked: bool,
    large_head: Option<Reservation>,
}

impl<S> Io<S> {
    /// Wraps a socket. `limit` is how long a write may make no progress.
    pub(super) fn new(socket: S, place: Place, limit: Duration) -> Self {
        Self {
            socket,
            place,
            limit,
            timer: None,
            blocked: false,
            large_head: None,
        }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.place.connection
    }

    /// Counts arrived bytes. Those of large heads take their part of the common budget.
    fn heard(&mut self, bytes: usize) -> io::Result<()> {
        self.place.connection.heard(bytes);
        if self.place.connection.head() > SMALL_HEAD && self.large_head.is_none() {
            match self.place.large_heads().try_reserve(MAX_HEAD) {
                Ok(reservation) => self.large_head = Some(reservation),
                Err(_) => {
                    tracing::debug!("too many large request heads are arriving: closed a connection that sends one");
                    self.place.connection.end();
                    return Err(ended());
                }
            }
        }
        Ok(())
    }

    /// Passes on a write's result, and fails a write that has made no progress for too long.
    fn written<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.set_blocked(false);
            return result;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(Instant::now())));
        if !self.blocked {
            timer.as_mut().reset(Instant::now() + self.limit);
        }
        let over = timer.as_mut().poll(context).is_ready();
        self.set_blocked(true);
        if over {
            tracing::debug!(limit = ?self.limit, "a peer does not read its answer: closed its connection");
            self.place.connection.end();
        }
        if self.place.connection.writer_waits(context.waker()) {
            return Poll::Ready(Err(ended()));
        }
        Poll::Pending
    }

    fn set_blocked(&mut self, blocked: bool) {
        if self.blocked != blocked {
            self.blocked = blocked;
            self.place.connection.set_blocked(blocked);
        }
    }

    fn check(&self) -> io::Result<()> {
        if self.place.connection.ended() {
            return Err(ended());
        }
        Ok(())
    }
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the connection was ended")
}

impl<S: AsyncRead + Unpin> AsyncRead for Io<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        if self.place.connection.phase() == Phase::Upgraded {
            // hyper has dropped the buffer of the head.
            self.large_head = None;
        }
        let before = buf.filled().len();
        match Pin::new(&mut self.socket).poll_read(context, buf) {
            Poll::Ready(Ok(())) => Poll::Ready(self.heard(buf.filled().len() - before)),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending if self.place.connection.reader_waits(context.waker()) => Poll::Ready(Err(ended())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Io<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check()?;
        let result = Pin::new(&mut self.socket).poll_write(context, buf);
        self.written(context, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        let result = Pin::new(&mut self.socket).poll_write_vectored(context, bufs);
        self.written(context, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check()?;
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
