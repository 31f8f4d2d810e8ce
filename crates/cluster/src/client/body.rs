//! Bodies of responses in memory. Each is bounded in bytes and in JSON values, and
//! [`super::Policy::bodies`] bounds all of them together.
//!
//! Small bodies are not counted: a `Status` (64 KiB), and the one pod that each list and watch of
//! the index holds at a time.

use std::time::Duration;

use http::{Response, header::CONTENT_LENGTH};
use http_body_util::BodyExt;
use kube::client::Body;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout};

use super::{Policy, explain};
use crate::{
    Error,
    budget::{MemoryBudget, Reservation},
    error::{Failure, Result},
};

/// The most JSON values of a body that is parsed as a whole. The largest pod that etcd accepts has
/// a tenth of this number.
const MAX_VALUES: usize = 200_000;
/// The memory in bytes that a parsed value is assumed to take in addition to its text.
const VALUE: usize = 64;
/// The smallest buffer of a body in bytes.
const BUFFER: usize = 16 << 10;

/// A value made from a body, with its memory reservation. Dropping it returns the memory.
#[derive(Debug)]
pub(crate) struct Reserved<T> {
    pub(crate) value: T,
    pub(crate) reservation: BodyReservation,
}

/// The memory that one call has reserved for bodies.
#[derive(Debug)]
pub(crate) struct BodyReservation {
    budget: MemoryBudget,
    reservation: Reservation,
    /// How long the call may still wait for more memory.
    wait_left: Duration,
}

impl BodyReservation {
    /// Makes a reservation of zero bytes.
    pub(crate) fn new(policy: &Policy) -> Self {
        Self {
            budget: policy.bodies.clone(),
            reservation: policy.bodies.empty(),
            wait_left: policy.body_wait,
        }
    }

    /// Grows the reservation to at least `bytes`.
    ///
    /// It keeps its memory while it waits. If two calls wait for each other's memory, the total
    /// wait of a call ([`Policy::body_wait`]) ends this.
    ///
    /// # Errors
    /// [`Error::Busy`] if the memory did not become free in time.
    pub(crate) async fn reserve(&mut self, bytes: usize, what: &str) -> Result<()> {
        if self.reservation.bytes() >= bytes || self.reservation.resize(bytes).is_ok() {
            return Ok(());
        }
        let begin = Instant::now();
        let grown = match bytes > self.budget.total() {
            true => false,
            false => timeout(self.wait_left, self.reservation.grow(bytes)).await.is_ok(),
        };
        self.wait_left = self.wait_left.saturating_sub(begin.elapsed());
        if grown {
            return Ok(());
        }
        Err(Error::busy(format!(
            "{what} was given up because other responses of clusters use up the memory for them ({} MiB, see --body-memory): \
             try again in a moment",
            self.budget.total() >> 20
        )))
    }

    /// Shrinks the reservation to at most `bytes`.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        if self.reservation.bytes() > bytes {
            // Shrinking never fails.
            let _ = self.reservation.resize(bytes);
        }
    }
}

/// Reads a body of at most `max` bytes. The caller must limit the time.
///
/// # Errors
/// [`Error::Upstream`] for a longer body, [`Error::Busy`], and the failures of a broken connection.
pub(super) async fn read(
    response: Response<Body>,
    max: usize,
    what: &str,
    mut reservation: BodyReservation,
) -> Result<Reserved<Vec<u8>>> {
    let too_long = || {
        Error::upstream(
            what,
            Failure::TooLong {
                most: format!("{max} bytes").into(),
            },
        )
    };
    if length(&response).is_some_and(|length| length > max) {
        return Err(too_long());
    }
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| explain::failure(&error, what))?;
        let Ok(data) = frame.into_data() else { continue };
        let needed = bytes.len() + data.len();
        if needed > max {
            return Err(too_long());
        }
        if needed > bytes.capacity() {
            let capacity = needed.next_power_of_two().clamp(BUFFER.min(max), max);
            reservation.reserve(capacity, what).await?;
            bytes.reserve_exact(capacity - bytes.len());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Reserved {
        value: bytes,
        reservation,
    })
}

/// Reads a body of at most `max` bytes without counting its memory. If the body is longer, returns
/// no bytes.
pub(super) async fn beginning(response: Response<Body>, max: usize) -> Vec<u8> {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        if bytes.len() + data.len() > max {
            return Vec::new();
        }
        bytes.extend_from_slice(&data);
    }
    bytes
}

fn length(response: &Response<Body>) -> Option<usize> {
    response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl Reserved<Vec<u8>> {
    /// Parses the body as JSON of at most 200,000 values. The memory of the values is counted while
    /// they are parsed.
    ///
    /// # Errors
    /// [`Error::Upstream`] for a body that is not the JSON of a `T`, and [`Error::Busy`].
    pub(crate) async fn parse<T: DeserializeOwned>(&mut self, what: &str) -> Result<T> {
        let values = values(&self.value);
        if values > MAX_VALUES {
            let most = format!("{MAX_VALUES} JSON values, which no Kubernetes object exceeds");
            return Err(Error::upstream(what, Failure::TooLong { most: most.into() }));
        }
        self.reservation
            .reserve(self.value.capacity() + values * VALUE, what)
            .await?;
        let parsed = serde_json::from_slice(&self.value);
        self.reservation.shrink(self.value.capacity());
        parsed.map_err(|error| not_json(&error, what))
    }
}

/// Returns the error for a body that is not the expected JSON. It says where the body is wrong,
/// without a quotation.
pub(crate) fn not_json(error: &serde_json::Error, what: &str) -> Error {
    let why = format!("at line {}, column {}", error.line(), error.column()).into();
    Error::upstream(what, Failure::NotKubernetes { why })
}

/// Counts the values in a JSON text by its opening brackets and commas, one of which precedes each
/// item of a list or an object.
fn values(json: &[u8]) -> usize {
    let (mut values, mut rest) = (1, json);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'{' | b'[' | b',' => values += 1,
            b'"' => rest = after_string(rest),
            _ => {}
        }
    }
    values
}

/// Returns the rest of the text after a string whose opening quotation mark was read.
fn after_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        let escaped = rest.get(at) == Some(&b'\\');
        rest = rest.get(at + 1 + usize::from(escaped)..).unwrap_or_default();
        if !escaped {
            return rest;
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use serde_json::Value;

    use super::*;

    fn policy(bytes: usize, wait: Duration) -> Policy {
        Policy {
            bodies: MemoryBudget::new(bytes),
            body_wait: wait,
            ..Policy::default()
        }
    }

    fn held(policy: &Policy, json: &str) -> Reserved<Vec<u8>> {
        Reserved {
            value: json.as_bytes().to_vec(),
            reservation: BodyReservation::new(policy),
        }
    }

    #[test]
    fn values_are_counted_outside_of_text() {
        for (json, count) in [
            ("", 1),
            ("1", 1),
            ("{}", 2),
            (r#"{"a":1,"b":[2,3]}"#, 5),
            (r#"["a,{[","\",{","\\",","]"#, 5),
            (r#"["unfinished,,,"#, 2),
            (r#"["\"#, 2),
        ] {
            assert_eq!(values(json.as_bytes()), count, "{json}");
        }
    }

    #[tokio::test]
    async fn a_body_of_many_values_is_not_parsed() {
        let policy = policy(64 << 20, Duration::ZERO);
        let many = format!("[{}{{}}]", "{},".repeat(MAX_VALUES));
        let error = held(&policy, &many).parse::<Value>("GET /x").await.unwrap_err();
        assert!(
            matches!(&error, Error::Upstream { what, failure: Failure::TooLong { .. } } if **what == *"GET /x"),
            "{error}"
        );
        assert!(held(&policy, "[{},{}]").parse::<Value>("GET /x").await.is_ok());
        assert_eq!(policy.bodies.free(), policy.bodies.total(), "all of it comes back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_waits_for_memory_and_then_gives_up() {
        let policy = policy(1 << 20, Duration::from_secs(5));
        let (mut first, mut second) = (BodyReservation::new(&policy), BodyReservation::new(&policy));
        first.reserve(1 << 20, "the first").await.unwrap();
        let begin = Instant::now();
        let error = second.reserve(4096, "the second").await.unwrap_err();
        assert!(
            matches!(&error, Error::Busy(text) if text.contains("the second")),
            "{error}"
        );
        assert_eq!(begin.elapsed(), Duration::from_secs(5));
        assert!(
            second.reserve(4096, "the second").await.is_err(),
            "it has waited enough"
        );
        assert_eq!(begin.elapsed(), Duration::from_secs(5));
        let (held, ()) = tokio::join!(
            async { BodyReservation::new(&policy).reserve(4096, "the third").await },
            async {
                first.shrink(1 << 19);
            }
        );
        held.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn two_that_wait_for_each_other_do_not_wait_for_ever() {
        let policy = policy(1 << 20, Duration::from_secs(5));
        let half = async || {
            let mut reservation = BodyReservation::new(&policy);
            reservation.reserve(1 << 19, "a call").await.unwrap();
            tokio::task::yield_now().await;
            reservation.reserve((1 << 19) + 4096, "a call").await
        };
        let (first, second) = tokio::join!(half(), half());
        assert!(first.is_err() || second.is_err());
        assert_eq!(policy.bodies.free(), policy.bodies.total());
    }

    #[tokio::test]
    async fn more_than_the_whole_budget_is_refused_at_once() {
        let policy = policy(1 << 20, Duration::from_secs(3600));
        assert!(
            BodyReservation::new(&policy)
                .reserve((1 << 20) + 1, "a call")
                .await
                .is_err()
        );
    }
}
