//! `GET …/pods/{name}/logs`: a container's log as the cluster holds it.

use axum::{
    body::{Body, Bytes},
    extract::State as Extract,
    http::{
        HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use podgate_access::action::ReadLogs;
use podgate_cluster::{
    MemoryBudget,
    budget::{Reservation, Spent},
    log,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::tail::Tail;
use crate::{
    ApiError, FromParameters, Kind, Opened, Parameter, Parameters, Params, State,
    accept::{Accepted, JSON, Types},
    answer,
};

const PLAIN: &str = "text/plain";

/// The end of the log in an envelope, or all of it as it is.
#[derive(Debug)]
pub(crate) struct Forms;

impl Types for Forms {
    const TYPES: &'static [&'static str] = &[JSON, PLAIN];
}

/// What the parameters ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    query: log::Query,
    download: bool,
}

impl FromParameters for Asked {
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::one(
            "container",
            Kind::Text,
            "The container; default the `kubectl.kubernetes.io/default-container` annotation, else the only one.",
        ),
        Parameter::one("previous", Kind::Bool, "The previous run's log; default false."),
        Parameter::one(
            "sinceSeconds",
            Kind::Int {
                min: 1,
                max: u32::MAX as u64,
            },
            "Only what was written within the last N seconds.",
        ),
        Parameter::one(
            "sinceTime",
            Kind::Time,
            "Only what was written since; not together with `sinceSeconds`.",
        ),
        Parameter::one(
            "tailLines",
            Kind::Int {
                min: 0,
                max: i64::MAX as u64,
            },
            "Only the last N lines; default all.",
        ),
        Parameter::one(
            "limitBytes",
            Kind::Int {
                min: 1,
                max: i64::MAX as u64,
            },
            "Stop after N bytes.",
        ),
        Parameter::one(
            "timestamps",
            Kind::Bool,
            "Each line starts with its time; default false.",
        ),
        Parameter::one(
            "download",
            Kind::Bool,
            "Answer `text/plain` as a file with a name; default false.",
        ),
    ];

    fn read(parameters: &Parameters) -> Result<Self, ApiError> {
        let query = log::Query {
            container: parameters.one("container"),
            previous: parameters.bool("previous").unwrap_or(false),
            since_seconds: parameters.int32("sinceSeconds"),
            since_time: parameters.one("sinceTime").map(utc),
            tail_lines: parameters.int("tailLines"),
            limit_bytes: parameters.int("limitBytes"),
            timestamps: parameters.bool("timestamps").unwrap_or(false),
        };
        if query.since_seconds.is_some() && query.since_time.is_some() {
            return Err(ApiError::Parameter(
                "`sinceTime` and `sinceSeconds` contradict each other: give only one of them".to_owned(),
            ));
        }
        let download = parameters.bool("download").unwrap_or(false);
        Ok(Self { query, download })
    }
}

/// A time as Kubernetes reads it; what is accepted here is a little wider.
fn utc(time: String) -> String {
    time.parse::<jiff::Timestamp>().map_or(time, |time| time.to_string())
}

/// A log, or the end of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Logs)]
pub(crate) struct LogView {
    /// The text; bytes that are not UTF-8 as U+FFFD. At most 10 MiB: of a longer log the last whole lines that fit.
    logs: String,
    /// Present, and true, when the log is longer than `logs`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

/// The handler.
pub(crate) async fn read(
    Opened(scoped): Opened<ReadLogs>,
    Extract(state): Extract<State>,
    Params(asked): Params<Asked>,
    accepted: Accepted<Forms>,
) -> Result<Response, ApiError> {
    let body = scoped.log(&asked.query).await?;
    if asked.download || accepted.media == PLAIN {
        return Ok(plain(scoped.name(), body, &asked));
    }
    whole(body, state.json_logs()).await
}

/// The envelope. What it takes of the budget comes back when it is sent, or not wanted any more.
async fn whole(mut body: log::Body, budget: &MemoryBudget) -> Result<Response, ApiError> {
    let mut held = budget.empty();
    let mut tail = Tail::default();
    while let Some(piece) = body.stream.next().await {
        tail.push(&piece?);
        held.resize(tail.len()).map_err(full)?;
    }
    let (logs, truncated) = tail.finish();
    let bytes = answer::json(&LogView { logs, truncated })?;
    held.resize(bytes.len()).map_err(full)?;
    let whole = Bytes::from_owner(Whole { bytes, _held: held });
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(JSON))], whole).into_response())
}

fn full(_: Spent) -> ApiError {
    ApiError::TooMany {
        message: "too many large logs are being answered as JSON at once: try again, ask for fewer lines (`tailLines`), or ask for \
                  `text/plain`, which streams"
            .into(),
        retry_after: 2,
    }
}

/// An answer with the memory it takes.
struct Whole {
    bytes: Vec<u8>,
    _held: Reservation,
}

impl AsRef<[u8]> for Whole {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// The raw bytes, as they come. A log that breaks off breaks the answer off, so that nobody takes it for whole.
fn plain(pod: &str, body: log::Body, asked: &Asked) -> Response {
    let name = file_name(pod, &body.container, asked.query.previous);
    let stream = body.stream.inspect(|item| {
        if let Err(error) = item {
            tracing::warn!(%error, "a log broke off");
        }
    });
    let mut response = Body::from_stream(stream).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    if let (true, Ok(disposition)) = (asked.download, disposition) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    response
}

/// A name for the file: of ASCII letters, digits, dots, hyphens and underscores only.
fn file_name(pod: &str, container: &str, previous: bool) -> String {
    let run = if previous { "-previous" } else { "" };
    let name = format!("{pod}-{container}{run}.log");
    let safe = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') {
            c
        } else {
            '_'
        }
    };
    name.chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn asked(query: &str) -> Result<Asked, ApiError> {
        Asked::read(&Parameters::parse(query, Asked::PARAMETERS)?)
    }

    #[test]
    fn every_parameter_is_read() {
        assert_eq!(
            asked("").unwrap(),
            Asked {
                query: log::Query::default(),
                download: false
            }
        );
        let query = "container=web&previous=true&sinceSeconds=9&tailLines=0&limitBytes=1&timestamps=true&download=true";
        let want = log::Query {
            container: Some("web".to_owned()),
            previous: true,
            since_seconds: Some(9),
            since_time: None,
            tail_lines: Some(0),
            limit_bytes: Some(1),
            timestamps: true,
        };
        assert_eq!(
            asked(query).unwrap(),
            Asked {
                query: want,
                download: true
            }
        );
        let time = asked("sinceTime=2026-01-01T00:00:00%2B01:00").unwrap().query.since_time;
        assert_eq!(time.as_deref(), Some("2025-12-31T23:00:00Z"));
    }

    #[test]
    fn what_contradicts_or_is_out_of_range_is_named() {
        for (query, part) in [
            (
                "sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z",
                "`sinceTime` and `sinceSeconds`",
            ),
            ("sinceSeconds=0", "`sinceSeconds`"),
            ("tailLines=-1", "`tailLines`"),
            ("tailLines=9223372036854775808", "`tailLines`"),
            ("limitBytes=0", "`limitBytes`"),
            ("follow=true", "`follow`"),
        ] {
            match asked(query) {
                Err(ApiError::Parameter(message)) => assert!(message.contains(part), "{query}: {message}"),
                other => panic!("{query}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_file_name_is_safe_whatever_the_names_are() {
        assert_eq!(file_name("web-1", "app", false), "web-1-app.log");
        assert_eq!(file_name("a.b", "c", true), "a.b-c-previous.log");
        assert_eq!(file_name("a\"b/..\r\n", "é", false), "a_b_..__-_.log");
    }
}
