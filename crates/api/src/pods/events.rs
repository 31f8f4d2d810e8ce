//! `GET …/pods/{name}/events`.

use podgate_access::action::ReadEvents;
use podgate_cluster::events::Event;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{ApiError, Opened, Params, answer::Noted};

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
    /// Sentence.
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

/// The handler: newest first, and `message` says what is not listed.
pub(crate) async fn list(
    Opened(scoped): Opened<ReadEvents>,
    Params(()): Params<()>,
) -> Result<Noted<Vec<EventView>>, ApiError> {
    let events = scoped.events().await?;
    Ok(Noted {
        note: events.note(),
        data: events.newest.into_iter().map(EventView::from).collect(),
    })
}
