//! What can go wrong between Podgate and a cluster.

use serde::Deserialize;

use crate::protobuf;

/// A failed call to a cluster. Each variant's text is a whole sentence for the caller: what failed, on which object, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such pod.
    #[error("{0}")]
    PodNotFound(String),
    /// No such container in the pod; the text lists those there are.
    #[error("{0}")]
    ContainerNotFound(String),
    /// Another resource is not there.
    #[error("{0}")]
    NotFound(String),
    /// The cluster refuses: its own words, with verb, resource and namespace.
    #[error("{0}")]
    Forbidden(String),
    /// A parameter that the cluster or we refuse (several containers and none named, say).
    #[error("{0}")]
    Invalid(String),
    /// A precondition failed, the container has not started, or it has no previous run.
    #[error("{0}")]
    Conflict(String),
    /// The container has no such executable.
    #[error("{0}")]
    NoExecutable(String),
    /// The cluster refused us (401 included), broke off, or answered what is not Kubernetes.
    #[error("{0}")]
    Upstream(String),
    /// The cluster did not answer in time.
    #[error("{0}")]
    Timeout(String),
}

/// Shorthand.
pub type Result<T> = std::result::Result<T, Error>;

/// The parts of a `metav1.Status` that decide what a failure means.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) reason: String,
    pub(crate) code: u16,
    pub(crate) details: Option<Details>,
}

/// `metav1.StatusDetails`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Details {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) causes: Option<Vec<Cause>>,
}

/// `metav1.StatusCause`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Cause {
    pub(crate) reason: String,
    pub(crate) message: String,
}

impl Status {
    /// Reads a body in JSON or protobuf as a `Status`; none when it is something else.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        if body.starts_with(&protobuf::MAGIC) {
            return protobuf::status(body);
        }
        serde_json::from_slice::<Self>(body)
            .ok()
            .filter(|status| status.kind == "Status")
    }

    /// Whether a cause has this reason, such as `ResourceVersionTooLarge`.
    pub(crate) fn has_cause(&self, reason: &str) -> bool {
        let causes = self.details.as_ref().and_then(|details| details.causes.as_ref());
        causes.is_some_and(|causes| causes.iter().any(|cause| cause.reason == reason))
    }
}

impl Error {
    /// What an answer other than success means. `what` names the call and the cluster, such as "GET /api/v1/pods on cluster `prod`".
    pub(crate) fn from_status(status: u16, body: &[u8], what: &str) -> Self {
        match Status::parse(body) {
            Some(parsed) => Self::of(status, &parsed, what),
            None => Self::without_status(status, what),
        }
    }

    /// What a `Status` means that came with, or as, an answer.
    pub(crate) fn of(status: u16, parsed: &Status, what: &str) -> Self {
        let said = if parsed.message.is_empty() {
            format!("status {status}, {}", shorten(&parsed.reason))
        } else {
            shorten(&parsed.message)
        };
        let text = format!("{what} was refused by the cluster: {said}");
        match status {
            404 if parsed.details.as_ref().is_some_and(|details| details.kind == "pods") => Self::PodNotFound(text),
            401 => Self::unauthorized(what),
            403 => Self::Forbidden(text),
            404 => Self::NotFound(text),
            409 => Self::Conflict(text),
            400 | 422 => Self::Invalid(text),
            408 | 504 => Self::Timeout(format!("{what} was not answered in time: {said}")),
            429 => Self::Upstream(format!(
                "{what} was refused because the API server is overloaded; try again in a moment: {said}"
            )),
            _ => Self::Upstream(format!("{what} failed with status {status}: {said}")),
        }
    }

    /// An answer whose body is not a `Status`: a proxy's page, say. Nothing of it is repeated.
    fn without_status(status: u16, what: &str) -> Self {
        match status {
            401 => Self::unauthorized(what),
            403 => Self::Forbidden(format!("{what} was refused with status 403, without a reason")),
            408 | 504 => Self::Timeout(format!("{what} was not answered in time (status {status})")),
            429 | 500..=599 => Self::Upstream(format!("{what} failed with status {status}: try again in a moment")),
            _ => Self::Upstream(format!(
                "{what} was answered with status {status}, and not as Kubernetes answers: check that the address is that of an API server"
            )),
        }
    }

    fn unauthorized(what: &str) -> Self {
        Self::Upstream(format!(
            "{what} was refused because the cluster does not accept Podgate's credential (any more): renew the cluster's credential"
        ))
    }
}

/// Cuts what a cluster says to a length that fits a message, on one line: what it says may get into the log, where a line feed or an escape sequence
/// would pass for another entry.
pub(crate) fn shorten(text: &str) -> String {
    const MAX: usize = 1024;
    let cut = &text[..text.floor_char_boundary(MAX)];
    let line = cut.chars().map(|c| if c.is_control() { ' ' } else { c });
    let more = (cut.len() < text.len()).then_some('…');
    line.chain(more).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHAT: &str = "GET /api/v1/pods on cluster `prod`";

    fn status(code: u16, reason: &str, kind: &str) -> Vec<u8> {
        serde_json::json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
            "message": "the cluster's words", "details": {"kind": kind, "name": "x"}})
        .to_string()
        .into_bytes()
    }

    #[test]
    fn each_status_means_its_error() {
        let is = |code, kind: &str, check: fn(&Error) -> bool| {
            let error = Error::from_status(code, &status(code, "Reason", kind), WHAT);
            assert!(check(&error), "{code}: {error:?}");
            assert!(error.to_string().contains("cluster `prod`"), "{error}");
        };
        is(404, "pods", |error| matches!(error, Error::PodNotFound(_)));
        is(404, "nodes", |error| matches!(error, Error::NotFound(_)));
        is(
            403,
            "pods",
            |error| matches!(error, Error::Forbidden(text) if text.contains("the cluster's words")),
        );
        is(
            401,
            "",
            |error| matches!(error, Error::Upstream(text) if text.contains("credential")),
        );
        is(409, "pods", |error| matches!(error, Error::Conflict(_)));
        is(400, "pods", |error| matches!(error, Error::Invalid(_)));
        is(422, "pods", |error| matches!(error, Error::Invalid(_)));
        is(410, "pods", |error| matches!(error, Error::Upstream(_)));
        is(429, "pods", |error| matches!(error, Error::Upstream(_)));
        is(500, "pods", |error| matches!(error, Error::Upstream(_)));
        is(504, "pods", |error| matches!(error, Error::Timeout(_)));
    }

    #[test]
    fn a_body_that_is_no_status_is_not_repeated() {
        for code in [200, 302, 400, 401, 403, 404, 500, 504] {
            let error = Error::from_status(code, b"<html>secret page</html>", WHAT);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let error = Error::from_status(302, b"", WHAT);
        assert!(
            matches!(&error, Error::Upstream(text) if text.contains("not as Kubernetes")),
            "{error}"
        );
    }

    #[test]
    fn long_words_are_cut_at_a_character() {
        let body = serde_json::json!({"kind": "Status", "message": "é".repeat(5000)}).to_string();
        let error = Error::from_status(500, body.as_bytes(), WHAT);
        assert!(error.to_string().len() < 1300);
        let body = serde_json::json!({"kind": "Status", "reason": "x".repeat(5000)}).to_string();
        let error = Error::from_status(500, body.as_bytes(), WHAT);
        assert!(error.to_string().len() < 1300);
    }

    #[test]
    fn words_stay_on_their_line() {
        let message = "no\n2026-01-01T00:00:00Z ERROR forged\u{1b}[2J\r\u{85}";
        let body = serde_json::json!({"kind": "Status", "message": message}).to_string();
        let text = Error::from_status(500, body.as_bytes(), WHAT).to_string();
        assert!(
            text.ends_with("no 2026-01-01T00:00:00Z ERROR forged [2J  ") && !text.contains(char::is_control),
            "{text:?}"
        );
    }
}
