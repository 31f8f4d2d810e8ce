//! `GET …/pods/{name}/logs`: a container's log as the cluster holds it.

use axum::{
    body::Body,
    extract::State as Extract,
    http::{
        HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;
use podgate_access::{Caller, action::ReadLogs};
use podgate_cluster::log;
use utoipa::ToSchema;

use super::{
    memory,
    shares::{Refused, Share},
    tail::Tail,
    tail_json::{self, CHUNK},
};
use crate::{
    ApiError, Authorized, FromParameters, Kind, Operation, Parameter, Parameters, Params, Schemas, State, Success,
    extract::content_negotiation::{JSON, MediaTypes, Negotiated},
};

const PLAIN: &str = "text/plain";

/// The media types: the end of the log in JSON, or all of it as plain text.
#[derive(Debug)]
pub(crate) struct Forms;

impl MediaTypes for Forms {
    const TYPES: &'static [&'static str] = &[JSON, PLAIN];
}

/// The options that the parameters ask for.
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
            "The container; default: the one that the annotation `kubectl.kubernetes.io/default-container` names, else the only one.",
        ),
        Parameter::one(
            "previous",
            Kind::Bool,
            "Whether to read the previous run's log; default false.",
        ),
        Parameter::one(
            "sinceSeconds",
            Kind::Int {
                min: 1,
                max: u32::MAX as u64,
            },
            "Only lines of the last N seconds.",
        ),
        Parameter::one(
            "sinceTime",
            Kind::Time,
            "Only lines since this time; not together with `sinceSeconds`.",
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
            "Whether each line starts with its time; default false.",
        ),
        Parameter::one(
            "download",
            Kind::Bool,
            "Whether to respond with `text/plain` as a file with a name; default false.",
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

/// Converts a time into the form that Kubernetes reads. The API accepts slightly more forms.
fn utc(time: String) -> String {
    time.parse::<jiff::Timestamp>().map_or(time, |time| time.to_string())
}

/// A log, or its end. Only for the OpenAPI document: [`tail_json`] writes the response.
#[derive(Debug, ToSchema)]
#[schema(as = Logs)]
#[expect(dead_code, reason = "its fields are written without it")]
pub(crate) struct LogView {
    /// The text, with U+FFFD for bytes that are not UTF-8. It has the last whole lines that fit
    /// into 10 MiB, or the end of a longer line.
    logs: String,
    /// Present, and true, if the log is longer than `logs`.
    #[schema(required = false)]
    truncated: bool,
}

pub(crate) const READ: Operation =
    Operation::new("pods.logs", "A container's log.", Success::Data(Schemas::of::<LogView>)).fails(&[404_003, 409_001]);

/// Returns the log.
pub(crate) async fn read(
    Authorized(scoped): Authorized<ReadLogs>,
    Extract(state): Extract<State>,
    Params(asked): Params<Asked>,
    accepted: Negotiated<Forms>,
) -> Result<Response, ApiError> {
    let caller = scoped.caller();
    if !asked.download && accepted.media == JSON {
        let log = scoped.log(&asked.query).await?;
        return whole(log, state.json_logs().of(caller.session), caller).await;
    }
    // Both are released when the response has been sent or its connection has ended.
    let held = (
        state.downloads().enter(caller.session)?,
        state.stream_memory().reserve(memory::DOWNLOAD)?,
    );
    let log = scoped.log(&asked.query).await?;
    Ok(plain(scoped.name(), log, &asked, held))
}

/// Returns the log in the envelope. Its memory is returned to the budget as it is sent, or when the
/// session ends.
async fn whole(mut log: log::Body, mut share: Share, caller: &Caller) -> Result<Response, ApiError> {
    let mut tail = Tail::default();
    let reading = async {
        while let Some(piece) = log.stream.next().await {
            tail.push(&piece?);
            share.resize(tail.memory() + CHUNK).map_err(full)?;
        }
        Ok(())
    };
    tokio::select! {
        biased;
        () = caller.revoked.cancelled() => Err(ApiError::from(caller.end())),
        read = reading => read,
    }?;
    let body = tail_json::body(tail, share, caller.revoked.clone());
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(JSON))], body).into_response())
}

fn full(refused: Refused) -> ApiError {
    let whose = match refused {
        Refused::Session => "this session reads too many large logs as JSON at once",
        Refused::All => "too many large logs are being read as JSON at once",
    };
    ApiError::TooMany {
        message: format!(
            "{whose}: try again in a moment, ask for fewer lines (`tailLines`), or ask for `text/plain`, which streams"
        ),
        retry_after: 2,
    }
}

/// Returns the raw bytes as they come. If the log breaks off, so does the response, so that nobody
/// mistakes it for a whole log. `held` is dropped with the response.
fn plain<T: Send + Sync + 'static>(pod: &str, body: log::Body, asked: &Asked, held: T) -> Response {
    let name = file_name(pod, &body.container, asked.query.previous);
    let stream = body.stream.inspect(move |item| {
        let _held = &held;
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

/// Returns a file name of ASCII letters, digits, dots, hyphens and underscores only.
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
    fn contradictory_and_out_of_range_parameters_are_named() {
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
