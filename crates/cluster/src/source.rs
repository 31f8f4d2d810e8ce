//! Where a cluster's address and credential come from, and which of them are refused.

use std::path::{Path, PathBuf};

use futures_util::FutureExt;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};

/// Address and credential of a cluster. Its `Debug` shows no secret.
#[derive(Clone)]
pub struct Source {
    kind: Kind,
    /// Given by the operator (a kubeconfig file, the pod's own service account): may name exec plug-ins, proxies and files, and reach
    /// any address. Otherwise it came through the API.
    trusted: bool,
}

/// The two ways to reach a cluster.
#[derive(Clone)]
enum Kind {
    /// A context of a kubeconfig.
    Context {
        kubeconfig: Box<Kubeconfig>,
        context: String,
        /// Where it was read from: read again for each client, because tools write fresh credentials into it.
        file: Option<PathBuf>,
    },
    /// The service account of the pod that we run in.
    InCluster,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("trusted", &self.trusted)
            .finish_non_exhaustive()
    }
}

/// A context of an operator's kubeconfig, as a cluster.
#[derive(Clone, Debug)]
pub struct Context {
    /// The cluster's name: see [`slug`]. Not yet made unique.
    pub name: String,
    /// The context's name as the file has it.
    pub original: String,
    /// How to reach it.
    pub source: Source,
}

/// Why a source is refused; its text says the reason and, where there is one, the remedy.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Source {
    /// The contexts of an operator's kubeconfig file, in the file's order. Relative paths in it are taken from its folder.
    ///
    /// # Errors
    /// [`Refused`] when the file can't be read or holds no context.
    pub fn from_kubeconfig_file(_path: &Path) -> Result<Vec<Context>, Refused> {
        todo!()
    }

    /// The service account of the pod that we run in; `None` when there is none.
    pub fn in_cluster() -> Option<Self> {
        todo!()
    }

    /// A source that came through the API as a kubeconfig: YAML, or its base64. Takes its current context, else its only one.
    ///
    /// # Errors
    /// [`Refused`] for what does not parse, and for exec plug-ins, auth providers, proxies, files and impersonation: each named.
    pub fn from_untrusted_kubeconfig(_text: &str) -> Result<Self, Refused> {
        todo!()
    }

    /// A source that came through the API as its parts. `ca_cert` is PEM or its base64; empty: the system's roots.
    ///
    /// # Errors
    /// [`Refused`] for an address that is not `https://host[:port]` and for a certificate that does not parse.
    pub fn from_parts(_api_server: &str, _token: &str, _ca_cert: &str) -> Result<Self, Refused> {
        todo!()
    }

    /// The source as one string for encrypted storage; [`Source::from_stored`] reads it back.
    pub fn to_stored(&self) -> String {
        todo!()
    }

    /// Reads what [`Source::to_stored`] wrote. Always untrusted.
    ///
    /// # Errors
    /// [`Refused`] when the text is not one of ours.
    pub fn from_stored(_text: &str) -> Result<Self, Refused> {
        todo!()
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// What kube makes of it. Blocks: reads files.
    pub(crate) fn config(&self) -> Result<Config, Refused> {
        let Kind::Context {
            kubeconfig,
            context,
            file,
        } = &self.kind
        else {
            return Config::incluster()
                .map_err(|error| Refused(format!("the pod's service account can't be used: {error}")));
        };
        let options = KubeConfigOptions {
            context: Some(context.clone()),
            ..KubeConfigOptions::default()
        };
        let read = file.as_ref().and_then(|file| Kubeconfig::read_from(file).ok());
        let has_it = |read: &Kubeconfig| read.contexts.iter().any(|named| named.name == *context);
        let kubeconfig = read.filter(has_it).unwrap_or_else(|| kubeconfig.as_ref().clone());
        match Config::from_custom_kubeconfig(kubeconfig, &options).now_or_never() {
            Some(Ok(config)) => Ok(config),
            Some(Err(error)) => Err(Refused(format!(
                "context `{context}` of the kubeconfig can't be used: {error}"
            ))),
            None => Err(Refused(format!("context `{context}` of the kubeconfig can't be used"))),
        }
    }

    /// The API server's address, as `https://host:port`.
    pub fn api_server(&self) -> String {
        todo!()
    }
}

/// A cluster name from a context's name: lower-cased, other characters than `a-z0-9-` as `-`, cut to 63, no `-` at either end, and never
/// all digits or empty.
pub fn slug(_context: &str) -> String {
    todo!()
}
