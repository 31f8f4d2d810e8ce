//! The order in which connections are ended to make room.

use std::collections::{BTreeSet, HashMap};

use super::connection::{Connection, Phase};

/// The connections of one group, ordered so that the one to end first is found without a look at
/// each.
///
/// A connection changes its phase at every request without reporting it here. A place therefore
/// holds what was known when it was taken, and [`Order::longest_waiting`] corrects it. That
/// suffices because no connection has waited longer than its place says.
#[derive(Debug, Default)]
pub(super) struct Order {
    queue: BTreeSet<Place>,
    members: HashMap<u64, (Place, Connection)>,
}

/// The rank of a connection. Those that have sent no whole head come first, by their number; then
/// the others, by the earliest time at which they may have become idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Fresh { id: u64 },
    Known { idle_since: u64, id: u64 },
}

impl Place {
    fn id(self) -> u64 {
        let (Self::Fresh { id } | Self::Known { id, .. }) = self;
        id
    }
}

impl Order {
    /// Returns the number of connections, including WebSockets and those about to end.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Adds a connection that has just been accepted.
    pub(super) fn enter(&mut self, connection: Connection) {
        let place = Place::Fresh { id: connection.id() };
        self.queue.insert(place);
        self.members.insert(connection.id(), (place, connection));
    }

    /// Removes a connection.
    pub(super) fn leave(&mut self, id: u64) {
        if let Some((place, _)) = self.members.remove(&id) {
            self.queue.remove(&place);
        }
    }

    /// Returns all connections, including WebSockets and those about to end.
    pub(super) fn all(&self) -> impl Iterator<Item = &Connection> {
        self.members.values().map(|(_, connection)| connection)
    }

    /// Returns the connection that has waited longest without a request under way: first one that
    /// has sent no whole head yet, otherwise an idle one. Skips ended connections; returns `None`
    /// if none waits.
    pub(super) fn longest_waiting(&mut self) -> Option<Connection> {
        let mut busy = Vec::new();
        let found = loop {
            let Some(place) = self.queue.pop_first() else {
                break None;
            };
            let Some((_, connection)) = self.members.get(&place.id()) else {
                continue;
            };
            if connection.ended() || connection.phase() == Phase::Upgraded {
                // A WebSocket or an ended connection never waits again.
                continue;
            }
            let Some(actual) = actual_place(connection) else {
                busy.push(place.id());
                continue;
            };
            if actual == place {
                let connection = connection.clone();
                self.queue.insert(place);
                break Some(connection);
            }
            self.move_to(actual);
        };
        for id in busy {
            self.postpone(id);
        }
        found
    }

    /// Moves a connection with a request under way to the earliest place that it can have: idle
    /// from now on.
    fn postpone(&mut self, id: u64) {
        if let Some((_, connection)) = self.members.get(&id) {
            let idle_since = connection.signals().now();
            self.move_to(Place::Known { idle_since, id });
        }
    }

    /// Moves a connection that was taken out of the queue to another place in it.
    fn move_to(&mut self, place: Place) {
        if let Some((known, _)) = self.members.get_mut(&place.id()) {
            *known = place;
            self.queue.insert(place);
        }
    }
}

/// Returns the place of a waiting connection; `None` while a request is under way.
fn actual_place(connection: &Connection) -> Option<Place> {
    let id = connection.id();
    if connection.phase() == Phase::Fresh {
        return Some(Place::Fresh { id });
    }
    let idle_since = connection.idle_since()?;
    Some(Place::Known { idle_since, id })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::serve::connection::Signals;

    /// Builds an order of `count` connections, numbered from 0.
    fn order(count: u64) -> (Order, Vec<Connection>) {
        let signals = Arc::new(Signals::new());
        let connections: Vec<Connection> = (0..count)
            .map(|id| Connection::new(id, None, Arc::clone(&signals)))
            .collect();
        let mut order = Order::default();
        for connection in &connections {
            order.enter(connection.clone());
        }
        (order, connections)
    }

    /// Takes a request, which ends a second from now, through a connection.
    async fn request(connection: &Connection) {
        connection.begin(false);
        tokio::time::advance(Duration::from_secs(1)).await;
        connection.answered();
        connection.settle();
    }

    fn first(order: &mut Order) -> Option<u64> {
        order.longest_waiting().map(|connection| connection.id())
    }

    #[tokio::test(start_paused = true)]
    async fn those_without_a_head_go_first_then_the_idle_ones_by_time() {
        let (mut order, connections) = order(4);
        request(&connections[1]).await;
        request(&connections[0]).await;
        for expected in [2, 3, 1, 0] {
            assert_eq!(first(&mut order), Some(expected));
            assert_eq!(first(&mut order), Some(expected), "looking changes nothing");
            order.leave(expected);
        }
        assert_eq!(first(&mut order), None);
        assert_eq!(order.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_corrected_when_its_connection_has_been_used_since() {
        let (mut order, connections) = order(3);
        for connection in &connections {
            request(connection).await;
        }
        assert_eq!(first(&mut order), Some(0));
        request(&connections[0]).await;
        assert_eq!(first(&mut order), Some(1));
        connections[1].begin(false);
        assert_eq!(first(&mut order), Some(2));
        connections[2].begin(false);
        assert_eq!(first(&mut order), Some(0));
        connections[0].begin(false);
        assert_eq!(first(&mut order), None);
        connections[2].answered();
        connections[2].settle();
        assert_eq!(
            first(&mut order),
            Some(2),
            "it became idle in the very moment of the last look"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn websockets_and_ended_connections_are_counted_but_never_found() {
        let (mut order, connections) = order(3);
        connections[0].begin(false);
        connections[0].upgraded();
        connections[1].end();
        assert_eq!(first(&mut order), Some(2));
        connections[2].end();
        assert_eq!(first(&mut order), None);
        assert_eq!((order.len(), order.all().count()), (3, 3));
        order.leave(0);
        assert_eq!(order.len(), 2);
    }
}
