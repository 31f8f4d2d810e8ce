//! HTTP/1.1 over one kept connection, so that requests are measured without connecting.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::Incoming,
    client::conn::http1::{SendRequest, handshake},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::Result;

/// The longest that anything may take.
const LIMIT: Duration = Duration::from_secs(120);

/// A connection to the server, with the headers that it sends.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
    token: String,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr, token: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            host: address.to_string(),
            token: token.to_owned(),
        })
    }

    /// Sends a request, whose response may have any status.
    pub(crate) async fn send(&mut self, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>> {
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.parse()?);
        if !self.token.is_empty() {
            headers.insert(header::AUTHORIZATION, format!("Bearer {}", self.token).parse()?);
        }
        let sent = async {
            self.sender.ready().await?;
            self.sender.send_request(request).await
        };
        Ok(tokio::time::timeout(LIMIT, sent).await??)
    }

    /// Sends a request and reads its whole answer.
    pub(crate) async fn call(&mut self, request: Request<Full<Bytes>>) -> Result<Answer> {
        let (head, body) = self.send(request).await?.into_parts();
        let body = tokio::time::timeout(LIMIT, body.collect()).await??;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    }

    /// Gets a path, whose response must be a success.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer> {
        let answer = self.call(Request::get(path).body(Full::default())?).await?;
        answer.successful(path)
    }
}

impl Answer {
    /// Returns the response if it is a success.
    pub(crate) fn successful(self, what: &str) -> Result<Self> {
        if self.status == StatusCode::OK {
            return Ok(self);
        }
        let text = String::from_utf8_lossy(&self.body);
        Err(format!("{what} was answered with {}: {text}", self.status).into())
    }
}
