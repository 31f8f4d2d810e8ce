//! TLS to API servers. It accepts the certificates and keys that kubectl accepts, and explains each
//! refusal in a sentence.
//!
//! We do not use kube-rs' own configuration, because it refuses client certificates of X.509
//! version 1, and servers that use an authority's own certificate.

use std::sync::Arc;

use rustls::{
    ClientConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::ServerName,
    sign::SingleCertAndKey,
};

use self::{roots::Roots, verifier::Verifier};
use crate::text::excerpt;

mod certificate;
mod curve;
mod failure;
mod identity;
mod pem;
mod refusal;
mod roots;
mod verifier;

pub use self::{
    failure::TlsFailure,
    identity::{Names, pair},
    refusal::{CertificateRole, Refusal},
};

/// The TLS settings of a kubeconfig's context, after its files were read.
#[derive(Clone, Default)]
pub struct Settings {
    /// The cluster's certificate authorities in PEM; `None` for those that the system trusts.
    pub ca: Option<Vec<u8>>,
    /// Whether to accept any server certificate. It can't be combined with `ca`.
    pub insecure: bool,
    /// The name that the server's certificate must be valid for, in place of the address
    /// (`tls-server-name`).
    pub server_name: Option<String>,
    /// The client certificate with its chain, and its key, both as PEM.
    pub client: Option<(Vec<u8>, Vec<u8>)>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("insecure", &self.insecure)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Returns [`Settings::server_name`] for rustls: a DNS name, or an IPv4 or IPv6 address with or
    /// without brackets.
    ///
    /// # Errors
    /// A sentence for a name that is neither a DNS name nor an IP address.
    pub fn name(&self) -> Result<Option<ServerName<'static>>, String> {
        let Some(name) = &self.server_name else {
            return Ok(None);
        };
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        match ServerName::try_from(bare.unwrap_or(name).to_owned()) {
            Ok(name) => Ok(Some(name)),
            Err(_) => Err(format!(
                "`tls-server-name` is `{}`, which is neither a DNS name nor an IP address: give one of the names of the API server's certificate",
                excerpt(name)
            )),
        }
    }
}

/// Builds the configuration for connections to one API server.
///
/// Without `ca` it blocks, because it reads the system's authorities. It offers no ALPN protocol,
/// because a server then speaks HTTP/1.1.
///
/// # Errors
/// A sentence that names the certificate or key that can't be used, where it comes from, and the
/// remedy.
pub fn config(settings: &Settings) -> Result<Arc<ClientConfig>, String> {
    settings.name()?;
    let provider = provider();
    let roots = match (&settings.ca, settings.insecure) {
        (Some(_), true) => {
            return Err(
                "there are both a certificate authority and `insecure-skip-tls-verify`: remove one of them".to_owned(),
            );
        }
        (None, true) => None,
        (Some(pem), false) => Some(Roots::from_pem(pem)?),
        (None, false) => Some(Roots::from_system()?),
    };
    let verifier = Verifier::new(roots, &provider);
    let identity = settings
        .client
        .as_ref()
        .map(|(chain, key)| identity::client(chain, key, &provider))
        .transpose()?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| "there is no version of TLS in common with the crypto provider".to_owned())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    Ok(Arc::new(match identity {
        // Not `with_client_auth_cert`, which parses the certificate and accepts X.509 v3 only.
        Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity))),
        None => builder.with_no_client_auth(),
    }))
}

/// Checks the settings as [`config`] does, but without reading the system's authorities.
///
/// # Errors
/// As [`config`].
pub(crate) fn check(settings: &Settings) -> Result<(), String> {
    settings.name()?;
    if let Some(pem) = &settings.ca {
        Roots::from_pem(pem)?;
    }
    if let Some((chain, key)) = &settings.client {
        identity::client(chain, key, &provider())?;
    }
    Ok(())
}

/// Returns the provider that `main` installed, or else a new one, with the curves that Go offers.
fn provider() -> Arc<CryptoProvider> {
    let installed = CryptoProvider::get_default().map(|provider| provider.as_ref().clone());
    let mut provider = installed.unwrap_or_else(aws_lc_rs::default_provider);
    provider.kx_groups.push(curve::SECP521R1);
    Arc::new(provider)
}
