//! The certificate authorities that a server's certificate is checked against.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::anchor_from_trusted_cert;

use super::{certificate::Certificate, pem};

/// How long the system's authorities are kept before they are read again.
const KEPT: Duration = Duration::from_secs(600);

/// One or more authorities.
#[derive(Debug)]
pub(super) struct Roots {
    authorities: Vec<Authority>,
    /// The trust anchors for webpki, in the same order.
    pub(super) anchors: Vec<TrustAnchor<'static>>,
    /// Whether the kubeconfig names the authorities. Otherwise they are the system's.
    pub(super) are_named: bool,
}

#[derive(Debug)]
struct Authority {
    der: CertificateDer<'static>,
    said: Certificate,
}

impl Roots {
    /// Reads the authorities of a bundle in PEM. Unreadable ones are skipped, as in Go.
    ///
    /// # Errors
    /// A sentence for a bundle without an authority.
    pub(super) fn from_pem(bundle: &[u8]) -> Result<Arc<Self>, String> {
        Self::from_certificates(pem::certificates(bundle), true).ok_or_else(|| {
            "the cluster's certificate authority (`certificate-authority-data`, `caCert`) holds no certificate in PEM that can be read: check \
             that it is the whole file, from its BEGIN line to its END line"
                .to_owned()
        })
    }

    /// Returns the authorities that the system trusts, or those of `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR`, as in Go.
    ///
    /// Blocks, because it reads files. All clusters share the result, because there are about 150
    /// authorities.
    ///
    /// # Errors
    /// A sentence for a system without authorities.
    pub(super) fn from_system() -> Result<Arc<Self>, String> {
        static SYSTEM: Mutex<Option<(Instant, Arc<Roots>)>> = Mutex::new(None);
        let mut kept = SYSTEM.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, roots)) = kept.as_ref()
            && since.elapsed() < KEPT
        {
            return Ok(roots.clone());
        }
        let found = rustls_native_certs::load_native_certs();
        let roots = Self::from_certificates(found.certs, false).ok_or_else(|| {
            "no certificate authority is configured for the cluster, and this system trusts none: give the cluster's authority as \
             `certificate-authority-data`, or install the system's (the package `ca-certificates`)"
                .to_owned()
        })?;
        *kept = Some((Instant::now(), roots.clone()));
        Ok(roots)
    }

    fn from_certificates(bundle: Vec<CertificateDer<'static>>, are_named: bool) -> Option<Arc<Self>> {
        let read = |der: CertificateDer<'static>| {
            let anchor = anchor_from_trusted_cert(&der).ok()?.to_owned();
            let said = Certificate::read(&der)?;
            Some((Authority { der, said }, anchor))
        };
        let (authorities, anchors): (Vec<_>, Vec<_>) = bundle.into_iter().filter_map(read).unzip();
        (!anchors.is_empty()).then(|| {
            Arc::new(Self {
                authorities,
                anchors,
                are_named,
            })
        })
    }

    /// Returns whether a certificate is one of the authorities, byte for byte.
    pub(super) fn contains(&self, certificate: &CertificateDer<'_>) -> bool {
        self.authorities.iter().any(|authority| authority.der == *certificate)
    }

    /// Returns the contents of the authorities' certificates.
    pub(super) fn said(&self) -> impl Iterator<Item = &Certificate> + Clone {
        self.authorities.iter().map(|authority| &authority.said)
    }

    /// Checks the dates of the authority at the end of a chain, as Go does; webpki accepts an
    /// authority whatever its dates are. If several authorities have the same name and key, one
    /// valid one is enough.
    pub(super) fn check_dates(&self, used: &TrustAnchor<'_>, now: UnixTime) -> Result<(), webpki::Error> {
        let same = self
            .anchors
            .iter()
            .zip(self.said())
            .filter(|(anchor, _)| *anchor == used);
        let mut dates = same.map(|(_, said)| said.validity);
        if dates.clone().any(|dates| dates.has_begun(now) && !dates.is_over(now)) {
            return Ok(());
        }
        let bound = |seconds: i64| UnixTime::since_unix_epoch(Duration::from_secs(seconds.unsigned_abs()));
        Err(match dates.next() {
            Some(dates) if dates.is_over(now) => webpki::Error::CertExpired {
                time: now,
                not_after: bound(dates.to),
            },
            Some(dates) => webpki::Error::CertNotValidYet {
                time: now,
                not_before: bound(dates.from),
            },
            None => webpki::Error::UnknownIssuer,
        })
    }
}
