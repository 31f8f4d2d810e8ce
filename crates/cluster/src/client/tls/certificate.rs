//! The contents of X.509 certificates of any version, as far as they are needed to explain a
//! refusal.

use std::fmt;

use rustls::pki_types::{SubjectPublicKeyInfoDer, UnixTime};
use x509_parser::{
    certificate::X509Certificate,
    prelude::FromDer,
    public_key::PublicKey,
    x509::{SubjectPublicKeyInfo, X509Version},
};

/// The insecure signature algorithms, with their common names.
const WEAK: [(&str, &str); 8] = [
    ("1.2.840.113549.1.1.5", "SHA-1"),
    ("1.3.14.3.2.29", "SHA-1"),
    ("1.2.840.10045.4.1", "SHA-1"),
    ("1.2.840.10040.4.3", "SHA-1"),
    ("1.2.840.113549.1.1.4", "MD5"),
    ("1.2.840.113549.1.1.2", "MD2"),
    ("1.2.840.113549.1.1.14", "SHA-224"),
    ("1.2.840.10045.4.3.1", "SHA-224"),
];

/// The known curves of keys, and whether keys on them are supported.
const CURVES: [(&str, &str, bool); 5] = [
    ("1.2.840.10045.3.1.7", "P-256", true),
    ("1.3.132.0.34", "P-384", true),
    ("1.3.132.0.35", "P-521", true),
    ("1.3.132.0.33", "P-224", false),
    ("1.3.132.0.10", "secp256k1", false),
];

/// The kind of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// An RSA key, with the bits of its modulus.
    Rsa(usize),
    /// A key on an elliptic curve, with the curve's name if it is known, and whether it is
    /// supported.
    Ec(Option<&'static str>, bool),
    Ed25519,
    Ed448,
    Dsa,
    /// A key of a kind that is unknown here. The crypto provider may know it.
    Other,
}

impl Key {
    /// Returns whether the key is unsupported or too weak.
    pub(super) fn is_refused(self) -> bool {
        match self {
            Self::Rsa(bits) => !(2048..=8192).contains(&bits),
            Self::Ec(_, usable) => !usable,
            Self::Ed448 | Self::Dsa => true,
            Self::Ed25519 | Self::Other => false,
        }
    }

    fn from_spki(spki: &SubjectPublicKeyInfo<'_>) -> Self {
        if let Ok(PublicKey::RSA(rsa)) = spki.parsed() {
            let zeros: usize = rsa.modulus.iter().take_while(|byte| **byte == 0).count();
            let first = rsa.modulus.get(zeros).map_or(0, |byte| byte.leading_zeros() as usize);
            return Self::Rsa((rsa.modulus.len() - zeros) * 8 - first);
        }
        match spki.algorithm.algorithm.to_id_string().as_str() {
            "1.2.840.10045.2.1" => {
                let curve = spki.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
                let curve = curve.map(|oid| oid.to_id_string());
                let known = CURVES.iter().find(|(oid, ..)| curve.as_deref() == Some(*oid));
                known.map_or(Self::Ec(None, false), |(_, name, usable)| Self::Ec(Some(name), *usable))
            }
            "1.3.101.112" => Self::Ed25519,
            "1.3.101.113" => Self::Ed448,
            "1.2.840.10040.4.1" => Self::Dsa,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "an RSA key of {bits} bits"),
            Self::Ec(Some(curve), _) => write!(f, "a key on the curve {curve}"),
            Self::Ec(None, _) => f.write_str("a key on an elliptic curve that is not supported"),
            Self::Ed25519 => f.write_str("an Ed25519 key"),
            Self::Ed448 => f.write_str("an Ed448 key"),
            Self::Dsa => f.write_str("a DSA key"),
            Self::Other => f.write_str("a key of a kind that is not supported"),
        }
    }
}

/// The validity of a certificate, in seconds since 1970, including both ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validity {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Validity {
    /// Returns whether the certificate has expired.
    pub(super) fn is_over(&self, now: UnixTime) -> bool {
        seconds(now) > self.to
    }

    /// Returns whether the validity has begun.
    pub(super) fn has_begun(&self, now: UnixTime) -> bool {
        seconds(now) >= self.from
    }
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

/// The contents of a certificate. Nothing of them was verified.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    pub(super) is_v3: bool,
    pub(super) key: Key,
    /// The common name of the signature algorithm, if that is insecure.
    pub(super) weak_signature: Option<&'static str>,
    pub(super) validity: Validity,
    pub(super) has_alternative_names: bool,
    pub(super) has_common_name: bool,
    pub(super) serves: bool,
    /// The subject in DER, as is `issuer`.
    pub(super) subject: Vec<u8>,
    pub(super) issuer: Vec<u8>,
    pub(super) public_key: SubjectPublicKeyInfoDer<'static>,
    /// The key without its algorithm.
    pub(super) key_bits: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate of version 1, 2 or 3; `None` for any other bytes.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, x509) = X509Certificate::from_der(der).ok()?;
        let signature = x509.signature_algorithm.algorithm.to_id_string();
        let weak = WEAK.iter().find(|(oid, _)| *oid == signature).map(|(_, name)| *name);
        let usage = x509.extended_key_usage().ok().flatten();
        Some(Self {
            is_v3: x509.version() == X509Version::V3,
            key: Key::from_spki(x509.public_key()),
            weak_signature: weak,
            validity: Validity {
                from: x509.validity().not_before.timestamp(),
                to: x509.validity().not_after.timestamp(),
            },
            has_alternative_names: x509.subject_alternative_name().ok().flatten().is_some(),
            has_common_name: x509.subject().iter_common_name().next().is_some(),
            serves: usage.is_none_or(|usage| usage.value.any || usage.value.server_auth),
            subject: x509.subject().as_raw().to_vec(),
            issuer: x509.issuer().as_raw().to_vec(),
            public_key: x509.public_key().raw.to_vec().into(),
            key_bits: x509.public_key().subject_public_key.data.to_vec(),
        })
    }
}

/// Returns the key in a `SubjectPublicKeyInfo`, without its algorithm.
pub(super) fn key_bits(public_key: &[u8]) -> Option<Vec<u8>> {
    let (_, parsed) = SubjectPublicKeyInfo::from_der(public_key).ok()?;
    Some(parsed.subject_public_key.data.to_vec())
}
