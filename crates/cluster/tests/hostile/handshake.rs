//! Servers with which no TLS connection comes about: by their certificate, or by what they do in
//! the handshake.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use podgate_cluster::{Error, Source};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer},
    sign::{CertifiedKey, SingleCertAndKey},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use crate::{DEADLINE, Operation, face, operations, server::EVIL};

/// The credential of the cluster, which only its API server may see.
const TOKEN: &str = "secret-of-the-cluster";

/// Types of TLS records that a client may send before its peer has proved who it is (RFC 8446,
/// 5.1).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// The ways in which a connection fails to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Nothing: the certificate is a good one.
    Nothing,
    Expired,
    NotYetValid,
    WrongName,
    UnknownIssuer,
    /// Issued by an authority that has the name of the configured one, and another key.
    OtherKeyOfIssuer,
    /// The certificate of an authority that is not configured.
    Authority,
    CommonNameOnly,
    /// Bytes that are not a certificate.
    Unreadable,
    /// No answer at all.
    Silence,
    /// The head of a record, and then nothing.
    SilenceInRecord,
    /// A byte of a record now and then.
    Trickle,
    /// Bytes that are not TLS.
    Garbage,
    /// An answer in HTTP without TLS.
    PlainHttp,
    /// The end of the connection.
    Close,
    /// A handshake message of 16 MiB in records without end.
    EndlessMessage,
}

use Fault::*;

/// All of them, each with words of the sentence that names it.
const FAULTS: &[(Fault, &str)] = &[
    (Expired, "the API server's certificate expired on 2021-01-01"),
    (NotYetValid, "not valid yet, only from 2090-01-01"),
    (WrongName, "not valid for `localhost`"),
    (UnknownIssuer, "not issued by the cluster's certificate authority"),
    (OtherKeyOfIssuer, "the name of the configured one and another key"),
    (Authority, "an authority's own (CA:TRUE)"),
    (CommonNameOnly, "in the common name (CN) only"),
    (Unreadable, "can't be read as an X.509 certificate"),
    (Silence, "within 2 s"),
    (SilenceInRecord, "within 2 s"),
    (Trickle, "within 2 s"),
    (Garbage, "does not speak TLS"),
    (PlainHttp, "does not speak TLS"),
    (Close, "closed the connection"),
    (EndlessMessage, "does not speak TLS"),
];

impl Fault {
    /// Returns whether the server never ends its part of the handshake, so that only a limit on
    /// time helps.
    fn is_endless(self) -> bool {
        matches!(self, Silence | SilenceInRecord | Trickle)
    }

    /// Returns the chain that the server presents, and the authority of the cluster, as PEM. `None`
    /// for a server that presents no certificate.
    fn certificate(self) -> Option<(CertifiedKey, String)> {
        let authority = authority("of the cluster");
        let mut leaf = named(CertificateParams::new(["localhost".to_owned()]).unwrap(), EVIL);
        let mut issuer = None;
        match self {
            Nothing | Unreadable => {}
            Expired => (leaf.not_before, leaf.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
            NotYetValid => (leaf.not_before, leaf.not_after) = (date_time_ymd(2090, 1, 1), date_time_ymd(2091, 1, 1)),
            WrongName => {
                leaf = named(
                    CertificateParams::new([format!("{EVIL}.example")]).unwrap(),
                    "localhost",
                )
            }
            UnknownIssuer => issuer = Some(self::authority(EVIL)),
            OtherKeyOfIssuer => issuer = Some(self::authority("of the cluster")),
            Authority => leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained),
            CommonNameOnly => leaf = named(CertificateParams::default(), EVIL),
            _ => return None,
        }
        let key = KeyPair::generate().unwrap();
        let der = match self {
            Unreadable => CertificateDer::from(EVIL.repeat(100).into_bytes()),
            Authority => leaf.self_signed(&key).unwrap().der().clone(),
            _ => {
                let issuer = issuer.as_ref().unwrap_or(&authority);
                leaf.signed_by(&key, issuer).unwrap().der().clone()
            }
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let key = aws_lc_rs::sign::any_supported_type(&key).unwrap();
        Some((CertifiedKey::new(vec![der], key), authority.pem()))
    }
}

fn named(mut params: CertificateParams, name: &str) -> CertificateParams {
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = named(CertificateParams::default(), name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// The server's observations of its clients.
#[derive(Debug, Default)]
struct Seen {
    /// Connections.
    connections: AtomicUsize,
    /// Connections on which a client sent more than its part of a handshake.
    requests: AtomicUsize,
}

/// A running server. Dropping it ends it and its connections.
struct Server {
    port: u16,
    authority: String,
    seen: Arc<Seen>,
    stop: oneshot::Sender<()>,
    task: AbortOnDropHandle<()>,
}

impl Server {
    async fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (certificate, authority) = fault.certificate().unzip();
        let acceptor = certificate.map(acceptor);
        let seen = Arc::new(Seen::default());
        let (stop, mut stopped) = oneshot::channel();
        let counts = seen.clone();
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let stream = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap().0,
                    _ = &mut stopped => break,
                };
                counts.connections.fetch_add(1, Ordering::Relaxed);
                let (acceptor, counts) = (acceptor.clone(), counts.clone());
                connections.spawn(async move {
                    let has_sent = match acceptor {
                        Some(acceptor) => has_sent_within(&acceptor, stream).await,
                        None => has_sent_beside(fault, stream).await,
                    };
                    counts.requests.fetch_add(usize::from(has_sent), Ordering::Relaxed);
                });
            }
            connections.join_all().await;
        });
        Self {
            port,
            authority: authority.unwrap_or_else(|| self::authority("of the cluster").pem()),
            seen,
            stop,
            task: AbortOnDropHandle::new(task),
        }
    }

    fn source(&self) -> Source {
        let url = format!("https://localhost:{}", self.port);
        Source::from_parts(&url, TOKEN, &self.authority).unwrap()
    }

    /// Waits until the clients have closed all connections. Returns what was seen on them.
    async fn end(self) -> Arc<Seen> {
        let _ = self.stop.send(());
        self.task.await.unwrap();
        self.seen
    }
}

fn acceptor(certificate: CertifiedKey) -> TlsAcceptor {
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certificate)));
    TlsAcceptor::from(Arc::new(config))
}

/// Returns whether the client sends anything within TLS.
async fn has_sent_within(acceptor: &TlsAcceptor, stream: TcpStream) -> bool {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return false;
    };
    stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0)
}

/// Returns whether the client sends anything but its part of a handshake that never completes.
async fn has_sent_beside(fault: Fault, mut stream: TcpStream) -> bool {
    let (mut reader, mut writer) = stream.split();
    let mut sent = Vec::new();
    let acting = async {
        let _ = act(fault, &mut writer).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = reader.read_to_end(&mut sent) => {}
        () = acting => {}
    }
    !is_handshake(&sent)
}

async fn act(fault: Fault, writer: &mut (impl AsyncWriteExt + Unpin)) -> io::Result<()> {
    match fault {
        SilenceInRecord => writer.write_all(&[HANDSHAKE, 3, 3, 1, 0]).await,
        Trickle => {
            writer.write_all(&[HANDSHAKE, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc]).await?;
            loop {
                tokio::time::sleep(Duration::from_millis(20)).await;
                writer.write_all(&[3]).await?;
            }
        }
        Garbage => writer.write_all(format!("\u{1b}[2J{EVIL}\r\n\r\n").as_bytes()).await,
        PlainHttp => {
            let answer = format!("HTTP/1.1 400 {EVIL}\r\nContent-Length: 0\r\n\r\n");
            writer.write_all(answer.as_bytes()).await
        }
        Close => writer.shutdown().await,
        EndlessMessage => {
            let record = [&[HANDSHAKE, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff][..], &[0; 0x3ffc]].concat();
            writer.write_all(&record).await?;
            loop {
                writer.write_all(&[&record[..5], &[0; 0x4000]].concat()).await?;
            }
        }
        _ => Ok(()),
    }
}

/// Returns whether bytes are records of a handshake, or alerts, and nothing else. The last may be
/// cut short.
fn is_handshake(mut bytes: &[u8]) -> bool {
    while let Some(kind) = bytes.first() {
        if ![ALERT, HANDSHAKE].contains(kind) {
            return false;
        }
        let Some(length) = bytes.get(3..5) else { return true };
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        bytes = bytes.get(5 + length..).unwrap_or_default();
    }
    true
}

/// Crosses all operations with all faults, those of one fault at a time.
pub(crate) async fn check() {
    let good = run(&operations()[0], Nothing, "").await;
    assert!(
        good.iter().any(|wrong| wrong == "sent a request"),
        "a request is not seen: {good:?}"
    );
    let mut wrong = Vec::new();
    for (fault, words) in FAULTS {
        let operations = operations();
        let runs = operations.iter().map(|operation| async move {
            let case = |wrong| format!("{} against {fault:?} {wrong}", operation.name);
            run(operation, *fault, words).await.into_iter().map(case).collect()
        });
        let each: Vec<Vec<String>> = join_all(runs).await;
        wrong.extend(each.into_iter().flatten());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs an operation against a fault. Returns what is wrong with what it came to.
async fn run(operation: &Operation, fault: Fault, words: &str) -> Vec<String> {
    let server = Server::start(fault).await;
    let (outcome, mut wrong) = face(operation, server.source()).await;
    match outcome {
        Err(error) => wrong.extend(judge(&error, fault, words)),
        Ok(()) => wrong.push("succeeds".to_owned()),
    }
    let Ok(seen) = timeout(DEADLINE, server.end()).await else {
        wrong.push("keeps connections".to_owned());
        return wrong;
    };
    if seen.connections.load(Ordering::Relaxed) == 0 {
        wrong.push("never connected".to_owned());
    }
    if seen.requests.load(Ordering::Relaxed) > 0 {
        wrong.push("sent a request".to_owned());
    }
    wrong
}

/// Returns what is wrong with the kind and the message of a failure; `None` if nothing is.
fn judge(error: &Error, fault: Fault, words: &str) -> Option<String> {
    let is_fitting = match error {
        Error::Timeout(_) => fault.is_endless(),
        Error::Upstream { .. } => !fault.is_endless(),
        _ => false,
    };
    let text = error.to_string();
    let of_the_peer = text.to_ascii_uppercase().contains(EVIL) || text.contains(TOKEN);
    let of_a_library = ["rustls", "webpki", "Error(", "Some(", "InvalidCertificate", "{"]
        .iter()
        .any(|word| text.contains(word));
    let fine = is_fitting && text.contains(words) && !of_the_peer && !of_a_library;
    (!fine).then(|| format!("says {error:?}"))
}
