//! HTTP to one API server: TLS, credentials, time-outs, and which addresses may be reached.

use std::{net::IpAddr, sync::Arc, time::Duration};

/// How long calls may take, and which addresses a cluster added through the API may have.
#[derive(Clone, Debug)]
pub struct Policy {
    /// From the start of a connection attempt to an established TCP connection.
    pub connect_timeout: Duration,
    /// From sending a request to the head of its answer, and for a whole unary answer.
    pub request_timeout: Duration,
    /// Networks that an untrusted source may reach although they are loopback or link-local.
    pub allowed_networks: Arc<[ipnet::IpNet]>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            allowed_networks: Arc::new([]),
        }
    }
}

impl Policy {
    /// Whether an untrusted source may connect to an address, asked of each address as resolved, at connect time.
    pub fn allows(&self, _address: IpAddr) -> bool {
        todo!()
    }
}

/// A client of one API server: [`kube::Client`] without its retries, with our time-outs and our connector. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: kube::Client,
    pub(crate) policy: Policy,
    /// The cluster's name, for messages.
    pub(crate) cluster: Arc<str>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}
