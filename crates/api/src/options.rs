//! The operator's settings of the server.

use ipnet::IpNet;
use url::Url;

use crate::{page_files::Page, serve, ws};

/// The settings of the server: how it is reached, by whom, and its limits.
#[derive(Clone, Debug)]
pub struct Options {
    /// The path under which everything is served, such as `/podgate`, without a slash at its end.
    /// It is empty for the root.
    pub base_path: String,
    /// The address that users type, if the operator named it. Its origin counts as Podgate's own.
    pub public_url: Option<Url>,
    /// Further origins (`https://host[:port]`) whose pages may use the API.
    pub allowed_origins: Vec<String>,
    /// Names that a request may have in `Host`, in addition to those of `public_url` and
    /// `allowed_origins`.
    pub allowed_hosts: Vec<String>,
    /// Networks of the proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether Podgate's own listener speaks TLS.
    pub https: bool,
    /// Networks that may read `/metrics`. `None` means loopback, provided that no option hints at a
    /// proxy (a public URL, a trusted proxy or a base path).
    pub metrics_networks: Option<Vec<IpNet>>,
    /// A bearer token that may read `/metrics` from anywhere.
    pub metrics_token: Option<String>,
    /// Caps and time limits of connections.
    pub connections: serve::Limits,
    /// Caps and time limits of WebSockets.
    pub websockets: ws::Limits,
    /// Bytes of memory that answers over 64 KiB (lists, details, manifests and events) may take
    /// together while they are sent. One session may hold a quarter of them.
    pub answers: usize,
    /// Bytes of memory that logs in JSON may take together. One log takes up to about 10 MiB, and
    /// one session may hold a quarter of the total.
    pub json_logs: usize,
    /// Bytes of memory that log streams, log downloads and terminals may take together. Each
    /// reserves at most 2 MiB, and a log stream 128 KiB more for each container after the first.
    pub stream_memory: usize,
    /// The web page; `None` if the UI was not built.
    pub page: Option<Page>,
    /// Words for what only some servers offer, as `GET /api/version` lists them.
    pub features: Vec<&'static str>,
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
            page: None,
            features: Vec::new(),
        }
    }
}
