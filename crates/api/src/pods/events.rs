//! `GET …/pods/{name}/events`.

use axum::{extract::State as Extract, response::Response};
use podgate_access::action::ReadEvents;
use podgate_cluster::events::Event;
use serde::Serialize;
use utoipa::ToSchema;

use super::answers;
use crate::{
    ApiError, Authorized, Operation, Params, State, Success,
    extract::content_negotiation::JSON,
    http::{envelope::Noted, etag::IfNoneMatch},
};

/// An event of a pod.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PodEvent)]
pub(crate) struct EventView {
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    kind: String,
    /// Machine-readable reason.
    reason: String,
    /// A sentence.
    message: String,
    /// When it was first seen.
    first_seen: String,
    /// When it was last seen.
    last_seen: String,
    /// How often it was seen.
    count: u32,
    /// The component that reports it.
    source: String,
    /// The container that it is about, or empty.
    container: String,
}

impl From<Event> for EventView {
    fn from(event: Event) -> Self {
        Self {
            kind: event.kind,
            reason: event.reason,
            message: event.message,
            first_seen: event.first_seen,
            last_seen: event.last_seen,
            count: event.count,
            source: event.source,
            container: event.container,
        }
    }
}

pub(crate) const LIST: Operation = Operation::new(
    "pods.events",
    "A pod's events.",
    Success::Data(|schemas| schemas.list_of::<EventView>("Newest first.")),
);

/// Lists the events, newest first, or answers 304 if they have not changed. `message` says which
/// are not listed.
pub(crate) async fn list(
    Authorized(scoped): Authorized<ReadEvents>,
    Extract(state): Extract<State>,
    Params(()): Params<()>,
    known: IfNoneMatch,
) -> Result<Response, ApiError> {
    let events = scoped.events().await?;
    let noted = Noted {
        note: events.omissions(),
        data: events.newest.into_iter().map(EventView::from).collect::<Vec<_>>(),
    };
    let json = noted
        .json()
        .map_err(|error| ApiError::Internal(format!("events can't be written: {error}")))?;
    let (answers, tags) = (state.answers(), state.tags());
    answers::tagged(answers, tags, scoped.caller().session, JSON, json, &known)
}
