//! A client's WebSocket.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

use super::within;

/// A client's WebSocket.
#[derive(Debug)]
pub(crate) struct Socket(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Sends JSON as a text frame.
    pub(crate) async fn send(&mut self, frame: Value) {
        self.send_text(&frame.to_string()).await;
    }

    /// Sends a text frame.
    pub(crate) async fn send_text(&mut self, text: &str) {
        within(self.0.send(Message::text(text))).await.unwrap();
    }

    /// Sends a binary frame.
    pub(crate) async fn send_binary(&mut self, bytes: &[u8]) {
        within(self.0.send(Message::binary(bytes.to_vec()))).await.unwrap();
    }

    /// The next text frame, as JSON. Fails the test on a close.
    pub(crate) async fn next(&mut self) -> Value {
        match within(self.message()).await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("a frame was expected, not {other:?}"),
        }
    }

    /// The next frame whose `type` is this; those before it are dropped.
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
                Message::Text(text) => frames.push(serde_json::from_str(&text).unwrap()),
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
        let _ = within(self.0.close(None)).await;
        while let Some(Ok(_)) = within(self.0.next()).await {}
    }

    async fn message(&mut self) -> Message {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(message)) => return message,
                Some(Err(error)) => panic!("the connection broke: {error}"),
                None => panic!("the connection ended without a close frame"),
            }
        }
    }
}
