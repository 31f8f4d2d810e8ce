//! The JSON form of a log, written while it is sent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use futures_util::stream;
use podgate_cluster::lossy::{Lossy, Run, write_json};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{shares::Share, tail::Tail};

/// The bytes of one chunk of the response.
pub(crate) const CHUNK: usize = 64 << 10;
/// The raw bytes that are written at once. As JSON they may take six times as many, which fit into
/// a chunk together with as much text.
const STEP: usize = 2 << 10;

/// A log that is being written. Its memory is returned as it is sent.
#[derive(Debug)]
struct Written {
    tail: Tail,
    share: Share,
    lossy: Lossy,
    truncated: bool,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Begin,
    Text,
    End,
}

/// A response that is being sent. When its session ends, it is dropped immediately, even if its
/// client does not read.
#[derive(Debug)]
struct Answer {
    // A std mutex, because it is held only while one chunk is written.
    written: Arc<Mutex<Option<Written>>>,
    /// Ends the task that waits for the end of the session.
    _done: DropGuard,
}

/// Returns the response with a log. It takes the memory of the log and of one chunk, whatever the
/// log's bytes are.
pub(crate) fn body(mut tail: Tail, share: Share, revoked: CancellationToken) -> Body {
    let truncated = tail.finish();
    let written = Arc::new(Mutex::new(Some(Written {
        tail,
        share,
        lossy: Lossy::default(),
        truncated,
        stage: Stage::Begin,
    })));
    let done = CancellationToken::new();
    let answer = Answer {
        written: written.clone(),
        _done: done.clone().drop_guard(),
    };
    // If the client does not read, nobody polls the body.
    tokio::spawn(async move {
        if done.run_until_cancelled(revoked.cancelled()).await.is_some() {
            lock(&written).take();
        }
    });
    Body::from_stream(stream::unfold(answer, |answer| async {
        let chunk = answer.chunk()?;
        Some((chunk, answer))
    }))
}

fn lock(written: &Mutex<Option<Written>>) -> MutexGuard<'_, Option<Written>> {
    written.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Answer {
    fn drop(&mut self) {
        // Dropped now, although the task may still hold a reference.
        lock(&self.written).take();
    }
}

impl Answer {
    fn chunk(&self) -> Option<Result<Bytes, std::io::Error>> {
        match lock(&self.written).as_mut() {
            Some(written) => written.chunk().map(Ok),
            None => Some(Err(std::io::Error::other("the session has ended"))),
        }
    }
}

impl Written {
    /// Writes the next chunk; `None` after the last one.
    fn chunk(&mut self) -> Option<Bytes> {
        if self.stage == Stage::End {
            return None;
        }
        let mut out = Vec::with_capacity(CHUNK.min(128 + 7 * self.tail.len()));
        if self.stage == Stage::Begin {
            out.extend_from_slice(br#"{"code":200,"data":{"logs":""#);
            self.stage = Stage::Text;
        }
        while out.len() + 7 * STEP <= CHUNK {
            let raw = self.tail.front(STEP);
            if raw.is_empty() {
                self.end(&mut out);
                break;
            }
            let taken = raw.len();
            self.lossy.push(raw, |run| write(&run, &mut out));
            self.tail.skip(taken);
        }
        // The share shrinks, which never fails.
        let _ = self.share.resize(self.tail.memory() + CHUNK);
        Some(out.into())
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.lossy.finish(|run| write(&run, out));
        out.push(b'"');
        if self.truncated {
            out.extend_from_slice(br#","truncated":true"#);
        }
        out.extend_from_slice(b"}}");
        self.stage = Stage::End;
    }
}

fn write(run: &Run<'_>, out: &mut Vec<u8>) {
    write_json(run.as_str(), out);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use axum::body::to_bytes;
    use futures_util::StreamExt;
    use serde_json::{Value, json};

    use super::*;
    use crate::pods::{
        shares::Shares,
        tail::{MAX, MEMORY},
    };

    /// Returns the body of a log, with a budget of its own.
    fn of(log: &[u8]) -> (Body, Shares, CancellationToken) {
        let shares = Shares::new(4 * MEMORY, MEMORY);
        let (mut tail, mut share) = (Tail::default(), shares.of(1));
        for piece in log.chunks(30_000) {
            tail.push(piece);
            share.resize(tail.memory() + CHUNK).unwrap();
        }
        let revoked = CancellationToken::new();
        (body(tail, share, revoked.clone()), shares, revoked)
    }

    #[tokio::test]
    async fn it_is_the_envelope_that_serde_would_write() {
        let awkward = b"a\"\\\x00\x1f\x7f\n\r\t\xff\xe2\x82 \xe2\x82\xac\xe2\x82".repeat(9000);
        for log in [b"".as_slice(), b"one\ntwo", &awkward] {
            let bytes = to_bytes(of(log).0, usize::MAX).await.unwrap();
            let want = json!({"code": 200, "data": {"logs": String::from_utf8_lossy(log)}});
            assert!(bytes == want.to_string().as_bytes());
        }
        let bytes = to_bytes(of(&b"0123456789abcde\n".repeat(MAX / 16 + 1)).0, usize::MAX)
            .await
            .unwrap();
        let answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(answer["data"]["truncated"], true);
        assert_eq!(answer["data"]["logs"].as_str().unwrap().len(), MAX);
    }

    #[tokio::test]
    async fn chunks_are_bounded_and_the_memory_comes_back_as_they_are_sent() {
        for byte in [0, b'x', 0xff, b'\n'] {
            let (body, shares, _revoked) = of(&vec![byte; MAX]);
            let mut chunks = body.into_data_stream();
            let mut before = 0;
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk.unwrap();
                assert!(chunk.len() <= CHUNK, "{} bytes", chunk.len());
                let free = shares.free();
                assert!(free >= before && 4 * MEMORY - free <= MEMORY);
                before = free;
            }
            drop(chunks);
            assert_eq!(shares.free(), 4 * MEMORY);
        }
    }

    #[tokio::test]
    async fn the_end_of_the_session_frees_what_nobody_reads() {
        let (body, shares, revoked) = of(&vec![b'x'; MAX]);
        let mut chunks = body.into_data_stream();
        chunks.next().await.unwrap().unwrap();
        revoked.cancel();
        while shares.free() < 4 * MEMORY {
            tokio::task::yield_now().await;
        }
        assert!(chunks.next().await.unwrap().is_err());
    }
}
