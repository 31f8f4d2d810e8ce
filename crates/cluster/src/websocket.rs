//! A WebSocket whose buffers stay bounded, whatever its peer does.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        protocol::{Role, WebSocketConfig},
    },
};

/// The bytes that are read at once. Each connection holds this memory, even while it is quiet.
const READ: usize = 8 << 10;
/// The bytes of small messages that are collected before they are written together.
const WRITE: usize = 16 << 10;
/// The most pongs that may wait for the peer. With that many, nothing more is read from it. The
/// bound is above zero because a peer that waits for us to read may not be reading itself.
const MAX_PONGS: usize = 32;
/// The largest control frame, with its header and mask (RFC 6455, section 5.5).
const CONTROL: usize = 125 + 6;
/// The most bytes of a message's header.
const HEADER: usize = 14;

/// The largest messages in bytes, in both directions. A larger one is an error.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// The largest message, and frame, to accept from the peer.
    pub incoming: usize,
    /// The largest message to send. At most this plus 32 kB wait to be written.
    pub outgoing: usize,
}

/// A [`WebSocketStream`] that bounds the bytes that wait to be written.
///
/// Tungstenite answers each ping that it reads, and keeps the pongs while the peer does not take
/// them, so a peer that pings without reading would fill the memory. This type stops reading from
/// such a peer.
///
/// Both halves must be polled by the same task.
#[derive(Debug)]
pub struct BoundedWebSocket<S> {
    inner: WebSocketStream<S>,
    /// The pongs that may not have been written yet.
    pongs: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> BoundedWebSocket<S> {
    /// Wraps a connection after its handshake.
    pub async fn new(stream: S, role: Role, sizes: Sizes) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ)
            .write_buffer_size(WRITE)
            .max_write_buffer_size(WRITE + sizes.outgoing + HEADER + (MAX_PONGS + 2) * CONTROL)
            .max_message_size(Some(sizes.incoming))
            .max_frame_size(Some(sizes.incoming));
        Self {
            inner: WebSocketStream::from_raw_socket(stream, role, Some(config)).await,
            pongs: 0,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for BoundedWebSocket<S> {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.pongs > 0 {
            match Pin::new(&mut self.inner).poll_flush(context) {
                Poll::Ready(Ok(())) => self.pongs = 0,
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                Poll::Pending if self.pongs >= MAX_PONGS => return Poll::Pending,
                Poll::Pending => {}
            }
        }
        let next = ready!(Pin::new(&mut self.inner).poll_next(context));
        if let Some(Ok(Message::Ping(_))) = &next {
            self.pongs += 1;
        }
        Poll::Ready(next)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for BoundedWebSocket<S> {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_ready(context)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        Pin::new(&mut self.inner).start_send(message)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let flushed = ready!(Pin::new(&mut self.inner).poll_flush(context));
        self.pongs = 0;
        Poll::Ready(flushed)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Pin::new(&mut self.inner).poll_close(context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use futures_util::{FutureExt, SinkExt, StreamExt};
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const SIZES: Sizes = Sizes {
        incoming: 1 << 20,
        outgoing: 64 << 10,
    };

    async fn pair(role: Role) -> (BoundedWebSocket<DuplexStream>, DuplexStream) {
        let (near, far) = duplex(4 << 10);
        (BoundedWebSocket::new(near, role, SIZES).await, far)
    }

    /// Returns a ping of 125 bytes as a client or a server sends it.
    fn ping(from: Role) -> Vec<u8> {
        let (length, mask): (u8, &[u8]) = match from {
            Role::Client => (0x80 | 125, &[0; 4]),
            Role::Server => (125, &[]),
        };
        [&[0x89, length], mask, &[b'x'; 125]].concat()
    }

    /// Sends `count` pings without reading, while the socket is read. Returns how many were
    /// accepted.
    async fn pings(role: Role, count: usize) -> usize {
        let (mut socket, mut far) = pair(role).await;
        let from = match role {
            Role::Server => Role::Client,
            Role::Client => Role::Server,
        };
        let ping = ping(from);
        let mut taken = 0;
        for _ in 0..count {
            // Read the socket until it waits. Then the peer can write only what fits between them.
            while socket.next().now_or_never().is_some() {}
            match far.write_all(&ping).now_or_never() {
                Some(written) => written.unwrap(),
                None => break,
            }
            taken += 1;
        }
        taken
    }

    #[tokio::test]
    async fn a_peer_that_pings_and_does_not_read_is_not_read_either() {
        for role in [Role::Server, Role::Client] {
            // The bytes that fit into the pipe in both directions, and the pongs that may wait.
            let most = 2 * (4 << 10) / 127 + MAX_PONGS + READ / 127 + 2;
            // The task's budget would make it wait as well.
            let taken = tokio::task::unconstrained(pings(role, 100_000)).await;
            assert!(taken > MAX_PONGS && taken <= most, "{role:?}: {taken}");
        }
    }

    #[tokio::test]
    async fn a_peer_that_takes_its_pongs_is_read_on() {
        let (mut socket, far) = pair(Role::Server).await;
        let mut far = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        for _ in 0..500 {
            far.send(Message::Ping(vec![b'x'; 125].into())).await.unwrap();
            assert!(matches!(socket.next().await, Some(Ok(Message::Ping(_)))));
            assert!(socket.next().now_or_never().is_none());
            assert!(matches!(far.next().await, Some(Ok(Message::Pong(_)))));
        }
        far.send(Message::text("still here")).await.unwrap();
        assert!(matches!(socket.next().await, Some(Ok(Message::Text(_)))));
    }

    #[tokio::test]
    async fn the_largest_message_fits_next_to_waiting_pongs() {
        let (mut socket, mut far) = pair(Role::Server).await;
        let ping = ping(Role::Client);
        let fill = async {
            loop {
                while socket.next().now_or_never().is_some() {}
                if far.write_all(&ping).now_or_never().is_none() {
                    break;
                }
            }
        };
        tokio::task::unconstrained(fill).await;
        assert_eq!(socket.pongs, MAX_PONGS);
        for _ in 0..2 {
            let mut sending = std::pin::pin!(socket.send(Message::binary(vec![b'x'; SIZES.outgoing])));
            let sent = sending.as_mut().now_or_never();
            assert!(sent.is_none(), "it waits for the peer: {sent:?}");
        }
        let more = socket
            .feed(Message::binary(vec![b'x'; 2 * SIZES.outgoing]))
            .now_or_never();
        assert!(more.is_none(), "no second message is taken while one waits: {more:?}");
    }

    #[tokio::test]
    async fn a_message_that_is_too_large_is_refused_and_not_kept() {
        let (mut socket, _far) = pair(Role::Server).await;
        let refused = socket.send(Message::binary(vec![b'x'; 2 * SIZES.outgoing])).await;
        assert!(matches!(refused, Err(Error::WriteBufferFull(_))), "{refused:?}");
    }
}
