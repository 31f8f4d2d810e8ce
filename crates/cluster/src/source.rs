//! Where a cluster's address and credential come from, and which of them are refused.

use std::path::{Path, PathBuf};

use futures_util::FutureExt;
use kube::config::{AuthInfo, Config, ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError};
use serde::{Deserialize, Serialize};
use serde_json::json;

mod untrusted;

/// The service account's token, where Kubernetes mounts it.
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

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
    /// Nothing: its credential was lost. Every call fails with the reason.
    Unusable { api_server: String, reason: String },
}

/// What is kept of an untrusted source: a kubeconfig of one context, one cluster and one user.
#[derive(Serialize, Deserialize)]
struct Stored {
    kubeconfig: Box<Kubeconfig>,
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
    pub fn from_kubeconfig_file(path: &Path) -> Result<Vec<Context>, Refused> {
        let kubeconfig = Kubeconfig::read_from(path).map_err(|error| {
            let path = path.display();
            Refused(match error {
                KubeconfigError::ReadConfig(error, _) => format!("the kubeconfig `{path}` can't be read: {error}"),
                KubeconfigError::Parse(error) => format!("`{path}` is not a kubeconfig{}", untrusted::place(&error)),
                error => format!("the kubeconfig `{path}` can't be used: {error}"),
            })
        })?;
        if kubeconfig.contexts.is_empty() {
            return Err(Refused(format!(
                "the kubeconfig `{}` has no context: add one, or name another file",
                path.display()
            )));
        }
        let context = |original: &String| Context {
            name: slug(original),
            original: original.clone(),
            source: Self {
                kind: Kind::Context {
                    kubeconfig: Box::new(kubeconfig.clone()),
                    context: original.clone(),
                    file: Some(path.to_owned()),
                },
                trusted: true,
            },
        };
        Ok(kubeconfig.contexts.iter().map(|named| context(&named.name)).collect())
    }

    /// The service account of the pod that we run in; `None` when there is none.
    pub fn in_cluster() -> Option<Self> {
        let there = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() && Path::new(TOKEN).exists();
        there.then_some(Self {
            kind: Kind::InCluster,
            trusted: true,
        })
    }

    /// A source that came through the API as a kubeconfig: YAML, or its base64. Takes its current context, else its only one.
    ///
    /// # Errors
    /// [`Refused`] for what does not parse, and for exec plug-ins, auth providers, proxies, files and impersonation: each named.
    pub fn from_untrusted_kubeconfig(text: &str) -> Result<Self, Refused> {
        let kubeconfig = untrusted::parse(text)?;
        Self::untrusted(untrusted::reduce(kubeconfig)?)
    }

    /// A source that came through the API as its parts. `ca_cert` is PEM or its base64; empty: the system's roots.
    ///
    /// # Errors
    /// [`Refused`] for an address that is not `https://host[:port][/path]` and for a certificate that does not parse.
    pub fn from_parts(api_server: &str, token: &str, ca_cert: &str) -> Result<Self, Refused> {
        let mut cluster = json!({"server": api_server.trim()});
        if !ca_cert.trim().is_empty() {
            cluster["certificate-authority-data"] = untrusted::as_base64(ca_cert).into();
        }
        let kubeconfig = json!({
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": token.trim()}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        });
        let kubeconfig = serde_json::from_value(kubeconfig)
            .map_err(|error| Refused(format!("address and token make no kubeconfig: {error}")))?;
        Self::untrusted(kubeconfig)
    }

    /// The source of a cluster whose credential was lost, so that it is still there to be seen, mended and removed: every call fails with
    /// the reason, and none reaches the server.
    pub fn unusable(api_server: &str, reason: &str) -> Self {
        Self {
            kind: Kind::Unusable {
                api_server: api_server.to_owned(),
                reason: reason.to_owned(),
            },
            trusted: false,
        }
    }

    /// The same server as [`Source::from_stored`] or another untrusted constructor gave, with a bearer token in place of the credential.
    ///
    /// # Errors
    /// [`Refused`] for a source that names no server, and for a token that is not one.
    pub fn with_token(&self, token: &str) -> Result<Self, Refused> {
        let Kind::Context {
            kubeconfig, file: None, ..
        } = &self.kind
        else {
            return Err(Refused(
                "there is no stored address that the token could be for: give `apiServer` too".to_owned(),
            ));
        };
        let user: AuthInfo = serde_json::from_value(json!({"token": token.trim()}))
            .map_err(|_| Refused("the token is malformed".to_owned()))?;
        let mut kubeconfig = kubeconfig.as_ref().clone();
        for named in &mut kubeconfig.auth_infos {
            named.auth_info = Some(user.clone());
        }
        Self::untrusted(kubeconfig)
    }

    /// The source as one string for encrypted storage; [`Source::from_stored`] reads it back.
    pub fn to_stored(&self) -> String {
        match &self.kind {
            Kind::Context { kubeconfig, .. } => json!({"kubeconfig": kubeconfig}).to_string(),
            Kind::InCluster | Kind::Unusable { .. } => String::new(),
        }
    }

    /// Reads what [`Source::to_stored`] wrote. Always untrusted.
    ///
    /// # Errors
    /// [`Refused`] when the text is not one of ours.
    pub fn from_stored(text: &str) -> Result<Self, Refused> {
        let stored: Stored = serde_json::from_str(text).map_err(|_| {
            Refused("what is stored of the cluster's credential can't be read: give it again".to_owned())
        })?;
        Self::untrusted(untrusted::reduce(*stored.kubeconfig)?)
    }

    /// The API server's address, as `https://host:port`.
    pub fn api_server(&self) -> String {
        match &self.kind {
            Kind::Context {
                kubeconfig, context, ..
            } => {
                let server = untrusted::cluster_of(kubeconfig, context).and_then(|cluster| cluster.server.as_deref());
                server.unwrap_or_default().trim_end_matches('/').to_owned()
            }
            Kind::InCluster => {
                let part = |name| std::env::var(name).unwrap_or_default();
                let host = part("KUBERNETES_SERVICE_HOST");
                let host = if host.contains(':') { format!("[{host}]") } else { host };
                format!("https://{host}:{}", part("KUBERNETES_SERVICE_PORT"))
            }
            Kind::Unusable { api_server, .. } => api_server.clone(),
        }
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// What kube makes of it. Blocks: reads files.
    pub(crate) fn config(&self) -> Result<Config, Refused> {
        let (kubeconfig, context, file) = match &self.kind {
            Kind::Context {
                kubeconfig,
                context,
                file,
            } => (kubeconfig, context, file),
            Kind::InCluster => {
                return Config::incluster()
                    .map_err(|error| Refused(format!("the pod's service account can't be used: {error}")));
            }
            Kind::Unusable { reason, .. } => return Err(Refused(reason.clone())),
        };
        let options = KubeConfigOptions {
            context: Some(context.clone()),
            ..KubeConfigOptions::default()
        };
        let read = file.as_ref().and_then(|file| Kubeconfig::read_from(file).ok());
        let has_it = |read: &Kubeconfig| read.contexts.iter().any(|named| named.name == *context);
        let mut kubeconfig = read.filter(has_it).unwrap_or_else(|| kubeconfig.as_ref().clone());
        never_ask(&mut kubeconfig);
        let refused = |reason: String| Refused(format!("context `{context}` of the kubeconfig can't be used{reason}"));
        match Config::from_custom_kubeconfig(kubeconfig, &options).now_or_never() {
            Some(Ok(mut config)) => {
                trim_token(&mut config.auth_info);
                Ok(config)
            }
            Some(Err(error)) => Err(refused(format!(": {error}"))),
            None => Err(refused(String::new())),
        }
    }

    fn untrusted(kubeconfig: Kubeconfig) -> Result<Self, Refused> {
        let context = kubeconfig.current_context.clone().unwrap_or_default();
        untrusted::check(&kubeconfig, &context)?;
        Ok(Self {
            kind: Kind::Context {
                kubeconfig: Box::new(kubeconfig),
                context,
                file: None,
            },
            trusted: false,
        })
    }
}

/// A server has nobody at its terminal: a plug-in that would ask a question must fail instead of wait.
fn never_ask(kubeconfig: &mut Kubeconfig) {
    let users = kubeconfig
        .auth_infos
        .iter_mut()
        .filter_map(|named| named.auth_info.as_mut());
    for exec in users.filter_map(|user| user.exec.as_mut()) {
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
    }
}

/// kube sends a token file as it is, and a header can't hold the line feed that most end with: such a file is read here. It is read again with
/// each client, thus when the token was refused.
fn trim_token(user: &mut AuthInfo) {
    let Some(text) = user
        .token_file
        .as_ref()
        .and_then(|file| std::fs::read_to_string(file).ok())
    else {
        return;
    };
    if user.token.is_none()
        && text.trim().len() != text.len()
        && let Ok(trimmed) = serde_json::from_value::<AuthInfo>(json!({"token": text.trim()}))
    {
        user.token = trimmed.token;
        user.token_file = None;
    }
}

/// A cluster name from a context's name: lower-cased, other characters than `a-z0-9-` as `-`, cut to 63, no `-` at either end, and never
/// all digits or empty.
pub fn slug(context: &str) -> String {
    const MAX: usize = 63;
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = context.chars().flat_map(char::to_lowercase).map(plain).collect();
    let cut = |name: &str| name[..name.len().min(MAX)].trim_end_matches('-').to_owned();
    match cut(name.trim_matches('-')) {
        empty if empty.is_empty() => "cluster".to_owned(),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => cut(&format!("cluster-{digits}")),
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        let long = "a".repeat(70);
        let cases = [
            ("kind-dev", "kind-dev"),
            ("Prod_EU.west@ACME", "prod-eu-west-acme"),
            (
                "arn:aws:eks:eu-west-1:123:cluster/shop",
                "arn-aws-eks-eu-west-1-123-cluster-shop",
            ),
            ("--x--", "x"),
            ("42", "cluster-42"),
            ("", "cluster"),
            ("日本", "cluster"),
            (&long, &long[..63]),
        ];
        for (context, name) in cases {
            assert_eq!(slug(context), name);
        }
        assert_eq!(slug(&format!("{}-b", "a".repeat(62))), "a".repeat(62));
        for digits in [
            "1".repeat(70),
            format!("{}a", "1".repeat(63)),
            format!("{}-a", "1".repeat(62)),
        ] {
            assert_eq!(slug(&digits), format!("cluster-{}", "1".repeat(55)), "{digits}");
        }
    }
}
