//! Whether a server's certificate is accepted: webpki's judgement with the few exceptions that Go makes, and the reason for a refusal.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime},
};
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter, KeyUsage, RawPublicKeyEntity,
    RequiredEkuNotFoundContext, VerifiedPath, anchor_from_trusted_cert,
};

use super::{
    certificate::{Certificate, Validity},
    pem,
    refusal::{Refusal, Which},
};

/// `anyExtendedKeyUsage`, which Go takes for any use (RFC 5280 section 4.2.1.12).
const ANY_USE: KeyPurposeId<'static> = KeyPurposeId::new(&[0x55, 0x1d, 0x25, 0x00]);
/// `id-kp-serverAuth`.
const SERVER_AUTH: KeyPurposeId<'static> = KeyPurposeId::new(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]);

/// Judges the certificate of an API server.
#[derive(Debug)]
pub(super) struct Verifier {
    trust: Trust,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
enum Trust {
    /// Every certificate is accepted, as long as the server has its key.
    Anyone,
    Authorities {
        /// Parallel to `anchors`.
        certificates: Vec<Authority>,
        anchors: Vec<TrustAnchor<'static>>,
        /// Whether the kubeconfig names them; else they are the system's.
        named: bool,
    },
}

#[derive(Debug)]
struct Authority {
    der: CertificateDer<'static>,
    said: Certificate,
}

impl Verifier {
    /// Accepts every certificate.
    pub(super) fn of_anyone(provider: &CryptoProvider) -> Self {
        Self {
            trust: Trust::Anyone,
            algorithms: provider.signature_verification_algorithms,
        }
    }

    /// Accepts the authorities of a bundle. Those that can't be read are left out, as by Go.
    ///
    /// # Errors
    /// A sentence for a bundle without an authority.
    pub(super) fn of_authorities(bundle: &[u8], provider: &CryptoProvider) -> Result<Self, String> {
        Self::of(pem::certificates(bundle), true, provider).ok_or_else(|| {
            "the cluster's certificate authority (`certificate-authority-data`) holds no certificate in PEM that can be read: check that it is \
             the whole file, from `-----BEGIN CERTIFICATE-----`"
                .to_owned()
        })
    }

    /// Accepts the authorities that the system trusts, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`, as Go does. Blocks: reads files.
    ///
    /// # Errors
    /// A sentence for a system that has none.
    pub(super) fn of_system(provider: &CryptoProvider) -> Result<Self, String> {
        let found = rustls_native_certs::load_native_certs();
        Self::of(found.certs, false, provider).ok_or_else(|| {
            "no certificate authority is configured for the cluster, and this system trusts none: give the cluster's authority as \
             `certificate-authority-data`, or install the system's (the package `ca-certificates`)"
                .to_owned()
        })
    }

    fn of(bundle: Vec<CertificateDer<'static>>, named: bool, provider: &CryptoProvider) -> Option<Self> {
        let (mut certificates, mut anchors) = (Vec::new(), Vec::new());
        for der in bundle {
            let anchor = anchor_from_trusted_cert(&der).ok().map(|anchor| anchor.to_owned());
            if let (Some(anchor), Some(said)) = (anchor, Certificate::read(&der)) {
                anchors.push(anchor);
                certificates.push(Authority { der, said });
            }
        }
        (!anchors.is_empty()).then_some(Self {
            trust: Trust::Authorities {
                certificates,
                anchors,
                named,
            },
            algorithms: provider.signature_verification_algorithms,
        })
    }

    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let Trust::Authorities {
            certificates,
            anchors,
            named,
        } = &self.trust
        else {
            return Ok(());
        };
        let said = Certificate::read(leaf).ok_or(Refusal::Unreadable)?;
        check_strength(&said)?;
        if !said.is_v3 {
            // It has no extensions, thus no names.
            return Err(nameless(&said, name));
        }
        let parsed = EndEntityCert::try_from(leaf).map_err(|_| Refusal::Unreadable)?;
        // One of the authorities itself, byte for byte, is trusted as it is, as in Go's `Certificate.Verify`.
        if certificates.iter().any(|authority| authority.der == *leaf) {
            check_dates(&said, Which::Leaf, now)?;
            if !said.serves {
                return Err(Refusal::Purpose);
            }
        } else {
            let in_time = |path: &VerifiedPath<'_>| is_in_time(path.anchor(), certificates, anchors, now);
            let path = parsed.verify_for_usage(
                self.algorithms.all,
                anchors,
                intermediates,
                now,
                ForServers,
                None,
                Some(&in_time),
            );
            path.map_err(|error| explain(&error, &said, intermediates, certificates, *named, now))?;
        }
        parsed
            .verify_is_valid_for_subject_name(name)
            .map_err(|_| nameless_or_wrong(&said, name))
    }

    /// Checks that the server has the key of its certificate, which may be one that webpki does not read.
    fn check_signature(
        &self,
        certificate: &CertificateDer<'_>,
        verify: impl FnOnce(&Certificate) -> Result<HandshakeSignatureValid, rustls::Error>,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let said = Certificate::read(certificate).ok_or_else(|| refused(Refusal::Unreadable))?;
        if said.key.is_refused() {
            return Err(refused(Refusal::Key(Which::Leaf, said.key)));
        }
        verify(&said)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.judge(end_entity, intermediates, server_name, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(refusal) => Err(refused(refusal)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.check_signature(certificate, |said| {
            let key = RawPublicKeyEntity::try_from(&said.public_key).map_err(|_| refused(Refusal::Unreadable))?;
            // In TLS 1.2 a scheme does not name the curve: the algorithm is the one for this key.
            let mut mapping = self.algorithms.mapping.iter();
            let algorithms = mapping.find(|(scheme, _)| *scheme == signed.scheme);
            let mut algorithms = algorithms.into_iter().flat_map(|(_, algorithms)| *algorithms);
            if algorithms.any(|algorithm| key.verify_signature(*algorithm, message, signed.signature()).is_ok()) {
                Ok(HandshakeSignatureValid::assertion())
            } else {
                Err(CertificateError::BadSignature.into())
            }
        })
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.check_signature(certificate, |said| {
            verify_tls13_signature_with_raw_key(message, &said.public_key, signed, &self.algorithms)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// For servers, or for any use, or without a word about use.
struct ForServers;

impl ExtendedKeyUsageValidator for ForServers {
    fn validate(&self, uses: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        let mut present = Vec::new();
        for usage in uses {
            let usage = usage?;
            if usage == SERVER_AUTH || usage == ANY_USE {
                return Ok(());
            }
            present.push(usage.to_decoded_oid());
        }
        if present.is_empty() {
            return Ok(());
        }
        let required = KeyUsage::server_auth();
        Err(webpki::Error::RequiredEkuNotFoundContext(RequiredEkuNotFoundContext {
            required,
            present,
        }))
    }
}

/// webpki takes an authority whatever its dates are; Go does not. Of several with one name and key, one that is in time is enough.
fn is_in_time(
    used: &TrustAnchor<'_>,
    certificates: &[Authority],
    anchors: &[TrustAnchor<'static>],
    now: UnixTime,
) -> Result<(), webpki::Error> {
    let same = anchors.iter().zip(certificates).filter(|(anchor, _)| *anchor == used);
    let mut dates = same.map(|(_, authority)| authority.said.validity);
    if dates.clone().any(|dates| dates.has_begun(now) && !dates.is_over(now)) {
        return Ok(());
    }
    let bound = |seconds: i64| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds.unsigned_abs()));
    let Validity { from, to } = dates.next().unwrap_or(Validity { from: 0, to: 0 });
    let is_over = Validity { from, to }.is_over(now);
    Err(if is_over {
        webpki::Error::CertExpired {
            time: now,
            not_after: bound(to),
        }
    } else {
        webpki::Error::CertNotValidYet {
            time: now,
            not_before: bound(from),
        }
    })
}

fn check_strength(leaf: &Certificate) -> Result<(), Refusal> {
    if leaf.key.is_refused() {
        return Err(Refusal::Key(Which::Leaf, leaf.key));
    }
    match leaf.weak_signature {
        Some(algorithm) => Err(Refusal::WeakSignature(Which::Leaf, algorithm)),
        None => Ok(()),
    }
}

fn check_dates(said: &Certificate, which: Which, now: UnixTime) -> Result<(), Refusal> {
    match said.validity {
        dates if dates.is_over(now) => Err(Refusal::Expired(which, dates.to)),
        dates if !dates.has_begun(now) => Err(Refusal::NotYetValid(which, dates.from)),
        _ => Ok(()),
    }
}

fn nameless(leaf: &Certificate, name: &ServerName<'_>) -> Refusal {
    let asked = name.to_str().into_owned();
    match leaf.has_common_name {
        true => Refusal::CommonNameOnly { asked },
        false => Refusal::NoName { asked },
    }
}

fn nameless_or_wrong(leaf: &Certificate, name: &ServerName<'_>) -> Refusal {
    match leaf.has_alternative_names {
        true => Refusal::WrongName {
            asked: name.to_str().into_owned(),
        },
        false => nameless(leaf, name),
    }
}

fn refused(refusal: Refusal) -> rustls::Error {
    CertificateError::Other(OtherError(Arc::new(refusal))).into()
}

/// Finds which certificate of the chain webpki means, which it does not say.
fn explain(
    error: &webpki::Error,
    leaf: &Certificate,
    intermediates: &[CertificateDer<'_>],
    authorities: &[Authority],
    named: bool,
    now: UnixTime,
) -> Refusal {
    use webpki::Error as E;
    let sent: Vec<_> = intermediates.iter().filter_map(|der| Certificate::read(der)).collect();
    // The authorities that may have issued one of these.
    let issuers = authorities.iter().map(|authority| &authority.said).filter(|authority| {
        let of = |issued: &Certificate| issued.issuer == authority.subject;
        of(leaf) || sent.iter().any(of)
    });
    let chain: Vec<_> = std::iter::once((Which::Leaf, leaf))
        .chain(sent.iter().map(|said| (Which::Intermediate, said)))
        .chain(issuers.map(|said| (Which::Authority, said)))
        .collect();
    let with_key = || chain.iter().find(|(_, said)| said.key.is_refused());
    match error {
        E::CertExpired { .. } | E::CertNotValidYet { .. } => {
            let mut wrong = chain.iter().map(|(which, said)| check_dates(said, *which, now));
            wrong.find_map(Result::err).unwrap_or(Refusal::Unreadable)
        }
        E::InvalidSignatureForPublicKey | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => {
            with_key().map_or(Refusal::BadSignature, |(which, said)| Refusal::Key(*which, said.key))
        }
        E::UnsupportedSignatureAlgorithmContext(_) => {
            let weak = |(which, said): &(Which, &Certificate)| Some((*which, said.weak_signature?));
            // How an authority is signed does not count.
            let mut weak = chain
                .iter()
                .filter(|(which, _)| *which != Which::Authority)
                .filter_map(weak);
            match weak.next() {
                Some((which, algorithm)) => Refusal::WeakSignature(which, algorithm),
                None => Refusal::UnknownSignature,
            }
        }
        E::UnknownIssuer => Refusal::UnknownIssuer { named },
        E::CaUsedAsEndEntity => Refusal::Authority,
        E::RequiredEkuNotFoundContext(_) if !leaf.serves => Refusal::Purpose,
        E::RequiredEkuNotFoundContext(_)
        | E::EndEntityUsedAsCa
        | E::NameConstraintViolation
        | E::PathLenConstraintViolated => Refusal::Constraint,
        _ => Refusal::Unreadable,
    }
}
