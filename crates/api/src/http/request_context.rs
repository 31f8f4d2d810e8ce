//! The context of a request: its id, its caller, and whether it ends with the caller's session.

use std::sync::{
    Arc, LazyLock, OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use podgate_access::Caller;
use tokio_util::sync::CancellationToken;

/// The header that carries a request's id.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The most characters of a caller's request id that Podgate accepts.
const MAX_REQUEST_ID: usize = 64;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// A request's id and caller. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    id: HeaderValue,
    caller: OnceLock<Caller>,
    /// Whether the connection ends with the caller's session while this request is under way.
    bound: AtomicBool,
}

impl RequestContext {
    pub(super) fn new(headers: &HeaderMap) -> Self {
        let inner = Inner {
            id: request_id(headers),
            caller: OnceLock::new(),
            bound: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Returns the request's id as its header's value.
    pub(super) fn header(&self) -> &HeaderValue {
        &self.inner.id
    }

    /// Returns the request's id.
    pub(crate) fn id(&self) -> &str {
        self.inner.id.to_str().unwrap_or_default()
    }

    /// Records the caller once it is authenticated.
    pub(crate) fn set_caller(&self, caller: &Caller) {
        self.inner.caller.get_or_init(|| caller.clone());
    }

    /// Binds the request to its caller's session: the connection ends when the session is revoked.
    pub(crate) fn bind(&self) {
        self.inner.bound.store(true, Ordering::Relaxed);
    }

    /// Returns the token that ends the request; `None` while the request is not bound.
    pub(crate) fn ends_with(&self) -> Option<CancellationToken> {
        let bound = self.inner.bound.load(Ordering::Relaxed);
        bound.then(|| self.revoked()).flatten()
    }

    pub(super) fn user(&self) -> &str {
        let caller = self.inner.caller.get();
        caller.map_or("-", |caller| caller.user.username.as_str())
    }

    pub(super) fn revoked(&self) -> Option<CancellationToken> {
        self.inner.caller.get().map(|caller| caller.revoked.clone())
    }
}

/// Returns the caller's request id if it is acceptable, otherwise a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let sane = |id: &&HeaderValue| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id
                .as_bytes()
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    let given = headers.get(REQUEST_ID).filter(sane);
    given.map_or_else(new_id, Clone::clone)
}

/// Makes a request id of 16 hexadecimal digits that is unique within this process.
///
/// It is a counter with a random start, mixed by SplitMix64's finaliser (a bijection). Reading the
/// system's random numbers for each request would cost more than the rest of this module.
fn new_id() -> HeaderValue {
    static NEXT: LazyLock<AtomicU64> = LazyLock::new(|| {
        let random = getrandom::u64();
        AtomicU64::new(random.unwrap_or_else(|_| jiff::Timestamp::now().as_microsecond().unsigned_abs()))
    });
    let mut number = NEXT.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^= number >> 31;
    let digits: [u8; 16] = std::array::from_fn(|at| HEX[(number >> (60 - 4 * at)) as usize & 15]);
    HeaderValue::from_bytes(&digits).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_sane_request_id_is_kept_and_another_replaced() {
        let id = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(value).unwrap());
            request_id(&headers).to_str().unwrap().to_owned()
        };
        assert_eq!(id("Abc-1.2_3"), "Abc-1.2_3");
        assert_eq!(id(&"x".repeat(64)), "x".repeat(64));
        for bad in ["", "a b", "a\"b", "<script>", &"x".repeat(65)] {
            assert_eq!(id(bad).len(), 16, "{bad}");
        }
        assert_ne!(id(""), id(""));
    }
}
