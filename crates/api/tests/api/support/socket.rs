//! A client's WebSocket.

use futures_util::{SinkExt, StreamExt};
use podgate_api::Route;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

use super::{described, within};

/// A client's WebSocket, which holds each frame of the server against the OpenAPI document.
#[derive(Debug)]
pub(crate) struct Socket {
    /// The connection, for a test that reads or writes what the methods do not.
    pub(crate) stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    route: Option<&'static Route>,
}

impl Socket {
    pub(super) fn new(stream: WebSocketStream<MaybeTlsStream<TcpStream>>, route: Option<&'static Route>) -> Self {
        Self { stream, route }
    }

    /// Sends JSON as a text frame.
    pub(crate) async fn send(&mut self, frame: Value) {
        self.send_text(&frame.to_string()).await;
    }

    /// Sends a text frame.
    pub(crate) async fn send_text(&mut self, text: &str) {
        within(self.stream.send(Message::text(text))).await.unwrap();
    }

    /// Sends a binary frame.
    pub(crate) async fn send_binary(&mut self, bytes: &[u8]) {
        within(self.stream.send(Message::binary(bytes.to_vec()))).await.unwrap();
    }

    /// Returns the next text frame, as JSON. Fails the test on a close.
    pub(crate) async fn next(&mut self) -> Value {
        match within(self.message()).await {
            Message::Text(text) => self.frame(&text),
            other => panic!("a frame was expected, not {other:?}"),
        }
    }

    /// Returns the next frame whose `type` is this; those before it are dropped.
    pub(crate) async fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await;
            if frame["type"] == kind {
                return frame;
            }
        }
    }

    /// Reads up to the server's close; the frames until there and the close code.
    pub(crate) async fn rest(&mut self) -> (Vec<Value>, u16) {
        let mut frames = Vec::new();
        loop {
            match within(self.message()).await {
                Message::Text(text) => frames.push(self.frame(&text)),
                Message::Close(close) => return (frames, close.map_or(1005, |close| close.code.into())),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads the `error` frame and the close that end a failed WebSocket; the code and the message.
    pub(crate) async fn fails(&mut self) -> (u64, String) {
        let (frames, close) = self.rest().await;
        let last = frames
            .last()
            .unwrap_or_else(|| panic!("closed with {close} and without an error frame"));
        assert_eq!(last["type"], "error", "{last}");
        let code = last["code"].as_u64().unwrap();
        assert_eq!(u64::from(close), 4000 + code / 1000, "{last}");
        (code, last["message"].as_str().unwrap().to_owned())
    }

    /// Closes normally and reads up to the server's answer.
    pub(crate) async fn close(mut self) {
        let _ = within(self.stream.close(None)).await;
        while let Some(Ok(_)) = within(self.stream.next()).await {}
    }

    fn frame(&self, text: &str) -> Value {
        let frame = serde_json::from_str(text).unwrap();
        if let Some(route) = self.route {
            described::received(route, &frame);
        }
        frame
    }

    async fn message(&mut self) -> Message {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return message,
                Some(Err(error)) => panic!("the connection broke: {error}"),
                None => panic!("the connection ended without a close frame"),
            }
        }
    }
}
