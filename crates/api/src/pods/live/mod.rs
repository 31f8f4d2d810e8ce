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
/// The bounds of `interval` in milliseconds, both inclusive.
const INTERVALS: std::ops::RangeInclusive<u64> = 100..=10_000;

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
    open(upgrade, state, query::LIVE_OF_CLUSTER)
}

pub(crate) const OF_ALL: Operation =
    Operation::new("pods.liveAll", "The pods of all clusters, kept current.", SOCKET).fails(FAILURES);

/// `WS /ws/pods`.
pub(crate) async fn of_all(upgrade: Upgrade<ListPods, ()>, state: Extract<State>) -> Response {
    open(upgrade, state, query::LIVE_OF_ALL)
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
    /// Instead of `offset`: a pod that the window shows in its middle.
    around: Option<Around>,
    /// The most rows of the window; default 50.
    #[schema(minimum = 1, maximum = 500)]
    limit: Option<u64>,
    /// Fields by which all matches are counted.
    facets: Option<Vec<String>>,
    /// The least time between two deltas in milliseconds; default 100.
    #[schema(minimum = 100, maximum = 10_000)]
    interval: Option<u64>,
}

/// A pod that a window is placed around.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LiveAround)]
struct Around {
    /// Its cluster, by number or name. Not needed in a live query of one cluster.
    cluster: Option<String>,
    /// Its namespace.
    namespace: String,
    /// Its name.
    name: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Bounds {
    /// Rows before the window; default 0.
    offset: Option<u64>,
    /// Instead of `offset`: a pod that the window shows in its middle, nearer to an end at the ends
    /// of the list. If the pod is not among the matches, the window begins at 0. It is looked up
    /// once; afterwards the window stays where it is.
    around: Option<Around>,
    /// The most rows of the window; default 50.
    #[schema(minimum = 1, maximum = 500)]
    limit: Option<u64>,
}

/// Returns the schema of [`Subscribe::query`], with the parameters of both routes.
fn query_schema() -> Schema {
    let object = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(
            "The list's parameters without `page`, `pageSize`, `fields` and `facetSearch`. Repeatable parameters are lists. `cluster` is allowed only in a live query of all clusters.",
        ))
        .additional_properties(Some(AdditionalProperties::FreeForm(false)));
    let parameters = query::LIVE_OF_ALL.iter();
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

/// A request for a window.
#[derive(Clone, Debug)]
enum Wanted {
    /// These rows.
    Range(Range),
    /// At most `limit` rows around a pod.
    Around { pod: Around, limit: usize },
}

/// A request for a live query.
#[derive(Debug)]
struct Asked {
    query: podgate_index::Query,
    clusters: Vec<String>,
    facets: facets::Asked,
    interval: Duration,
    window: Wanted,
}

impl Bounds {
    /// # Errors
    /// [`ApiError::Parameter`] for a number out of its bounds, and for both `offset` and `around`.
    fn read(self) -> Result<Wanted, ApiError> {
        let limit = self.limit.unwrap_or(LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(ApiError::Parameter(format!(
                "`limit` must be a whole number from 1 to {MAX_LIMIT}, not `{limit}`"
            )));
        }
        let limit = limit as usize;
        if let Some(pod) = self.around {
            if self.offset.is_some() {
                return Err(ApiError::Parameter(
                    "`offset` and `around` both say where the window begins: give only one of them".into(),
                ));
            }
            return Ok(Wanted::Around { pod, limit });
        }
        let offset = self.offset.unwrap_or(0);
        if offset > u32::MAX.into() {
            return Err(ApiError::Parameter(format!(
                "`offset` must be a whole number from 0 to {}, not `{offset}`",
                u32::MAX
            )));
        }
        let offset = offset as usize;
        Ok(Wanted::Range(Range { offset, limit }))
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
        let interval = self.interval.unwrap_or(*INTERVALS.start());
        if !INTERVALS.contains(&interval) {
            let (start, end) = (INTERVALS.start(), INTERVALS.end());
            return Err(ApiError::Parameter(format!(
                "`interval` must be a whole number from {start} to {end}, not `{interval}`"
            )));
        }
        let parameters = Parameters::from_json(&self.query, known)?;
        let clusters = parameters.many("cluster");
        clusters.iter().try_for_each(|cluster| check_cluster(cluster))?;
        let bounds = Bounds {
            offset: self.offset,
            around: self.around,
            limit: self.limit,
        };
        Ok(Asked {
            query: query::read(&parameters)?,
            clusters,
            facets: facets::Asked::read(&parameters)?,
            interval: Duration::from_millis(interval),
            window: bounds.read()?,
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
        Ok(Client::Window(bounds)) if viewer.is_subscribed() => match bounds.read() {
            Ok(window) => {
                viewer.scroll(window).await?;
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
    let mut asked = match asked {
        Ok(asked) => asked,
        Err(error) => return Ok(Err(error)),
    };
    let followed = scoped.subscribe(&asked.clusters, std::mem::take(&mut asked.query))?;
    let Asked {
        facets,
        interval,
        window,
        ..
    } = asked;
    viewer.subscribe(followed, (facets, interval), window).await?;
    Ok(Ok(true))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use podgate_index::Facet;

    use super::*;
    use crate::pods::{client_frames::parse, facets::Field};

    fn asked(text: &str) -> Result<Asked, ApiError> {
        match parse(text)? {
            Client::Subscribe(subscribe) => subscribe.read(query::LIVE_OF_ALL),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_field_is_read() {
        let plain = asked(r#"{"type":"subscribe"}"#).unwrap();
        assert!(matches!(plain.window, Wanted::Range(Range { offset: 0, limit: 50 })));
        assert!(plain.clusters.is_empty() && plain.facets.fields.is_empty());
        assert_eq!(plain.interval, Duration::from_millis(100));
        let full = asked(
            r#"{"type":"subscribe","query":{"cluster":["a","2"],"namespace":"shop","status":["Running"],"problem":true,"sort":"name"},
                "offset":200,"limit":500,"facets":["status","cluster"]}"#,
        )
        .unwrap();
        assert_eq!(full.clusters, ["a", "2"]);
        let fields = [Facet::Status, Facet::Cluster].map(Field::Of);
        assert_eq!(full.facets.fields, fields);
        assert_eq!(full.query.namespaces, ["shop"]);
        assert!(full.query.problem);
        let range = Range {
            offset: 200,
            limit: 500,
        };
        assert!(matches!(full.window, Wanted::Range(asked) if asked == range));
        let within =
            asked(r#"{"type":"subscribe","query":{"facets":"phase","facetMode":"others"},"interval":5000}"#).unwrap();
        assert_eq!(within.facets.fields, [Field::Of(Facet::Phase)]);
        assert!(within.facets.others);
        assert_eq!(within.interval, Duration::from_secs(5));
        let around =
            asked(r#"{"type":"subscribe","around":{"cluster":"a","namespace":"shop","name":"web"},"limit":20}"#)
                .unwrap();
        assert!(matches!(around.window, Wanted::Around { pod, limit: 20 } if pod.name == "web"));
    }

    #[test]
    fn an_impossible_value_is_named() {
        for (frame, code, part) in [
            (r#"{"type":"subscribe","limit":0}"#, 400_001, "`limit`"),
            (r#"{"type":"subscribe","limit":501}"#, 400_001, "`limit`"),
            (r#"{"type":"subscribe","offset":4294967296}"#, 400_001, "`offset`"),
            (r#"{"type":"subscribe","interval":99}"#, 400_001, "`interval`"),
            (r#"{"type":"subscribe","interval":10001}"#, 400_001, "`interval`"),
            (
                r#"{"type":"subscribe","offset":0,"around":{"namespace":"a","name":"b"}}"#,
                400_001,
                "`around`",
            ),
            (r#"{"type":"subscribe","around":{"name":"b"}}"#, 400_002, "namespace"),
            (r#"{"type":"subscribe","query":{"fields":"id"}}"#, 400_001, "`fields`"),
            (
                r#"{"type":"subscribe","query":{"facetSearch":"a"}}"#,
                400_001,
                "`facetSearch`",
            ),
            (r#"{"type":"subscribe","facets":["label"]}"#, 400_001, "`facets`"),
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
