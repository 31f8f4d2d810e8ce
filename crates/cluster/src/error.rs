//! The errors of calls to a cluster.

mod failure;

pub use self::failure::{Failure, StaleReason};
use crate::{
    text::{Message, excerpt},
    wire::status::Status,
};

/// A failed call to a cluster.
///
/// The text of each variant is a whole sentence for the caller: what failed, on which object, and
/// what to do. Its length is bounded, whatever the cluster wrote: see [`Message`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The pod does not exist.
    #[error("{0}")]
    PodNotFound(Message),
    /// The pod has no such container; the text lists its containers.
    #[error("{0}")]
    ContainerNotFound(Message),
    /// Another resource does not exist.
    #[error("{0}")]
    NotFound(Message),
    /// The cluster forbids the call. The text has the cluster's own words, with verb, resource and
    /// namespace.
    #[error("{0}")]
    Forbidden(Message),
    /// The cluster or Podgate refuses a parameter, such as a missing container name.
    #[error("{0}")]
    Invalid(Message),
    /// A precondition failed, or the container has not started or has no previous run.
    #[error("{0}")]
    Conflict(Message),
    /// The container does not have the executable.
    #[error("{0}")]
    NoExecutable(Message),
    /// Other calls hold the memory that this one needs. Trying again in a moment may succeed.
    #[error("{0}")]
    Busy(Message),
    /// The cluster does not accept the call as Podgate, or a proxy in between, sent it (400 or
    /// 422). The same call would fail again.
    #[error("{0}")]
    Rejected(Message),
    /// The cluster, or the way to it, failed.
    #[error("{}", Message::from(format!("{what} {failure}")))]
    Upstream {
        /// The call or the task, such as "GET /api/v1/pods on cluster `prod`".
        what: Message,
        /// How it failed.
        failure: Failure,
    },
    /// The cluster did not answer in time.
    #[error("{0}")]
    Timeout(Message),
}

/// The result of a call to a cluster.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// The parameters of a call that its caller chose, as names and values.
pub(crate) type CallerParameters<'a> = [(&'a str, &'a str)];

impl Error {
    /// Makes an [`Error::PodNotFound`].
    pub fn pod_not_found(text: impl Into<Message>) -> Self {
        Self::PodNotFound(text.into())
    }

    /// Makes an [`Error::ContainerNotFound`].
    pub fn container_not_found(text: impl Into<Message>) -> Self {
        Self::ContainerNotFound(text.into())
    }

    /// Makes an [`Error::NotFound`].
    pub fn not_found(text: impl Into<Message>) -> Self {
        Self::NotFound(text.into())
    }

    /// Makes an [`Error::Forbidden`].
    pub fn forbidden(text: impl Into<Message>) -> Self {
        Self::Forbidden(text.into())
    }

    /// Makes an [`Error::Invalid`].
    pub fn invalid(text: impl Into<Message>) -> Self {
        Self::Invalid(text.into())
    }

    /// Makes an [`Error::Conflict`].
    pub fn conflict(text: impl Into<Message>) -> Self {
        Self::Conflict(text.into())
    }

    /// Makes an [`Error::NoExecutable`].
    pub fn no_executable(text: impl Into<Message>) -> Self {
        Self::NoExecutable(text.into())
    }

    /// Makes an [`Error::Busy`].
    pub fn busy(text: impl Into<Message>) -> Self {
        Self::Busy(text.into())
    }

    /// Makes an [`Error::Rejected`].
    pub fn rejected(text: impl Into<Message>) -> Self {
        Self::Rejected(text.into())
    }

    /// Makes an [`Error::Upstream`].
    pub fn upstream(what: impl Into<Message>, failure: Failure) -> Self {
        Self::Upstream {
            what: what.into(),
            failure,
        }
    }

    /// Makes an [`Error::Timeout`].
    pub fn timeout(text: impl Into<Message>) -> Self {
        Self::Timeout(text.into())
    }

    /// Returns the error for a response other than success. `what` names the call and the cluster,
    /// such as "GET /api/v1/pods on cluster `prod`".
    pub(crate) fn from_status(status: u16, body: &[u8], what: &str, given: &CallerParameters<'_>) -> Self {
        match Status::parse(body) {
            Some(parsed) => Self::from_parsed_status(status, &parsed, what, given),
            None => Self::without_status(status, what),
        }
    }

    /// Returns the error for a `Status` that came with, or as, a response.
    ///
    /// A call that the cluster calls invalid is the caller's fault only if the cluster blames one
    /// of the parameters `given`. Otherwise the fault is Podgate's or a proxy's.
    pub(crate) fn from_parsed_status(status: u16, parsed: &Status, what: &str, given: &CallerParameters<'_>) -> Self {
        let said = if parsed.message.is_empty() {
            format!("status {status}, {}", excerpt(&parsed.reason))
        } else {
            excerpt(&parsed.message)
        };
        let text = format!("{what} was refused by the cluster: {said}");
        match status {
            404 if parsed.details.as_ref().is_some_and(|details| details.kind == "pods") => Self::pod_not_found(text),
            401 => Self::upstream(what, Failure::Unauthorized),
            403 => Self::forbidden(text),
            404 => Self::not_found(text),
            409 => Self::conflict(text),
            400 if lacks_run(&parsed.message) => Self::conflict(text),
            400 | 422 if blames(parsed, given) => Self::invalid(text),
            400 | 422 => Self::rejected(text),
            408 | 504 => Self::timeout(format!("{what} was not answered in time: {said}")),
            _ => Self::upstream(
                what,
                Failure::Status {
                    status,
                    said: Some(said.into()),
                },
            ),
        }
    }

    /// Returns the error for a response whose body is not a `Status`, such as a proxy's page. The
    /// error repeats nothing of the body.
    fn without_status(status: u16, what: &str) -> Self {
        match status {
            401 => Self::upstream(what, Failure::Unauthorized),
            403 => Self::forbidden(format!("{what} was refused with status 403, without a reason")),
            408 | 504 => Self::timeout(format!("{what} was not answered in time (status {status})")),
            _ => Self::upstream(what, Failure::Status { status, said: None }),
        }
    }
}

/// Returns whether a refusal is about one of the parameters `given`.
///
/// If the refusal names fields in its causes, one of them must be a parameter. Otherwise its
/// message must contain a parameter's name, or its value in quotation marks.
fn blames(status: &Status, given: &CallerParameters<'_>) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let mut fields = causes
        .map(|cause| cause.field.as_str())
        .filter(|field| !field.is_empty())
        .peekable();
    if fields.peek().is_some() {
        let mut parts = fields.flat_map(|field| field.split(['.', '[']));
        return parts.any(|part| given.iter().any(|(name, _)| *name == part));
    }
    let named = |name: &str| {
        let mut words = status.message.split(|c: char| !c.is_alphanumeric());
        words.any(|word| word.eq_ignore_ascii_case(name))
    };
    let quoted = |value: &str| !value.is_empty() && status.message.contains(&format!("\"{value}\""));
    given.iter().any(|(name, value)| named(name) || quoted(value))
}

/// Returns whether a kubelet's message says that the container has no run whose log could be sent
/// (`validateContainerLogStatus`). Their status alone does not distinguish these refusals from
/// others.
fn lacks_run(message: &str) -> bool {
    [
        "is waiting to start",
        "previous terminated container",
        "is terminated",
        "is not available",
    ]
    .iter()
    .any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const WHAT: &str = "GET /api/v1/pods on cluster `prod`";

    fn status(code: u16, reason: &str, kind: &str) -> Vec<u8> {
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
            "message": "the cluster's words", "details": {"kind": kind, "name": "x"}})
        .to_string()
        .into_bytes()
    }

    #[test]
    fn each_status_means_its_error() {
        let is = |code, kind: &str, check: fn(&Error) -> bool| {
            let error = Error::from_status(code, &status(code, "Reason", kind), WHAT, &[]);
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
        is(401, "", |error| {
            matches!(
                error,
                Error::Upstream {
                    failure: Failure::Unauthorized,
                    ..
                }
            )
        });
        is(409, "pods", |error| matches!(error, Error::Conflict(_)));
        is(400, "pods", |error| matches!(error, Error::Rejected(_)));
        is(422, "pods", |error| matches!(error, Error::Rejected(_)));
        for status in [410, 429, 500] {
            let error = Error::from_status(status, &self::status(status, "Reason", "pods"), WHAT, &[]);
            let said = Some("the cluster's words".into());
            assert_eq!(error, Error::upstream(WHAT, Failure::Status { status, said }));
        }
        is(504, "pods", |error| matches!(error, Error::Timeout(_)));
    }

    #[test]
    fn a_body_that_is_not_a_status_is_not_quoted() {
        for code in [200, 302, 400, 401, 403, 404, 500, 504] {
            let error = Error::from_status(code, b"<html>secret page</html>", WHAT, &[]);
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let error = Error::from_status(302, b"", WHAT, &[]);
        let nothing = Failure::Status {
            status: 302,
            said: None,
        };
        assert_eq!(error, Error::upstream(WHAT, nothing));
    }

    #[test]
    fn long_words_are_cut_at_a_character() {
        let body = json!({"kind": "Status", "message": "é".repeat(5000)}).to_string();
        let error = Error::from_status(500, body.as_bytes(), WHAT, &[]);
        assert!(error.to_string().len() < 1300);
        let body = json!({"kind": "Status", "reason": "x".repeat(5000)}).to_string();
        let error = Error::from_status(500, body.as_bytes(), WHAT, &[]);
        assert!(error.to_string().len() < 1300);
    }

    #[test]
    fn words_stay_on_their_line() {
        let message = "no\n2026-01-01T00:00:00Z ERROR forged\u{1b}[2J\r\u{85}";
        let body = json!({"kind": "Status", "message": message}).to_string();
        let text = Error::from_status(500, body.as_bytes(), WHAT, &[]).to_string();
        assert!(
            text.ends_with("no 2026-01-01T00:00:00Z ERROR forged [2J  ") && !text.contains(char::is_control),
            "{text:?}"
        );
    }

    #[test]
    fn only_a_parameter_that_is_blamed_makes_it_the_callers_fault() {
        let given = [("sinceTime", "2026-13-01T00:00:00Z"), ("tailLines", "5")];
        let refused = |code: u16, message: &str, field: &str| {
            let causes = json!([{"reason": "FieldValueInvalid", "message": "no", "field": field}]);
            let causes = if field.is_empty() { json!(null) } else { causes };
            let body = json!({"kind": "Status", "message": message, "details": {"kind": "pods", "causes": causes}});
            Error::from_status(code, body.to_string().as_bytes(), WHAT, &given)
        };
        let callers = |error: Error| matches!(error, Error::Invalid(_));
        assert!(callers(refused(422, "PodLogOptions is invalid", "tailLines")));
        assert!(callers(refused(422, "it is invalid", "spec.tailLines[0]")));
        assert!(callers(refused(400, "unable to decode sinceTime", "")));
        assert!(callers(refused(
            400,
            "parsing time \"2026-13-01T00:00:00Z\": month out of range",
            ""
        )));
        assert!(!callers(refused(422, "tailLines is invalid", "limit")));
        assert!(!callers(refused(400, "5 is not what sinceTimes are", "")));
        assert!(!callers(refused(400, "the server rejected our request", "")));
        assert!(!callers(refused(500, "tailLines", "tailLines")));
    }

    #[test]
    fn a_kubelets_words_for_a_missing_run_are_a_conflict() {
        let message = "container \"web\" in pod \"web-1\" is waiting to start: ContainerCreating";
        let body = json!({"kind": "Status", "message": message, "reason": "BadRequest"}).to_string();
        let error = |status| Error::from_status(status, body.as_bytes(), WHAT, &[]);
        assert!(matches!(error(400), Error::Conflict(_)));
        assert!(matches!(error(503), Error::Upstream { .. }));
    }

    #[test]
    fn a_status_of_many_causes_is_not_read() {
        let body = json!({"kind": "Status", "message": "secret", "details": {"causes": vec![json!({}); 64 << 10]}});
        let error = Error::from_status(500, body.to_string().as_bytes(), WHAT, &[]);
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
