//! The open connections of a listener, their caps, and which is ended to make room for another.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use podgate_cluster::MemoryBudget;
use tokio::time::Instant;

use super::{
    Limits,
    connection::{Connection, Signals},
    order::Order,
};

/// How long accepting waits for a file descriptor after the system refused one. Other parts of the
/// process do not report that they close theirs.
const RETRY: Duration = Duration::from_secs(1);
/// How long, in microseconds, a network whose connections are all busy is assumed to stay busy.
/// Looking at all of them for each refused connection would keep a core busy.
const BUSY: u64 = 50_000;
/// The time between two log lines about a shortage.
const REPORT_EVERY: Duration = Duration::from_secs(60);

/// The open connections of a listener. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limits: Limits,
    signals: Arc<Signals>,
    large_heads: MemoryBudget,
    /// A std mutex, because it is held for a look-up at the start and the end of a connection,
    /// never across an await.
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    last: u64,
    all: Group,
    by_network: HashMap<IpAddr, Group>,
    /// The connections that were ended to make room but are not closed yet, with their networks.
    leaving: HashMap<u64, Option<IpAddr>>,
    files_reported: Option<Instant>,
}

/// The connections that share a cap.
#[derive(Debug, Default)]
struct Group {
    order: Order,
    /// Whether the log says that the cap is reached.
    full: bool,
    /// Whether the log says that all of them are busy.
    busy: bool,
    /// When all of them were found busy, in microseconds of [`Signals::now`]; `None` once one has
    /// come or gone.
    found_busy: Option<u64>,
}

/// A connection's place among the others, which is free again once it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    connections: Connections,
    pub(super) connection: Connection,
}

/// The answer to a new connection.
enum Admission {
    Entered(Place),
    /// There is room once another connection has closed or become idle.
    Wait,
    /// Its address has reached its cap, and all its connections have requests under way.
    Refused,
}

impl Connections {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            shared: Arc::new(Shared {
                limits: limits.clone(),
                signals: Arc::new(Signals::new()),
                large_heads: MemoryBudget::new(limits.large_heads),
                open: Mutex::default(),
            }),
        }
    }

    /// Returns the number of open connections.
    pub(crate) fn count(&self) -> usize {
        self.open().all.order.len()
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Gives a new connection its place, and waits until there is one. Returns `None` if its
    /// address has reached its cap and all its connections are busy.
    pub(super) async fn enter(&self, address: SocketAddr) -> Option<Place> {
        loop {
            match self.admit(address.ip().to_canonical()) {
                Admission::Entered(place) => return Some(place),
                Admission::Refused => return None,
                Admission::Wait => self.shared.signals.until_changed().await,
            }
        }
    }

    /// Ends the connection that has waited longest because the system refused a file descriptor,
    /// then waits a moment.
    pub(super) async fn make_room(&self, error: &std::io::Error) {
        self.end_longest_waiting(error);
        let _ = tokio::time::timeout(RETRY, self.shared.signals.until_changed()).await;
    }

    fn end_longest_waiting(&self, error: &std::io::Error) {
        let mut open = self.open();
        if open.files_reported.is_none_or(|at| at.elapsed() >= REPORT_EVERY) {
            open.files_reported = Some(Instant::now());
            tracing::error!(
                %error,
                connections = open.all.order.len(),
                "a connection can't be accepted: raise the limit on open files (ulimit -n), or lower --max-connections"
            );
        }
        if let Some(connection) = open.all.order.longest_waiting() {
            connection.end();
        }
    }

    /// Makes each connection end after the request that is under way. WebSockets stay open.
    pub(super) fn drain(&self) {
        self.shared.signals.drain();
        self.wake_all();
    }

    /// Ends each connection that is not a WebSocket.
    pub(super) fn stop(&self) {
        self.shared.signals.stop();
        self.wake_all();
    }

    fn wake_all(&self) {
        self.open().all.order.all().for_each(Connection::wake);
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.shared.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, ip: IpAddr) -> Admission {
        let Shared { limits, signals, .. } = &*self.shared;
        let exempt = limits.exempt.iter().any(|network| network.contains(&ip));
        let network = (!exempt).then(|| network_of(ip));
        let mut open = self.open();
        let of_network = network.and_then(|network| open.by_network.get(&network));
        if let Some(network) = network
            && of_network.is_some_and(|group| group.order.len() >= limits.per_address)
        {
            return open.replace_own(network, limits.per_address, signals.now());
        }
        if open.all.order.len() >= limits.total {
            // This comes before the look, so that a connection that becomes idle from here on
            // reports it.
            signals.set_hungry(true);
            if open.replace_any(limits.total) {
                signals.set_hungry(false);
            }
            return Admission::Wait;
        }
        signals.set_hungry(false);
        open.last += 1;
        let connection = Connection::new(open.last, network, Arc::clone(signals));
        open.enter(&connection);
        Admission::Entered(Place {
            connections: self.clone(),
            connection,
        })
    }
}

impl Open {
    fn enter(&mut self, connection: &Connection) {
        self.all.order.enter(connection.clone());
        if let Some(network) = connection.network() {
            let group = self.by_network.entry(network).or_default();
            group.order.enter(connection.clone());
            group.found_busy = None;
        }
    }

    fn leave(&mut self, connection: &Connection, limits: &Limits) {
        self.leaving.remove(&connection.id());
        self.all.leave(connection.id(), limits.total);
        if let Some(network) = connection.network()
            && let Some(group) = self.by_network.get_mut(&network)
        {
            group.leave(connection.id(), limits.per_address);
            if group.order.len() == 0 {
                self.by_network.remove(&network);
            }
        }
    }

    /// Ends the connection of a network that has waited longest, unless one is already about to
    /// close.
    fn replace_own(&mut self, network: IpAddr, cap: usize, now: u64) -> Admission {
        let Some(group) = self.by_network.get_mut(&network) else {
            return Admission::Wait;
        };
        if !std::mem::replace(&mut group.full, true) {
            tracing::warn!(
                address = %network,
                cap,
                "an address has as many connections as it may have: a further one takes the place of the one that has waited longest, or is closed. \
                 Name it with --trusted-proxy if it is a proxy; else see --max-connections-per-address"
            );
        }
        if self.leaving.values().any(|other| *other == Some(network)) {
            return Admission::Wait;
        }
        if group.found_busy.is_some_and(|at| now.saturating_sub(at) < BUSY) {
            return Admission::Refused;
        }
        match group.order.longest_waiting() {
            Some(connection) => {
                self.end(&connection);
                Admission::Wait
            }
            None => {
                group.found_busy = Some(now);
                Admission::Refused
            }
        }
    }

    /// Ends the connection that has waited longest of all, unless one is already about to close.
    /// Returns whether that makes room.
    fn replace_any(&mut self, cap: usize) -> bool {
        if !std::mem::replace(&mut self.all.full, true) {
            tracing::warn!(
                cap,
                "the cap on connections is reached: each new connection replaces the one that has waited longest. See --max-connections"
            );
        }
        if !self.leaving.is_empty() {
            return true;
        }
        if let Some(connection) = self.all.order.longest_waiting() {
            self.end(&connection);
            return true;
        }
        if !std::mem::replace(&mut self.all.busy, true) {
            tracing::warn!(
                cap,
                "all connections have a request under way: new ones are accepted once one of them ends. See --max-connections"
            );
        }
        false
    }

    fn end(&mut self, connection: &Connection) {
        self.leaving.insert(connection.id(), connection.network());
        connection.end();
    }
}

impl Group {
    /// Removes a connection.
    ///
    /// Once more than an eighth of the cap is free again, and more than the one place that a
    /// replaced connection leaves, the log reports the next time that the cap is reached.
    fn leave(&mut self, id: u64, cap: usize) {
        self.order.leave(id);
        self.found_busy = None;
        if cap.saturating_sub(self.order.len()) > (cap / 8).max(1) {
            self.full = false;
            self.busy = false;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Shared { limits, signals, .. } = &*self.connections.shared;
        self.connections.open().leave(&self.connection, limits);
        signals.changed();
    }
}

impl Place {
    /// Returns the memory budget of the heads that are not small.
    pub(super) fn large_heads(&self) -> &MemoryBudget {
        &self.connections.shared.large_heads
    }
}

/// Returns the network whose addresses are capped together: one address of IPv4, or a /64 of IPv6,
/// which one host commonly has.
fn network_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests;
