//! `metav1.Status`, which an API server sends in place of an object.

use std::borrow::Cow;

use prost::Message;
use serde::Deserialize;

use super::nullable;
use crate::protobuf::{MAGIC, Object};

/// The most bytes of a `Status`. A longer body is not read as one.
const MAX_STATUS: usize = 64 << 10;

/// The parts of a `metav1.Status` that determine the meaning of a failure.
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default)]
pub(crate) struct Status {
    /// `Success` or `Failure`.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "2")]
    pub(crate) status: String,
    /// The message, a sentence.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "3")]
    pub(crate) message: String,
    /// The reason in one word, such as `Expired`.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "4")]
    pub(crate) reason: String,
    #[prost(message, optional, tag = "5")]
    pub(crate) details: Option<Details>,
    #[serde(deserialize_with = "nullable")]
    #[prost(int32, tag = "6")]
    code: i32,
}

/// `metav1.StatusDetails`.
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default)]
pub(crate) struct Details {
    /// The plural name of the kind that the failure is about, such as `pods`.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "3")]
    pub(crate) kind: String,
    #[serde(deserialize_with = "nullable")]
    #[prost(message, repeated, tag = "4")]
    pub(crate) causes: Vec<Cause>,
}

/// `metav1.StatusCause`.
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(default)]
pub(crate) struct Cause {
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "1")]
    pub(crate) reason: String,
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    /// The path of the field that the cause is about, such as `gracePeriodSeconds`.
    #[serde(deserialize_with = "nullable")]
    #[prost(string, tag = "3")]
    pub(crate) field: String,
}

/// The kind of an object in JSON. In protobuf it is outside the message.
#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
}

impl Status {
    /// Reads a `Status` from a body in JSON or protobuf; `None` if the body is something else or
    /// longer than 64 KiB.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        if body.len() > MAX_STATUS {
            return None;
        }
        if body.starts_with(&MAGIC) {
            let object = Object::unwrap(body).filter(|object| object.kind == b"Status")?;
            return Self::decode(object.message).ok();
        }
        let Kind { kind } = serde_json::from_slice(body).ok()?;
        serde_json::from_slice(body).ok().filter(|_| kind == "Status")
    }

    /// Returns the HTTP status that it contains; 0 if there is none.
    pub(crate) fn code(&self) -> u16 {
        u16::try_from(self.code).unwrap_or_default()
    }

    /// Returns the first cause with this reason, such as `ResourceVersionTooLarge`.
    pub(crate) fn cause(&self, reason: &str) -> Option<&Cause> {
        let mut causes = self.details.iter().flat_map(|details| &details.causes);
        causes.find(|cause| cause.reason == reason)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_status_is_read_with_its_details() {
        let status = Status::parse(
            b"k8s\0\x0a\x0c\x0a\x02v1\x12\x06Status\x12\x3e\x0a\x00\x12\x07Failure\x1a\x07too old\x22\x07Expired\
              \x2a\x1c\x0a\x01n\x12\x00\x1a\x04pods\x22\x0d\x0a\x05Large\x12\x00\x1a\x02ab\x28\x00\x30\x9a\x03\x1a\x00\x22\x00",
        )
        .unwrap();
        assert_eq!(
            (status.code(), status.reason.as_str(), status.message.as_str()),
            (410, "Expired", "too old")
        );
        assert!(status.cause("Large").is_some());
        assert_eq!(status.details.unwrap().kind, "pods");
    }

    #[test]
    fn a_text_that_is_not_a_status_is_ignored() {
        for bytes in [
            &b""[..],
            b"k8s",
            b"k8s\0",
            b"{\"kind\":\"Pod\"}",
            b"k8s\0\x0a\x09\x0a\x02v1\x12\x03Pod",
            b"k8s\0\x0a\x0c\x0a\x02v1\x12\x06Status\x12\x02\x1a\x05",
        ] {
            assert!(Status::parse(bytes).is_none(), "{bytes:x?}");
        }
        assert_eq!(
            Status::parse(b"k8s\0\x0a\x0c\x0a\x02v1\x12\x06Status").unwrap().code(),
            0
        );
    }
}
