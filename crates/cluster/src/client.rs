//! HTTP to one API server: TLS, credentials, time-outs, and which addresses may be reached.

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

/// The most bytes of an answer that is read whole. The API server stores at most 1.5 MiB of one object; YAML and escapes may grow it.
const MAX_BODY: usize = 16 << 20;
/// The default of [`Policy::bodies`], in bytes.
const BODIES: usize = 128 << 20;
/// The most of a failure's body that is read.
const MAX_STATUS: usize = 64 << 10;

/// How long calls may take, and which addresses a cluster added through the API may have.
#[derive(Clone, Debug)]
pub struct Policy {
    /// From the start of a connection attempt to an established TCP connection.
    pub connect_timeout: Duration,
    /// From sending a request to the head of its answer, and for a whole unary answer.
    pub request_timeout: Duration,
    /// From the start of an exec plug-in to its end. Who waits for a client does so for [`Policy::request_timeout`] at most.
    pub plug_in_timeout: Duration,
    /// The files of an operator's source are read again after so long, in case a token or certificate in them was renewed.
    pub credential_fresh: Duration,
    /// Networks that an untrusted source may reach although they are loopback or link-local.
    pub allowed_networks: Arc<[ipnet::IpNet]>,
    /// A followed log without a line for so long is checked: whether it has gone on, and its connection is dead. A terminal's connection that
    /// answers no ping for so long is dead.
    pub stream_silence: Duration,
    /// How patient the watches are.
    pub watch: WatchTimeouts,
    /// Pods that are kept of one cluster at most. Together they may take 4 KiB each of memory, and 64 MiB in any case.
    pub max_pods: usize,
    /// What the bodies of all clusters' answers may take together, as far as they are in memory.
    pub bodies: MemoryBudget,
    /// How long a call may wait for its part of that in all.
    pub body_wait: Duration,
}

/// How long a watch waits before it does something about it.
#[derive(Clone, Debug)]
pub struct WatchTimeouts {
    /// A watch without event and bookmark for so long is given up, and the pods are listed again.
    pub silence: Duration,
    /// A list, by pages or streamed, that brings no pod for so long is given up.
    pub progress: Duration,
    /// A list that has not ended after so long is given up, whatever it brings.
    pub list: Duration,
    /// The shortest pause before a failed call is repeated; doubled with each failure.
    pub retry_min: Duration,
    /// The longest such pause.
    pub retry_max: Duration,
    /// A connection that was lost counts as whole again after so long, or with the first event or bookmark.
    pub settle: Duration,
    /// Between two looks at version and nodes.
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
    /// Whether an untrusted source may connect to an address, asked of each address as resolved, at connect time. An address that
    /// stands for an IPv4 one (mapped, NAT64, 6to4) is judged as that.
    pub fn allows(&self, address: IpAddr) -> bool {
        let meant = address::meant(address);
        let allowed = |network: &ipnet::IpNet| network.contains(&address) || network.contains(&meant);
        self.allowed_networks.iter().any(allowed) || address::is_ordinary(meant)
    }
}

/// A client of one API server: [`kube::Client`] without its retries, with our time-outs and our connector. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) inner: kube::Client,
    /// For upgrades, which need a connection of their own to the API server, also where a proxy forwards all other requests.
    upgrading: kube::Client,
    pub(crate) policy: Policy,
    /// The cluster's name, for messages.
    pub(crate) cluster: Arc<str>,
    /// Credential or certificate were refused: the next call should be made with what the source holds now.
    refused: Arc<AtomicBool>,
    /// What to say beside a failure that the source makes likely.
    hints: Arc<Hints>,
}

/// What is peculiar about a source, as parts of a sentence.
#[derive(Debug)]
struct Hints {
    /// Why there is no credential.
    anonymous: Option<String>,
    /// The address has no scheme.
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

    /// What a refusal means where the source has no credential that could be renewed.
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

    /// Sends a request and waits for the head of its answer, whatever its status, at most [`Policy::request_timeout`] long. The body may then
    /// take as long as it likes.
    ///
    /// # Errors
    /// [`Error::Upstream`] and [`Error::Timeout`], naming the cluster.
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

    /// As [`Client::send`], and any status but a success is an error.
    ///
    /// # Errors
    /// Those of [`Client::send`] and of [`Error::from_status`].
    pub(crate) async fn request(&self, request: Request<Vec<u8>>) -> Result<Response<Body>> {
        self.request_with(request, &[]).await
    }

    /// As [`Client::request`], with the parameters that the caller chose.
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

    /// Returns what an answer other than success means, and the `Status` that it came with; reads its body as far as that is sane.
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

    /// Returns the whole answer as JSON. Not for what keeps much of the answer: its memory is counted only while it is parsed.
    ///
    /// # Errors
    /// As [`Client::bytes`] and [`Reserved::parse`].
    pub(crate) async fn json<T: DeserializeOwned>(&self, request: Request<Vec<u8>>) -> Result<T> {
        self.json_with(request, &[]).await
    }

    /// As [`Client::json`], with the parameters that the caller chose.
    pub(crate) async fn json_with<T: DeserializeOwned>(
        &self,
        request: Request<Vec<u8>>,
        given: &CallerParameters<'_>,
    ) -> Result<T> {
        let what = self.what(&request);
        self.bytes_with(request, given).await?.parse(&what).await
    }

    /// Returns the rest of an answer as JSON. For as long as it takes: whoever calls it has a limit.
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

    /// Returns the whole answer, of at most [`MAX_BODY`] bytes, within [`Policy::request_timeout`].
    ///
    /// # Errors
    /// Those of [`Client::request`]; [`Error::Upstream`] for a longer answer; [`Error::Busy`].
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

    /// Gives up what has not ended within [`Policy::request_timeout`].
    pub(crate) async fn within<T>(&self, whole: impl Future<Output = Result<T>>, what: &str) -> Result<T> {
        timeout(self.policy.request_timeout, whole).await.unwrap_or_else(|_| {
            let seconds = self.policy.request_timeout.as_secs_f32();
            Err(Error::timeout(format!(
                "{what} was not answered whole within {seconds} s"
            )))
        })
    }

    /// Names a call in messages: "GET /api/v1/pods on cluster `prod`".
    pub(crate) fn what<T>(&self, request: &Request<T>) -> String {
        format!(
            "{} {} on cluster `{}`",
            request.method(),
            request.uri().path(),
            self.cluster
        )
    }

    /// What a broken connection or body means, as a sentence that names the cluster.
    pub(crate) fn broken(&self, error: &(dyn std::error::Error + 'static), what: &str) -> Error {
        explain::failure(error, what)
    }

    /// Whether credential or certificate were refused since this client was made.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }
}

/// A GET of a path made by [`uri()`].
pub(crate) fn get(uri: &str) -> Result<Request<Vec<u8>>> {
    Request::get(uri)
        .body(Vec::new())
        .map_err(|error| Error::invalid(format!("the address of a call is not valid: {error}")))
}
