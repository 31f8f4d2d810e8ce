//! How the operator sets up the server.

use ipnet::IpNet;
use url::Url;

use crate::{serve, ws};

/// How the server is reached, and by whom.
#[derive(Clone, Debug)]
pub struct Options {
    /// Path under which everything lives, such as `/podgate`; empty for the root. No slash at its
    /// end.
    pub base_path: String,
    /// The address that users type, if the operator named it. Its origin is our own.
    pub public_url: Option<Url>,
    /// Further origins (`https://host[:port]`) whose pages may use the API.
    pub allowed_origins: Vec<String>,
    /// Names beside those of `public_url` and `allowed_origins` that a request may have in `Host`.
    pub allowed_hosts: Vec<String>,
    /// Networks of the proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Our own listener speaks TLS.
    pub https: bool,
    /// Networks that may read `/metrics`. `None` is loopback, where nothing says that there is a
    /// proxy: neither a public URL nor a trusted proxy nor a base path.
    pub metrics_networks: Option<Vec<IpNet>>,
    /// A bearer token that may read `/metrics` from anywhere.
    pub metrics_token: Option<String>,
    /// Caps and time limits of connections.
    pub connections: serve::Limits,
    /// Caps and times of WebSockets.
    pub websockets: ws::Limits,
    /// Bytes of memory that lists, details, manifests and events over 64 KiB may take together
    /// while they are sent, of which one session may hold a quarter.
    pub answers: usize,
    /// Bytes of memory that logs in JSON may take together; one takes up to about 10 MiB, and one
    /// session a quarter.
    pub json_logs: usize,
    /// Bytes of memory that log streams, log downloads and terminals may take together; each
    /// reserves at most 2 MiB, and a log stream 128 KiB more for each further container.
    pub stream_memory: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            base_path: String::new(),
            public_url: None,
            allowed_origins: Vec::new(),
            allowed_hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            https: false,
            metrics_networks: None,
            metrics_token: None,
            connections: serve::Limits::default(),
            websockets: ws::Limits::default(),
            answers: 128 << 20,
            json_logs: 128 << 20,
            stream_memory: 512 << 20,
        }
    }
}
