//! The frames of a live query, as text that all viewers of a window share.

use std::{collections::BTreeMap, sync::Arc};

use podgate_access::PodQuery;
use podgate_cluster::{MemoryBudget, Reservation};
use podgate_index::{
    Answer, RowRef,
    live::{Delta, Window},
};
use utoipa::ToSchema;

use crate::{
    ApiError, json,
    pods::{
        rows,
        schemas::{FacetCount, PodOfClusterItem},
    },
    sync::ListedView,
};

/// The most bytes of a frame's rows.
const MOST: usize = 4 << 20;
/// Frames up to this size are not counted: a viewer has at most four of them.
const SMALL: usize = 64 << 10;

/// The refusal of a frame whose rows would take more than [`MOST`] bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooLarge {
    /// How many rows fit, counted from the first.
    pub(super) fit: usize,
}

/// The refusal of a frame for which there is no memory at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoMemory {
    /// The bytes that it needs.
    pub(super) bytes: usize,
}

/// The frames that the server sends, as [`Frame`] writes them.
#[derive(ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
#[schema(as = LiveServerFrame)]
#[expect(dead_code, reason = "the frames are written without it")]
pub(super) enum Described {
    /// The whole window.
    #[serde(rename_all = "camelCase")]
    Snapshot {
        /// The frame's number, from 1 after each `subscribe`.
        seq: u64,
        /// Rows before the window.
        offset: usize,
        /// The most rows of the window: fewer than requested if their JSON would take more than 4
        /// MiB.
        limit: usize,
        /// The number of matches.
        total: usize,
        /// The rows of the window, in order.
        items: Vec<PodOfClusterItem>,
        /// The values of each requested field, and how often each occurs, as in a list. Empty if no
        /// facets are requested.
        facets: BTreeMap<String, Vec<FacetCount>>,
        /// Over how many pods each field was counted. Present if facets are requested.
        #[schema(nullable = false)]
        facet_totals: Option<BTreeMap<String, usize>>,
        /// The facets whose value lists were cut off. Present if facets are requested.
        #[schema(nullable = false)]
        truncated_facets: Option<Vec<String>>,
        /// The requested clusters, and how current each is.
        clusters: Vec<ListedView<'static>>,
    },
    /// The changes since the previous frame, at most every `interval`.
    #[serde(rename_all = "camelCase")]
    Delta {
        /// The frame's number, from 1 after each `subscribe`.
        seq: u64,
        /// The number of matches.
        total: usize,
        /// Rows that are new in the window or have changed.
        upsert: Vec<PodOfClusterItem>,
        /// The uids of the window's rows in order, if the order changed. Rows that are not listed
        /// have left the window.
        #[schema(nullable = false)]
        order: Option<Vec<String>>,
        /// The uids that `order` leaves out because their pod no longer exists or has another uid
        /// now. Absent if there are none.
        #[schema(nullable = false)]
        gone: Option<Vec<String>>,
        /// As in a snapshot, if they changed.
        #[schema(nullable = false)]
        facets: Option<BTreeMap<String, Vec<FacetCount>>>,
        /// As in a snapshot, with `facets`.
        #[schema(nullable = false)]
        facet_totals: Option<BTreeMap<String, usize>>,
        /// As in a snapshot, with `facets`.
        #[schema(nullable = false)]
        truncated_facets: Option<Vec<String>>,
        /// As in a snapshot, if they changed.
        #[schema(nullable = false)]
        clusters: Option<Vec<ListedView<'static>>>,
    },
}

/// A frame without its number, which differs for each viewer.
#[derive(Debug)]
pub(super) struct Frame {
    kind: &'static str,
    /// The text after the number, up to the closing brace.
    rest: Vec<u8>,
    /// The memory that a large frame takes as long as anybody holds it.
    memory: Option<Reservation>,
}

/// The parts of a frame besides its rows, as JSON. Frames share them as long as they do not change.
#[derive(Clone, Debug)]
pub(super) struct Extras {
    /// The requested clusters, and how current each is.
    pub(super) clusters: Arc<Clusters>,
    /// The value of `facets`, followed by `facetTotals` and `truncatedFacets`. An empty object if
    /// no facets are requested.
    pub(super) facets: Arc<Vec<u8>>,
}

/// The clusters of a frame.
#[derive(Debug)]
pub(super) struct Clusters {
    json: Vec<u8>,
    /// The fields whose change is worth sending. The time of a live watch advances with every
    /// event, so it is left out.
    news: Vec<(String, &'static str, String)>,
}

impl Clusters {
    pub(super) fn of(pods: &PodQuery) -> Self {
        let views: Vec<ListedView<'_>> = pods.clusters().iter().map(ListedView::from).collect();
        Self {
            // These are texts only, so it can't fail.
            json: serde_json::to_vec(&views).unwrap_or_default(),
            news: views.iter().map(ListedView::news).collect(),
        }
    }

    pub(super) fn is_news_after(&self, other: &Self) -> bool {
        self.news != other.news
    }
}

impl Frame {
    /// Writes the whole window.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub(super) fn snapshot(
        pods: &PodQuery,
        answer: &Answer<'_>,
        window: &Window,
        extras: &Extras,
    ) -> Result<Self, TooLarge> {
        let mut rest = Vec::with_capacity(256 + window.limit().min(answer.total()) * rows::BYTES);
        rest.extend_from_slice(b"\"offset\":");
        json::number(&mut rest, window.offset() as u64);
        rest.extend_from_slice(b",\"limit\":");
        json::number(&mut rest, window.limit() as u64);
        rest.extend_from_slice(b",\"total\":");
        json::number(&mut rest, answer.total() as u64);
        rest.extend_from_slice(b",\"items\":");
        write_rows(&mut rest, pods, answer.rows())?;
        rest.extend_from_slice(b",\"facets\":");
        rest.extend_from_slice(&extras.facets);
        rest.extend_from_slice(b",\"clusters\":");
        rest.extend_from_slice(&extras.clusters.json);
        rest.push(b'}');
        Ok(Self::of("snapshot", rest))
    }

    /// Writes the changes of a window. Without `delta`, only the parts besides its rows changed.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub(super) fn delta(
        pods: &PodQuery,
        total: usize,
        delta: Option<&Delta<'_>>,
        facets: Option<&[u8]>,
        clusters: Option<&Clusters>,
    ) -> Result<Self, TooLarge> {
        let mut rest = Vec::with_capacity(2048);
        rest.extend_from_slice(b"\"total\":");
        json::number(&mut rest, total as u64);
        rest.extend_from_slice(b",\"upsert\":");
        let upsert = delta.into_iter().flat_map(Delta::upsert);
        write_rows(&mut rest, pods, upsert)?;
        if let Some(order) = delta.and_then(Delta::order) {
            rest.extend_from_slice(b",\"order\":");
            json::list(&mut rest, order, |out, uid| json::text(out, &uid));
        }
        if let Some(delta) = delta.filter(|delta| delta.gone().len() > 0) {
            rest.extend_from_slice(b",\"gone\":");
            json::list(&mut rest, delta.gone(), |out, uid| json::text(out, &uid));
        }
        if let Some(facets) = facets {
            rest.extend_from_slice(b",\"facets\":");
            rest.extend_from_slice(facets);
        }
        if let Some(clusters) = clusters {
            rest.extend_from_slice(b",\"clusters\":");
            rest.extend_from_slice(&clusters.json);
        }
        rest.push(b'}');
        Ok(Self::of("delta", rest))
    }

    fn of(kind: &'static str, rest: Vec<u8>) -> Self {
        Self {
            kind,
            rest,
            memory: None,
        }
    }

    /// Reserves memory for a large frame, once for all viewers who share it, until the last of them
    /// drops it. It never waits, because a viewer who holds a frame may itself wait for memory.
    ///
    /// # Errors
    /// [`NoMemory`].
    pub(super) fn counted(mut self, memory: &MemoryBudget) -> Result<Arc<Self>, NoMemory> {
        if self.rest.len() > SMALL {
            self.rest.shrink_to_fit();
            let bytes = self.rest.capacity();
            self.memory = Some(memory.try_reserve(bytes).map_err(|_| NoMemory { bytes })?);
        }
        Ok(Arc::new(self))
    }

    /// Returns about how many bytes it has.
    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    /// Returns the frame's text with its number, which each viewer counts from 1.
    ///
    /// # Errors
    /// [`ApiError::Internal`] if it is not UTF-8, which can't happen.
    pub(super) fn text(&self, seq: u64) -> Result<String, ApiError> {
        let mut text = Vec::with_capacity(self.rest.len() + 48);
        text.extend_from_slice(b"{\"type\":\"");
        text.extend_from_slice(self.kind.as_bytes());
        text.extend_from_slice(b"\",\"seq\":");
        json::number(&mut text, seq);
        text.push(b',');
        text.extend_from_slice(&self.rest);
        String::from_utf8(text).map_err(|error| ApiError::Internal(format!("a frame is not UTF-8: {error}")))
    }
}

fn write_rows<'a>(out: &mut Vec<u8>, pods: &PodQuery, rows: impl Iterator<Item = RowRef<'a>>) -> Result<(), TooLarge> {
    let written = rows::write_within(out, rows, MOST, |id| Some(pods.cluster_name(id)));
    if written.all {
        return Ok(());
    }
    Err(TooLarge { fit: written.rows })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn a_large_frame_counts_once_until_the_last_viewer_has_sent_it() {
        let memory = MemoryBudget::new(4 * SMALL);
        let frame = |bytes| Frame::of("delta", vec![b' '; bytes]);
        let first = frame(2 * SMALL).counted(&memory).unwrap();
        let shared = Arc::clone(&first);
        assert_eq!(memory.free(), 2 * SMALL);
        let refused = frame(3 * SMALL).counted(&memory).unwrap_err();
        assert_eq!(refused, NoMemory { bytes: 3 * SMALL });
        frame(SMALL).counted(&MemoryBudget::new(0)).unwrap();
        drop(first);
        assert_eq!(memory.free(), 2 * SMALL);
        drop(shared);
        frame(3 * SMALL).counted(&memory).unwrap();
        assert_eq!(memory.free(), 4 * SMALL);
    }
}
