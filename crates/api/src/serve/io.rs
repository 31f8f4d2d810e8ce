//! A connection's socket, which knows whether its peer takes what is written, and which can be
//! ended from outside.

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

/// Bytes of a head (or TLS handshake) that every connection may have. More than that takes
/// [`MAX_HEAD`] from a budget that all share, until the connection ends: what a head was read into
/// stays as large as that.
pub(super) const SMALL_HEAD: usize = 8 << 10;
/// Bytes that a head may have.
pub(super) const MAX_HEAD: usize = 96 << 10;

/// A socket `S` and its connection's place, which it gives back when it is closed.
///
/// A write that makes no progress for the time limit fails, and so does everything else from then
/// on: a peer that does not read holds neither memory nor a connection. This lies below TLS and
/// stays below a WebSocket, so that one rule binds every kind of answer.
#[derive(Debug)]
pub(super) struct Io<S> {
    // Dropped first: the place must not be free before the socket is closed.
    socket: S,
    place: Place,
    limit: Duration,
    /// Since the peer takes nothing. Kept for the next time, because a slow peer blocks often.
    timer: Option<Pin<Box<Sleep>>>,
    blocked: bool,
    large_head: Option<Reservation>,
}

impl<S> Io<S> {
    /// Wraps a socket. `limit` is the time that a write may go without progress.
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

    /// Counts bytes that have arrived. Those of heads are bounded over all connections together.
    fn heard(&mut self, bytes: usize) -> io::Result<()> {
        self.place.connection.heard(bytes);
        if self.place.connection.head() > SMALL_HEAD && self.large_head.is_none() {
            match self.place.large_heads().try_reserve(MAX_HEAD) {
                Ok(reservation) => self.large_head = Some(reservation),
                Err(_) => {
                    tracing::debug!("too many large heads are under way: ended a connection that sends one");
                    self.place.connection.end();
                    return Err(ended());
                }
            }
        }
        Ok(())
    }

    /// Passes a write's result on, and fails one that has made no progress for too long.
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
            tracing::debug!(limit = ?self.limit, "a peer takes nothing of what is written: ended its connection");
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
            // The buffer for the head is gone with HTTP.
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
