//! `WS /ws/pods` and `WS /ws/clusters/{clusterId}/pods`: live queries, lists that stay current.
//!
//! A viewer costs its socket and a few shared frames. One task ([`hub`]) reads the index and keeps
//! the matches of each query once for all its viewers ([`group`]). Viewers never cause a request to
//! a cluster.

mod frame;
mod group;
mod hub;

use std::{sync::Arc, time::Duration};

use axum::{extract::State as Extract, response::Response};
use futures_util::FutureExt;
use podgate_access::{Scoped, action::ListPods};
use podgate_cluster::Reservation;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{
    ToSchema,
    openapi::schema::{AdditionalProperties, ObjectBuilder, Schema, Type},
};

pub(crate) use self::hub::Hub;
use self::{frame::Frame, hub::Viewer};
use super::{client_frames::parse_text, facets, query};
use crate::{
    ApiError, Operation, Parameter, Parameters, Schemas, State, Success,
    extract::authorized::check_cluster,
    openapi::schema::of_parameter,
    ws::{Closed, Incoming, Sender, Socket, SocketFrame, Upgrade},
};

/// The least time between two deltas of one window.
const TICK: Duration = Duration::from_millis(100);
/// The most frames that wait for one viewer. All viewers of a window share them.
const FRAMES: usize = 4;
/// The most rows of a window.
const MAX_LIMIT: u64 = 500;
/// The default rows of a window.
const LIMIT: u64 = 50;

const SOCKET: Success = Success::Socket {
    client: Schemas::frames::<Client>,
    server: Schemas::frames_and::<frame::Described, SocketFrame<'static>>,
};
/// The codes of errors that do not follow from the route.
const FAILURES: &[u32] = &[400_002, 403_001, 404_002, 429_001];

pub(crate) const OF_CLUSTER: Operation =
    Operation::new("pods.live", "A cluster's pods, kept current.", SOCKET).fails(FAILURES);

/// `WS /ws/clusters/{clusterId}/pods`.
pub(crate) async fn of_cluster(upgrade: Upgrade<ListPods, ()>, state: Extract<State>) -> Response {
    open(upgrade, state, query::OF_CLUSTER)
}

pub(crate) const OF_ALL: Operation =
    Operation::new("pods.liveAll", "The pods of all clusters, kept current.", SOCKET).fails(FAILURES);

/// `WS /ws/pods`.
pub(crate) async fn of_all(upgrade: Upgrade<ListPods, ()>, state: Extract<State>) -> Response {
    open(upgrade, state, query::OF_ALL)
}

fn open(upgrade: Upgrade<ListPods, ()>, Extract(state): Extract<State>, known: &'static [Parameter]) -> Response {
    upgrade.open(move |socket, scoped, ()| async move { serve(socket, &scoped, &state, known).await }.boxed())
}

/// The frames that a client sends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
#[schema(as = LiveClientFrame)]
enum Client {
    /// Starts the live query, in place of an earlier one.
    Subscribe(Subscribe),
    /// Moves the window. A snapshot of it follows.
    Window(Bounds),
    /// Ends the live query. The connection stays open.
    Unsubscribe {},
    /// Asks for a `pong`.
    Ping {},
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Subscribe {
    #[serde(default)]
    #[schema(schema_with = query_schema)]
    query: Map<String, Value>,
    /// Rows before the window; default 0.
    offset: Option<u64>,
    /// The most rows of the window; default 50.
    #[schema(minimum = 1, maximum = 500)]
    limit: Option<u64>,
    /// Fields by which all matches are counted.
    facets: Option<Vec<String>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Bounds {
    /// Rows before the window; default 0.
    offset: Option<u64>,
    /// The most rows of the window; default 50.
    #[schema(minimum = 1, maximum = 500)]
    limit: Option<u64>,
}

/// Returns the parameters of a list that a live query takes.
fn without_pages(known: &'static [Parameter]) -> impl Iterator<Item = &'static Parameter> {
    known
        .iter()
        .filter(|parameter| !matches!(parameter.name, "page" | "pageSize"))
}

/// Returns the schema of [`Subscribe::query`], with the parameters of both routes.
fn query_schema() -> Schema {
    let object = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(
            "The list's parameters without `page` and `pageSize`. Repeatable parameters are lists. `cluster` is allowed only in a live query of all clusters.",
        ))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
    let parameters = without_pages(query::OF_ALL);
    let object = parameters.fold(object, |object, parameter| {
        object.property(parameter.name, of_parameter(parameter, Some(parameter.doc)))
    });
    object.into()
}

/// The rows of a query that a viewer sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Range {
    /// The rows before the window.
    offset: usize,
    /// The most rows of the window.
    limit: usize,
}

/// A request for a live query.
#[derive(Debug)]
struct Asked {
    query: podgate_index::Query,
    clusters: Vec<String>,
    facets: Vec<&'static str>,
    range: Range,
}

impl Bounds {
    fn range(&self) -> Result<Range, ApiError> {
        let limit = self.limit.unwrap_or(LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(ApiError::Parameter(format!(
                "`limit` must be a whole number from 1 to {MAX_LIMIT}, not `{limit}`"
            )));
        }
        let offset = self.offset.unwrap_or(0);
        if offset > u32::MAX.into() {
            return Err(ApiError::Parameter(format!(
                "`offset` must be a whole number from 0 to {}, not `{offset}`",
                u32::MAX
            )));
        }
        Ok(Range {
            offset: offset as usize,
            limit: limit as usize,
        })
    }
}

impl Subscribe {
    fn read(mut self, known: &'static [Parameter]) -> Result<Asked, ApiError> {
        if let Some(facets) = self.facets.take().filter(|facets| !facets.is_empty())
            && self.query.insert("facets".to_owned(), facets.into()).is_some()
        {
            return Err(ApiError::Parameter(
                "`facets` is given both in `query` and next to it: give it only once".into(),
            ));
        }
        let known: Vec<Parameter> = without_pages(known).copied().collect();
        let parameters = Parameters::from_json(&self.query, &known)?;
        let clusters = parameters.many("cluster");
        clusters.iter().try_for_each(|cluster| check_cluster(cluster))?;
        let bounds = Bounds {
            offset: self.offset,
            limit: self.limit,
        };
        Ok(Asked {
            query: query::read(&parameters)?,
            clusters,
            facets: facets::read(&parameters),
            range: bounds.range()?,
        })
    }
}

async fn serve(
    socket: &mut Socket,
    scoped: &Scoped<ListPods>,
    state: &State,
    known: &'static [Parameter],
) -> Result<(), Closed> {
    let Socket { sender, receiver, .. } = socket;
    let mut viewer = state.live().enter(scoped.caller().user.id)?;
    let mut seq = 0;
    // A frame that waits for memory. Further frames are dropped meanwhile, and a fresh snapshot
    // follows, as for a client that falls behind.
    let mut waits: Option<Arc<Frame>> = None;
    loop {
        tokio::select! {
            incoming = receiver.next() => {
                let Some(incoming) = incoming? else { return Err(Closed::Gone) };
                match take(&incoming, scoped, sender, &mut viewer, known).await? {
                    Ok(true) => (seq, waits) = (0, None),
                    Ok(false) => waits = waits.filter(|_| viewer.is_subscribed()),
                    Err(malformed) => sender.error(&malformed).await?,
                }
            }
            frame = viewer.next(), if waits.is_none() => waits = Some(frame?),
            _sending = memory_of(waits.as_deref(), state), if waits.is_some() => {
                if let Some(frame) = waits.take() {
                    seq += 1;
                    sender.text(frame.text(seq)?).await?;
                }
            }
        }
    }
}

/// Reserves the memory of a frame while it is sent.
async fn memory_of(frame: Option<&Frame>, state: &State) -> Reservation {
    state.stream_memory().sending(frame.map_or(0, Frame::len)).await
}

/// Handles a client's frame. Returns whether a live query began. The inner error is for a refused
/// frame, after which the connection and its live query continue as before.
async fn take(
    incoming: &Incoming,
    scoped: &Scoped<ListPods>,
    sender: &mut Sender,
    viewer: &mut Viewer,
    known: &'static [Parameter],
) -> Result<Result<bool, ApiError>, Closed> {
    let asked = match parse_text(incoming) {
        Ok(Client::Subscribe(subscribe)) => subscribe.read(known),
        Ok(Client::Window(bounds)) if viewer.is_subscribed() => match bounds.range() {
            Ok(range) => {
                viewer.scroll(range).await?;
                return Ok(Ok(false));
            }
            Err(error) => Err(error),
        },
        Ok(Client::Window(_)) => Err(ApiError::Body(
            "there is no live query whose window could be moved: send `subscribe` first".into(),
        )),
        Ok(Client::Unsubscribe {}) => {
            viewer.unsubscribe().await?;
            return Ok(Ok(false));
        }
        Ok(Client::Ping {}) => {
            sender.json(&SocketFrame::Pong).await?;
            return Ok(Ok(false));
        }
        Err(error) => Err(error),
    };
    let asked = match asked {
        Ok(asked) => asked,
        Err(error) => return Ok(Err(error)),
    };
    let followed = scoped.subscribe(&asked.clusters, asked.query)?;
    viewer.subscribe(followed, asked.facets, asked.range).await?;
    Ok(Ok(true))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use crate::pods::client_frames::parse;

    fn asked(text: &str) -> Result<Asked, ApiError> {
        match parse(text)? {
            Client::Subscribe(subscribe) => subscribe.read(query::OF_ALL),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_field_is_read() {
        let plain = asked(r#"{"type":"subscribe"}"#).unwrap();
        assert_eq!(plain.range, Range { offset: 0, limit: 50 });
        assert!(plain.clusters.is_empty() && plain.facets.is_empty());
        let full = asked(
            r#"{"type":"subscribe","query":{"cluster":["a","2"],"namespace":"shop","status":["Running"],"problem":true,"sort":"name"},
                "offset":200,"limit":500,"facets":["status","cluster"]}"#,
        )
        .unwrap();
        assert_eq!(full.clusters, ["a", "2"]);
        assert_eq!(full.facets, ["status", "cluster"]);
        assert_eq!(full.query.namespaces, ["shop"]);
        assert!(full.query.problem);
        assert_eq!(
            full.range,
            Range {
                offset: 200,
                limit: 500
            }
        );
        assert_eq!(
            asked(r#"{"type":"subscribe","query":{"facets":"phase"}}"#)
                .unwrap()
                .facets,
            ["phase"]
        );
    }

    #[test]
    fn an_impossible_value_is_named() {
        for (frame, code, part) in [
            (r#"{"type":"subscribe","limit":0}"#, 400_001, "`limit`"),
            (r#"{"type":"subscribe","limit":501}"#, 400_001, "`limit`"),
            (r#"{"type":"subscribe","offset":4294967296}"#, 400_001, "`offset`"),
            (r#"{"type":"subscribe","query":{"page":1}}"#, 400_001, "`page`"),
            (r#"{"type":"subscribe","query":{"pageSize":1}}"#, 400_001, "`pageSize`"),
            (r#"{"type":"subscribe","query":{"statuss":"x"}}"#, 400_001, "`statuss`"),
            (
                r#"{"type":"subscribe","query":{"labelSelector":"a in b"}}"#,
                400_001,
                "`labelSelector`",
            ),
            (r#"{"type":"subscribe","facets":["age"]}"#, 400_001, "`facets`"),
            (
                r#"{"type":"subscribe","facets":["status"],"query":{"facets":"phase"}}"#,
                400_001,
                "give it only once",
            ),
            (r#"{"type":"subscribe","query":{"cluster":"A/b"}}"#, 404_002, "A/b"),
            (r#"{"type":"subscribe","query":[]}"#, 400_002, "map"),
            (r#"{"type":"subscribe","limit":-1}"#, 400_002, "-1"),
            (r#"{"type":"subscribe","ofset":1}"#, 400_002, "ofset"),
            (r#"{"type":"snapshot"}"#, 400_002, "snapshot"),
        ] {
            let error = asked(frame).unwrap_err();
            assert_eq!(error.code(), code, "{frame}: {error}");
            assert!(error.to_string().contains(part), "{frame}: {error}");
        }
    }
}
