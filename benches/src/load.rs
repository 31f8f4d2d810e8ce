//! Requests as fast as they are answered, over a few connections. The client is very cheap, because
//! it shares the machine's cores with the server.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{Result, summary::Times};

/// The number of connections.
pub(crate) const CONNECTIONS: usize = 8;
/// How long one response may take.
const LIMIT: Duration = Duration::from_secs(60);

/// The result of a load.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// Requests per second.
    pub(crate) rate: f64,
    /// Each request's time at the client.
    pub(crate) times: Times,
    /// Bytes of one answer's body.
    pub(crate) size: usize,
}

/// Requests a path repeatedly for a time.
pub(crate) async fn run(address: SocketAddr, token: &str, path: &str, duration: Duration) -> Result<Load> {
    let authorization = match token {
        "" => String::new(),
        token => format!("Authorization: Bearer {token}\r\n"),
    };
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{authorization}\r\n");
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let start = Instant::now();
    let tasks: Vec<_> = streams
        .into_iter()
        .map(|stream| tokio::spawn(one(stream, request.clone(), start + duration)))
        .collect();
    let (mut times, mut size) = (Vec::new(), 0);
    for task in tasks {
        let (taken, last) = task.await??;
        times.extend(taken);
        size = last;
    }
    let rate = times.len() as f64 / start.elapsed().as_secs_f64();
    Ok(Load {
        rate,
        times: Times::new(times),
        size,
    })
}

/// Sends one connection's requests. Returns their times, and the size of the last body.
async fn one(mut stream: TcpStream, request: String, until: Instant) -> Result<(Vec<Duration>, usize)> {
    let (mut times, mut size) = (Vec::new(), 0);
    let mut buffer = Vec::with_capacity(64 * 1024);
    while Instant::now() < until {
        let start = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        size = timeout(LIMIT, answer(&mut stream, &mut buffer)).await??;
        times.push(start.elapsed());
    }
    Ok((times, size))
}

/// Reads one response, which must be a success. Returns the size of its body.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<usize> {
    buffer.clear();
    let head = loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let text = std::str::from_utf8(buffer.get(..head).unwrap_or_default())?;
    if !text.starts_with("HTTP/1.1 200 ") {
        return Err(format!(
            "a request was answered with {}",
            text.lines().next().unwrap_or_default()
        )
        .into());
    }
    let length = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.ok_or("an answer has no Content-Length")?.1.trim().parse()?;
    while buffer.len() < head + length {
        if stream.read_buf(buffer).await? == 0 {
            return Err("the server closed the connection in the middle of an answer".into());
        }
    }
    Ok(length)
}
