//! How a simulated cluster is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Settings of a simulated cluster; the defaults suit a test.
#[derive(Clone, Debug)]
pub struct Options {
    /// The loopback address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What is in the cluster when it starts.
    pub content: Content,
    /// The cluster's and context's name in the kubeconfig.
    pub name: String,
    /// Watch events kept for each kind: a watch that asks for older ones is refused with 410 (Expired).
    pub history: usize,
    /// Watch events of this age at most are kept too, up to 102,400 of them. A real server keeps those of 75 s (`eventFreshDuration`), so that a list
    /// that takes long can be followed by a watch.
    pub fresh: Duration,
    /// Time between two bookmarks of a watch; a real server takes about a minute.
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

/// What is in the cluster when it starts.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Content {
    /// The namespaces of every cluster, one node and no pods.
    #[default]
    Empty,
    /// Many ordinary pods, for load tests.
    Synthetic {
        /// Number of pods.
        pods: usize,
        /// Number of nodes; at least 1 is made.
        nodes: usize,
        /// Number of namespaces; at least 1 is made.
        namespaces: usize,
        /// Changes to pods per second; 0 leaves them alone.
        churn: f64,
    },
    /// A small shop with crash loops, roll-outs and talkative logs, for the demo.
    Shop {
        /// Which of the shop's clusters: `production` or `staging`.
        cluster: String,
    },
}
