//! The verifier of servers' certificates. It decides as webpki does, with the few exceptions that
//! Go makes, and explains refusals.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use webpki::{
    EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeId, KeyPurposeIdIter, KeyUsage, RawPublicKeyEntity,
    RequiredEkuNotFoundContext, VerifiedPath,
};

use super::{
    certificate::Certificate,
    refusal::{CertificateRole, Refusal},
    roots::Roots,
};

/// `anyExtendedKeyUsage`, which Go accepts for any use (RFC 5280 section 4.2.1.12).
const ANY_USE: KeyPurposeId<'static> = KeyPurposeId::new(&[0x55, 0x1d, 0x25, 0x00]);
/// `id-kp-serverAuth`.
const SERVER_AUTH: KeyPurposeId<'static> = KeyPurposeId::new(&[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]);

/// A verifier of API servers' certificates.
#[derive(Debug)]
pub(super) struct Verifier {
    roots: Option<Arc<Roots>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    /// Makes a verifier that accepts certificates issued by these authorities. Without authorities,
    /// it accepts any certificate whose key the server has.
    pub(super) fn new(roots: Option<Arc<Roots>>, provider: &CryptoProvider) -> Self {
        Self {
            roots,
            algorithms: provider.signature_verification_algorithms,
        }
    }

    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let Some(roots) = &self.roots else { return Ok(()) };
        let said = Certificate::read(leaf).ok_or(Refusal::Unreadable)?;
        check_strength(&said)?;
        if !said.is_v3 {
            // A certificate of version 1 has no extensions, and therefore no names.
            return Err(nameless(&said, name));
        }
        let parsed = EndEntityCert::try_from(leaf).map_err(|_| Refusal::Unreadable)?;
        // A certificate that is one of the authorities, byte for byte, is trusted as it is, as in
        // Go's `Certificate.Verify`.
        if roots.contains(leaf) {
            check_dates(&said, CertificateRole::Leaf, now)?;
            if !said.serves {
                return Err(Refusal::Purpose);
            }
        } else {
            let in_time = |path: &VerifiedPath<'_>| roots.check_dates(path.anchor(), now);
            let path = parsed.verify_for_usage(
                self.algorithms.all,
                &roots.anchors,
                intermediates,
                now,
                ForServers,
                None,
                Some(&in_time),
            );
            path.map_err(|error| explain(&error, &said, intermediates, roots, now))?;
        }
        parsed
            .verify_is_valid_for_subject_name(name)
            .map_err(|_| nameless_or_wrong(&said, name))
    }

    /// Checks that the server has the key of its certificate, even if webpki can't read the
    /// certificate.
    fn check_signature(
        &self,
        certificate: &CertificateDer<'_>,
        verify: impl FnOnce(&Certificate) -> Result<HandshakeSignatureValid, rustls::Error>,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let said = Certificate::read(certificate).ok_or_else(|| refused(Refusal::Unreadable))?;
        if said.key.is_refused() {
            return Err(refused(Refusal::Key(CertificateRole::Leaf, said.key)));
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
            // In TLS 1.2, a signature scheme does not name the curve, so pick the algorithm that
            // fits this key.
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

/// The check of a certificate's use: it must be for servers, for any use, or have no extended key
/// usages.
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

fn check_strength(leaf: &Certificate) -> Result<(), Refusal> {
    if leaf.key.is_refused() {
        return Err(Refusal::Key(CertificateRole::Leaf, leaf.key));
    }
    match leaf.weak_signature {
        Some(algorithm) => Err(Refusal::WeakSignature(CertificateRole::Leaf, algorithm)),
        None => Ok(()),
    }
}

fn check_dates(said: &Certificate, which: CertificateRole, now: UnixTime) -> Result<(), Refusal> {
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

/// Explains a webpki error. It finds the certificate of the chain that is at fault, which the error
/// does not say.
fn explain(
    error: &webpki::Error,
    leaf: &Certificate,
    intermediates: &[CertificateDer<'_>],
    roots: &Roots,
    now: UnixTime,
) -> Refusal {
    use webpki::Error as E;
    let sent: Vec<_> = intermediates.iter().filter_map(|der| Certificate::read(der)).collect();
    // The authorities that may have issued one of these certificates.
    let issuers = roots.said().filter(|authority| {
        let of = |issued: &Certificate| issued.issuer == authority.subject;
        of(leaf) || sent.iter().any(of)
    });
    let chain: Vec<_> = std::iter::once((CertificateRole::Leaf, leaf))
        .chain(sent.iter().map(|said| (CertificateRole::Intermediate, said)))
        .chain(issuers.map(|said| (CertificateRole::Authority, said)))
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
            let weak = |(which, said): &(CertificateRole, &Certificate)| Some((*which, said.weak_signature?));
            // The signature on an authority's own certificate does not matter.
            let mut weak = chain
                .iter()
                .filter(|(which, _)| *which != CertificateRole::Authority)
                .filter_map(weak);
            match weak.next() {
                Some((which, algorithm)) => Refusal::WeakSignature(which, algorithm),
                None => Refusal::UnknownSignature,
            }
        }
        E::UnknownIssuer => Refusal::UnknownIssuer { named: roots.are_named },
        E::CaUsedAsEndEntity => Refusal::Authority,
        E::RequiredEkuNotFoundContext(_) if !leaf.serves => Refusal::Purpose,
        E::RequiredEkuNotFoundContext(_)
        | E::EndEntityUsedAsCa
        | E::NameConstraintViolation
        | E::PathLenConstraintViolated => Refusal::Constraint,
        _ => Refusal::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn certificate() -> CertificateDer<'static> {
        let params = CertificateParams::new(vec!["localhost".to_owned(), "::1".to_owned()]).unwrap();
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_damaged_certificate_is_judged_too(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
            end in any::<prop::sample::Index>(),
            whole in any::<bool>(),
        ) {
            thread_local! { static GOOD: CertificateDer<'static> = certificate(); }
            let good = GOOD.with(Clone::clone);
            let mut bytes = good.to_vec();
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            if !whole {
                bytes.truncate(end.index(bytes.len()));
            }
            let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &good));
            let damaged = CertificateDer::from(bytes);
            let verifier = Verifier::new(Some(Roots::from_pem(pem.as_bytes()).unwrap()), &super::super::provider());
            let name = ServerName::try_from("localhost").unwrap();
            let judged = verifier.judge(&damaged, std::slice::from_ref(&damaged), &name, UnixTime::now());
            prop_assert_eq!(judged.is_ok(), damaged == good);
        }
    }
}
