//! Sources whose files have been read, from which clients are made.

use std::{io::Read, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, Uri, header::AUTHORIZATION};

use super::{
    InvalidSource,
    effective::{Credential, Effective, Exec, Material, Token},
    token::{is_token, not_a_token},
};
use crate::client::{proxy::Proxy, tls};

/// The most bytes of a file that a kubeconfig names.
const MAX: u64 = 1 << 20;

/// Everything that a client is made from. Equal values make equal clients.
#[derive(Clone, PartialEq)]
pub(crate) struct Loaded {
    pub(crate) server: Uri,
    /// Whether the address was given without a scheme, which means http.
    pub(crate) bare: bool,
    ca: Option<Vec<u8>>,
    insecure: bool,
    server_name: Option<String>,
    /// The client certificate with its chain, and its key, in PEM.
    pub(crate) certificate: Option<(Vec<u8>, Vec<u8>)>,
    pub(crate) proxy: Option<Proxy>,
    /// The headers of each request: the credential and the impersonation.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The exec plug-in that prints the credential.
    pub(crate) exec: Option<Exec>,
    /// Why calls are anonymous, as part of a sentence; `None` if there is a credential.
    pub(crate) anonymous: Option<String>,
}

impl Loaded {
    /// Reads the files that a source names.
    ///
    /// # Errors
    /// [`InvalidSource`] for a file that can't be read, and for an invalid token.
    pub(super) fn from_effective(effective: &Effective) -> Result<Self, InvalidSource> {
        let mut loaded = Self {
            server: effective.server.uri.clone(),
            bare: effective.server.bare,
            ca: effective
                .ca
                .as_ref()
                .map(|ca| ca.read("certificate-authority"))
                .transpose()?,
            insecure: effective.insecure,
            server_name: effective.server_name.clone(),
            certificate: None,
            proxy: effective.proxy.clone(),
            headers: effective.act_as.clone(),
            exec: None,
            anonymous: None,
        };
        match &effective.credential {
            Credential::Absent(why) => loaded.anonymous = Some(why.clone()),
            Credential::Exec(exec) => loaded.exec = Some(exec.as_ref().clone()),
            Credential::Given {
                token,
                basic,
                certificate,
            } => {
                if let Some((certificate, key)) = certificate {
                    loaded.certificate = Some((certificate.read("client-certificate")?, key.read("client-key")?));
                }
                if let Some(token) = token {
                    loaded.bear(&token.read()?)?;
                } else if let Some((name, password)) = basic {
                    let encoded = STANDARD.encode(format!("{name}:{password}"));
                    loaded.authorize(&format!("Basic {encoded}"))?;
                }
            }
        }
        Ok(loaded)
    }

    /// Adds a bearer token to each request.
    ///
    /// # Errors
    /// [`InvalidSource`] for a token that a header can't hold.
    pub(crate) fn bear(&mut self, token: &str) -> Result<(), InvalidSource> {
        self.authorize(&format!("Bearer {token}"))
    }

    fn authorize(&mut self, value: &str) -> Result<(), InvalidSource> {
        let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| not_a_token("the token"))?;
        value.set_sensitive(true);
        self.headers.push((AUTHORIZATION, value));
        Ok(())
    }

    /// Returns the certificate authorities, in PEM.
    pub(crate) fn authorities(&self) -> Option<&[u8]> {
        self.ca.as_deref()
    }

    /// Returns the TLS settings.
    pub(crate) fn tls(&self) -> tls::Settings {
        tls::Settings {
            ca: self.ca.clone(),
            insecure: self.insecure,
            server_name: self.server_name.clone(),
            client: self.certificate.clone(),
        }
    }
}

impl Material {
    fn read(&self, field: &str) -> Result<Vec<u8>, InvalidSource> {
        match self {
            Self::Data(data) => Ok(data.clone()),
            Self::File(path) => read(path, MAX).map_err(|why| {
                InvalidSource(format!(
                    "`{}`, which `{field}` names, can't be read: {why}",
                    path.display()
                ))
            }),
        }
    }
}

impl Token {
    /// Returns the token in the file, or the token given as text if the file can't be read
    /// (client-go's `fileTokenSource` and its fallback).
    fn read(&self) -> Result<String, InvalidSource> {
        let Some(path) = &self.file else {
            return Ok(self.text.clone().unwrap_or_default());
        };
        let read = read(path, MAX).and_then(|bytes| String::from_utf8(bytes).map_err(|_| "it is not text".to_owned()));
        let read = read.map(|text| text.trim().to_owned()).and_then(|token| {
            if token.is_empty() {
                Err("it is empty".to_owned())
            } else {
                Ok(token)
            }
        });
        match (read, &self.text) {
            (Ok(token), _) if is_token(&token) => Ok(token),
            (Ok(_), _) => Err(not_a_token(&format!("the token in `{}`", path.display()))),
            (Err(_), Some(text)) => Ok(text.clone()),
            (Err(why), None) => Err(InvalidSource(format!(
                "`{}`, which `tokenFile` names, can't be read: {why}",
                path.display()
            ))),
        }
    }
}

/// Reads a file of a bounded length.
///
/// # Errors
/// The reason, as the end of a sentence that names the file.
pub(super) fn read(path: &Path, max: u64) -> Result<Vec<u8>, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > max {
        return Err(format!("it is longer than {max} bytes"));
    }
    Ok(bytes)
}
