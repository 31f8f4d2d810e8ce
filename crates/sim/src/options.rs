//! Options of a simulated cluster.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Options of a simulated cluster.
///
/// The defaults suit a test.
#[derive(Clone, Debug)]
pub struct Options {
    /// The loopback address to listen on. Port 0 means any free port.
    pub listen: SocketAddr,
    /// The objects that the cluster starts with.
    pub content: Content,
    /// The name of the cluster and its context in the kubeconfig.
    pub name: String,
    /// How many watch events are kept for each kind. A watch from an earlier version is refused
    /// with 410 (Expired).
    pub history: usize,
    /// The age up to which further watch events are kept, at most 102,400 in all.
    ///
    /// A real server keeps them for 75 s (`eventFreshDuration`), so that a watch can continue from
    /// a list that took a long time.
    pub fresh: Duration,
    /// The time between two bookmarks of a watch; about a minute on a real server.
    pub bookmark_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            content: Content::Empty,
            name: "sim".to_owned(),
            history: 4096,
            fresh: Duration::ZERO,
            bookmark_every: Duration::from_secs(5),
        }
    }
}

/// The objects that the cluster starts with.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Content {
    /// One node, no pods, and the namespaces that every cluster has.
    #[default]
    Empty,
    /// Many ordinary pods, for load tests.
    Synthetic {
        /// The number of pods.
        pods: usize,
        /// The number of nodes, at least 1.
        nodes: usize,
        /// The number of namespaces, at least 1.
        namespaces: usize,
        /// Changes to pods per second; 0 for none.
        churn: f64,
    },
    /// A small shop with crash loops, roll-outs and talkative logs, for the demo.
    Shop {
        /// The cluster of the shop: `production` or `staging`.
        cluster: String,
    },
}
