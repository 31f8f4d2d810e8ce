//! The HTTP client for one API server: TLS, credentials, time-outs, and the addresses that it may
//! reach.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use http::{Request, Response, StatusCode, header::UPGRADE};
use kube::client::Body;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::{
    Error, MemoryBudget,
    error::{CallerParameters, Failure, Result},
    source::Loaded,
    wire::status::Status,
};

mod address;
mod body;
mod connect;
mod explain;
mod forward;
mod plug_in;
pub(crate) mod proxy;
mod shared;
pub(crate) mod tls;
mod uri;

pub use self::proxy::ProxyFailure;
pub(crate) use self::{
    body::{BodyReservation, Reserved, not_json},
    shared::SharedClient,
    uri::{pods_uri, uri},
};

/// The most bytes of a response that is read as a whole. The API server stores at most 1.5 MiB per
/// object, which YAML and escapes may enlarge.
const MAX_BODY: usize = 16 << 20;
/// The default of [`Policy::bodies`], in bytes.
const BODIES: usize = 128 << 20;
/// The most bytes that are read of the body of a failed response.
const MAX_STATUS: usize = 64 << 10;

/// The limits of calls: how long they may take, how much memory clusters may use, and which
/// addresses a cluster added through the API may have.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How long a connection attempt may take until the TCP connection is established.
    pub connect_timeout: Duration,
    /// How long a request may take until the head of its response, and how long a unary call may
    /// take in all.
    pub request_timeout: Duration,
    /// How long an exec plug-in may run. A call that needs its credential still waits no longer
    /// than [`Policy::request_timeout`].
    pub plug_in_timeout: Duration,
    /// The interval at which the files of an operator's source are read again, in case a token or
    /// certificate in them was renewed.
    pub credential_fresh: Duration,
    /// Networks that an untrusted source may reach although they are loopback or link-local.
    pub allowed_networks: Arc<[ipnet::IpNet]>,
    /// How long a followed log may be silent before we check that it is still advancing, and how
    /// long a terminal may leave pings unanswered before its connection counts as dead.
    pub stream_silence: Duration,
    /// The time-outs of the watches.
    pub watch: WatchTimeouts,
    /// The most pods that are kept of one cluster. Together they may take 4 KiB of memory for each
    /// of this number, or 64 MiB if that is more.
    pub max_pods: usize,
    /// The memory that the bodies of all clusters' responses may take together.
    pub bodies: MemoryBudget,
    /// How long one call may wait in all for its part of that memory.
    pub body_wait: Duration,
}

/// The time-outs of a watch.
#[derive(Clone, Debug)]
pub struct WatchTimeouts {
    /// How long a watch may go without an event or a bookmark before it is given up and the pods
    /// are listed again.
    pub silence: Duration,
    /// How long a list, paged or streamed, may go without a pod before it is given up.
    pub progress: Duration,
    /// How long a list may take in all.
    pub list: Duration,
    /// The shortest pause before a failed call is repeated. It doubles with each failure.
    pub retry_min: Duration,
    /// The longest pause.
    pub retry_max: Duration,
    /// How long a reopened watch must last before it counts as working, unless an event or a
    /// bookmark arrives earlier.
    pub settle: Duration,
    /// The pause between two requests for version and nodes.
    pub info: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            plug_in_timeout: Duration::from_secs(120),
            credential_fresh: Duration::from_secs(60),
            allowed_networks: Arc::new([]),
            stream_silence: Duration::from_secs(60),
            watch: WatchTimeouts::default(),
            max_pods: 1_000_000,
            bodies: MemoryBudget::new(BODIES),
            body_wait: Duration::from_secs(5),
        }
    }
}

impl Default for WatchTimeouts {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(180),
            progress: Duration::from_secs(10),
            list: Duration::from_secs(3600),
            retry_min: Duration::from_millis(500),
            retry_max: Duration::from_secs(30),
            settle: Duration::from_secs(1),
            info: Duration::from_secs(60),
        }
    }
}

impl Policy {
    /// Returns whether an untrusted source may connect to an address.
    ///
    /// It is called for each resolved address at connect time. An address that stands for an IPv4
    /// address (mapped, NAT64, 6to4) is judged as that IPv4 address.
    pub fn allows(&self, address: IpAddr) -> bool {
        let meant = address::meant(address);
        let allowed = |network: &ipnet::IpNet| network.contains(&address) || network.contains(&meant);
        self.allowed_networks.iter().any(allowed) || address::is_ordinary(meant)
    }
}

/// A client of one API server: [`kube::Client`] without its retries, with our time-outs and our
/// connector. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) inner: kube::Client,
    /// The client for upgrades, which need their own connection to the API server even if a proxy
    /// forwards all other requests.
    upgrading: kube::Client,
    pub(crate) policy: Policy,
    /// The cluster's name, for messages.
    pub(crate) cluster: Arc<str>,
    /// Whether the credential or the certificate was refused, so that the next call needs a new
    /// client, made from the source's current content.
    refused: Arc<AtomicBool>,
    /// Facts about the source that explain likely failures.
    hints: Arc<Hints>,
}

/// Facts about a source that explain likely failures.
#[derive(Debug)]
struct Hints {
    /// Why the source has no credential, as part of a sentence; `None` if it has one.
    anonymous: Option<String>,
    /// Whether the address was given without a scheme, which means http.
    bare: bool,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}

impl Client {
    fn new(inner: kube::Client, cluster: &str, policy: &Policy, loaded: &Loaded) -> Self {
        Self {
            upgrading: inner.clone(),
            inner,
            policy: policy.clone(),
            cluster: cluster.into(),
            refused: Arc::default(),
            hints: Arc::new(Hints {
                anonymous: loaded.anonymous.clone(),
                bare: loaded.bare,
            }),
        }
    }

    /// Returns the error for a refusal that is due to the source's having no credential; `None` for
    /// any other status or source.
    fn anonymous(&self, status: StatusCode, what: &str) -> Option<Error> {
        let why = self.hints.anonymous.as_ref()?;
        match status {
            StatusCode::UNAUTHORIZED => Some(Error::upstream(
                what,
                Failure::Anonymous {
                    why: why.as_str().into(),
                },
            )),
            StatusCode::FORBIDDEN => Some(Error::forbidden(format!(
                "{what} was refused by the cluster (status 403), because {why}"
            ))),
            _ => None,
        }
    }

    /// Sends a request and waits up to [`Policy::request_timeout`] for the head of its response,
    /// whatever its status. The body may take any time.
    ///
    /// # Errors
    /// [`Error::Upstream`] and [`Error::Timeout`], which name the cluster.
    pub(crate) async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Body>> {
        let what = self.what(&request);
        let inner = if request.headers().contains_key(UPGRADE) {
            &self.upgrading
        } else {
            &self.inner
        };
        let sent = inner.send(request.map(Body::from)).boxed();
        let response = match timeout(self.policy.request_timeout, sent).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                if explain::concerns_source(&error) {
                    self.refused.store(true, Ordering::Relaxed);
                }
                let what = if self.hints.bare {
                    format!("{what} (over http, because `server` of the kubeconfig has no scheme)")
                } else {
                    what
                };
                return Err(explain::failure(&error, &what));
            }
            Err(_) => {
                let seconds = self.policy.request_timeout.as_secs_f32();
                return Err(Error::timeout(format!("{what} was not answered within {seconds} s")));
            }
        };
        if response.status() == StatusCode::UNAUTHORIZED {
            self.refused.store(true, Ordering::Relaxed);
        }
        match self.anonymous(response.status(), &what) {
            Some(error) => Err(error),
            None => Ok(response),
        }
    }

    /// Sends a request as [`Client::send`] does, and fails for any status other than success.
    ///
    /// # Errors
    /// Those of [`Client::send`] and of [`Error::from_status`].
    pub(crate) async fn request(&self, request: Request<Vec<u8>>) -> Result<Response<Body>> {
        self.request_with(request, &[]).await
    }

    /// Sends a request as [`Client::request`] does. `given` are the parameters that the caller
    /// chose.
    pub(crate) async fn request_with(
        &self,
        request: Request<Vec<u8>>,
        given: &CallerParameters<'_>,
    ) -> Result<Response<Body>> {
        let what = self.what(&request);
        let response = self.send(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.refusal_in_full(response, &what, given).await.1)
    }

    /// Returns the error for a response other than success, and the `Status` in its body, if it has
    /// one. At most [`MAX_STATUS`] bytes of the body are read.
    pub(crate) async fn refusal_in_full(
        &self,
        response: Response<Body>,
        what: &str,
        given: &CallerParameters<'_>,
    ) -> (Option<Status>, Error) {
        let status = response.status().as_u16();
        let body = timeout(self.policy.request_timeout, body::beginning(response, MAX_STATUS)).await;
        let body = body.unwrap_or_default();
        (Status::parse(&body), Error::from_status(status, &body, what, given))
    }

    /// Returns the whole response as JSON.
    ///
    /// Use it only where little of the response is kept, because its memory is counted only while
    /// it is parsed.
    ///
    /// # Errors
    /// As [`Client::bytes`] and [`Reserved::parse`].
    pub(crate) async fn json<T: DeserializeOwned>(&self, request: Request<Vec<u8>>) -> Result<T> {
        self.json_with(request, &[]).await
    }

    /// Returns the whole response as [`Client::json`] does. `given` are the parameters that the
    /// caller chose.
    pub(crate) async fn json_with<T: DeserializeOwned>(
        &self,
        request: Request<Vec<u8>>,
        given: &CallerParameters<'_>,
    ) -> Result<T> {
        let what = self.what(&request);
        self.bytes_with(request, given).await?.parse(&what).await
    }

    /// Returns the body of a response as JSON. The caller must limit the time.
    ///
    /// # Errors
    /// As [`Client::json`].
    pub(crate) async fn rest<T: DeserializeOwned>(&self, response: Response<Body>, what: &str) -> Result<T> {
        let reservation = BodyReservation::new(&self.policy);
        body::read(response, MAX_BODY, what, reservation)
            .await?
            .parse(what)
            .await
    }

    /// Returns the whole response, of at most [`MAX_BODY`] bytes, within
    /// [`Policy::request_timeout`].
    ///
    /// # Errors
    /// Those of [`Client::request`]; [`Error::Upstream`] for a longer response; [`Error::Busy`].
    pub(crate) async fn bytes(&self, request: Request<Vec<u8>>) -> Result<Reserved<Vec<u8>>> {
        self.bytes_with(request, &[]).await
    }

    async fn bytes_with(&self, request: Request<Vec<u8>>, given: &CallerParameters<'_>) -> Result<Reserved<Vec<u8>>> {
        let what = self.what(&request);
        let whole = async {
            let response = self.request_with(request, given).await?;
            body::read(response, MAX_BODY, &what, BodyReservation::new(&self.policy)).await
        };
        self.within(whole, &what).await
    }

    /// Runs a future for at most [`Policy::request_timeout`].
    pub(crate) async fn within<T>(&self, whole: impl Future<Output = Result<T>>, what: &str) -> Result<T> {
        timeout(self.policy.request_timeout, whole).await.unwrap_or_else(|_| {
            let seconds = self.policy.request_timeout.as_secs_f32();
            Err(Error::timeout(format!(
                "{what} was not answered completely within {seconds} s"
            )))
        })
    }

    /// Returns a call's name for messages, such as "GET /api/v1/pods on cluster `prod`".
    pub(crate) fn what<T>(&self, request: &Request<T>) -> String {
        format!(
            "{} {} on cluster `{}`",
            request.method(),
            request.uri().path(),
            self.cluster
        )
    }

    /// Returns the error for a broken connection or body.
    pub(crate) fn broken(&self, error: &(dyn std::error::Error + 'static), what: &str) -> Error {
        explain::failure(error, what)
    }

    /// Returns whether the credential or the certificate was refused since this client was made.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

/// Makes a GET request for a path from [`uri()`].
pub(crate) fn get(uri: &str) -> Result<Request<Vec<u8>>> {
    Request::get(uri)
        .body(Vec::new())
        .map_err(|error| Error::invalid(format!("the address of a call is not valid: {error}")))
}
