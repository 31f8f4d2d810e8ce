//! A WebSocket client.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest, protocol::WebSocketConfig},
};

use super::PATIENCE;

/// An open WebSocket whose frames are JSON texts.
pub(crate) struct Socket {
    inner: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// A message from the server.
#[derive(Debug)]
pub(crate) enum Got {
    Frame(Value),
    Closed(u16),
}

impl Socket {
    pub(crate) async fn open(base: &str, path: &str, token: &str) -> Self {
        let mut request = format!("ws{}{path}", base.trim_start_matches("http"))
            .into_client_request()
            .unwrap();
        request
            .headers_mut()
            .insert("Authorization", format!("Bearer {token}").parse().unwrap());
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (inner, _) = tokio_tungstenite::connect_async_with_config(request, Some(config), true)
            .await
            .unwrap();
        Self { inner }
    }

    pub(crate) async fn send(&mut self, frame: Value) {
        self.inner.send(Message::text(frame.to_string())).await.unwrap();
    }

    pub(crate) async fn send_binary(&mut self, bytes: &[u8]) {
        self.inner.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    /// Waits for the next frame or the close.
    pub(crate) async fn next(&mut self) -> Got {
        let read = async {
            loop {
                match self.inner.next().await {
                    Some(Ok(Message::Text(text))) => return Got::Frame(serde_json::from_str(&text).unwrap()),
                    Some(Ok(Message::Close(frame))) => {
                        return Got::Closed(frame.map_or(1005, |frame| frame.code.into()));
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(other)) => panic!("unexpected {other:?}"),
                    Some(Err(error)) => panic!("the socket broke: {error}"),
                    None => return Got::Closed(1006),
                }
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("a frame comes")
    }

    /// Waits for the next frame of a type and skips frames of other types.
    pub(crate) async fn frame(&mut self, kind: &str) -> Value {
        loop {
            match self.next().await {
                Got::Frame(frame) if frame["type"] == kind => return frame,
                Got::Frame(frame) => assert_ne!(frame["type"], "error", "waiting for {kind}: {frame}"),
                Got::Closed(code) => panic!("closed with {code} before a frame of type {kind}"),
            }
        }
    }

    /// Reads terminal output until the text so far satisfies `test`, and returns that text.
    pub(crate) async fn output_until(&mut self, test: impl Fn(&str) -> bool) -> String {
        let mut all = String::new();
        while !test(&all) {
            all.push_str(self.frame("output").await["data"].as_str().unwrap());
        }
        all
    }

    /// Reads to the close: every frame, and the close code.
    pub(crate) async fn rest(&mut self) -> (Vec<Value>, u16) {
        let mut frames = Vec::new();
        loop {
            match self.next().await {
                Got::Frame(frame) => frames.push(frame),
                Got::Closed(code) => return (frames, code),
            }
        }
    }

    /// Leaves without a word, as a lost connection does.
    pub(crate) fn vanish(self) {
        drop(self);
    }
}
