//! Where a cluster's address and credential come from, and which of them are refused.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::json;

use self::{
    effective::{Credential, Effective, Material, Server, Token},
    kubeconfig::Kubeconfig,
};

mod base64;
pub(crate) mod effective;
mod file;
mod files;
mod kubeconfig;
mod material;
mod token;
mod untrusted;
pub(crate) mod yaml;

#[cfg(test)]
mod table;

pub use self::files::FileContext;
pub(crate) use self::material::Loaded;
use crate::text::quote;

/// Where Kubernetes mounts the service account of a pod.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Address and credential of a cluster. Its `Debug` shows no secret.
#[derive(Clone)]
pub struct Source {
    kind: Kind,
}

/// The ways to reach a cluster.
#[derive(Clone)]
enum Kind {
    /// A context of a kubeconfig file of the operator's: it may name exec plug-ins, proxies and files, and reach any address.
    File(Box<FileSource>),
    /// It came through the API.
    Untrusted(Box<Effective>),
    /// The service account of the pod that we run in.
    InCluster,
    /// Nothing: its credential was lost. Every call fails with the reason.
    Unusable { api_server: String, reason: String },
}

/// A context of a file, which is read again for each client, because tools write fresh credentials into it.
#[derive(Clone)]
struct FileSource {
    file: Arc<file::File>,
    context: String,
    /// What the context came to when the file was last read and had it usable; until then, why it is not. It serves when the file has gone, is being
    /// rewritten, or has lost the context.
    newest: Arc<Mutex<Result<Effective, InvalidSource>>>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("trusted", &self.is_trusted())
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
    /// How to reach it. A context that can't be used has one too: each call fails with the reason.
    pub source: Source,
}

/// Why a source is refused; its text says the reason and, where there is one, the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSource(pub String);

impl Source {
    /// Reads the contexts of an operator's kubeconfig file, in the file's order. Relative paths in it are taken from its folder.
    /// A context that can't be used is among them; contexts without a name are left out, and the log says so.
    ///
    /// # Errors
    /// [`InvalidSource`] when the file can't be read, is no kubeconfig, or holds no context.
    pub fn from_kubeconfig_file(path: &Path) -> Result<Vec<Context>, InvalidSource> {
        let (file, kubeconfig) = file::File::open(path)?;
        let shown = path.display();
        if kubeconfig.nameless > 0 {
            tracing::warn!(file = %shown, contexts = kubeconfig.nameless, "contexts of a kubeconfig have no name and are left out");
        }
        if kubeconfig.contexts().is_empty() {
            return Err(InvalidSource(format!(
                "the kubeconfig `{shown}` has no context: add one, or name another file"
            )));
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        let file = Arc::new(file);
        let context = |original: &str| Context {
            name: slug(original),
            original: original.to_owned(),
            source: Self {
                kind: Kind::File(Box::new(FileSource {
                    file: file.clone(),
                    context: original.to_owned(),
                    newest: Arc::new(Mutex::new(effective::effective(&kubeconfig, original, folder))),
                })),
            },
        };
        Ok(kubeconfig.contexts().into_iter().map(context).collect())
    }

    /// The service account of the pod that we run in; `None` when there is none.
    pub fn in_cluster() -> Option<Self> {
        let token = Path::new(SERVICE_ACCOUNT).join("token");
        let there = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() && token.exists();
        there.then_some(Self { kind: Kind::InCluster })
    }

    /// A source that came through the API as a kubeconfig: YAML, or its base64. Takes its current context, else its only one.
    ///
    /// # Errors
    /// [`InvalidSource`] for what does not parse, and for exec plug-ins, auth providers, proxies, files and impersonation: each named.
    pub fn from_untrusted_kubeconfig(text: &str) -> Result<Self, InvalidSource> {
        Self::untrusted(untrusted::read(text)?)
    }

    /// A source that came through the API as its parts. `ca_cert` is PEM or its base64; empty: the system's roots.
    ///
    /// # Errors
    /// [`InvalidSource`] for an address that is not `https://host[:port][/path]` and for a certificate that does not parse.
    pub fn from_parts(api_server: &str, token: &str, ca_cert: &str) -> Result<Self, InvalidSource> {
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
        Self::untrusted(untrusted::from_kubeconfig(&Kubeconfig::from_value(kubeconfig)?)?)
    }

    /// The source of a cluster whose credential was lost, so that it is still there to be seen, mended and removed: every call fails with
    /// the reason, and none reaches the server.
    pub fn unusable(api_server: &str, reason: &str) -> Self {
        Self {
            kind: Kind::Unusable {
                api_server: api_server.to_owned(),
                reason: reason.to_owned(),
            },
        }
    }

    /// The same server as [`Source::from_stored`] or another untrusted constructor gave, with a bearer token in place of the credential.
    ///
    /// # Errors
    /// [`InvalidSource`] for a source that names no server, and for a token that is not one.
    pub fn with_token(&self, token: &str) -> Result<Self, InvalidSource> {
        let Kind::Untrusted(effective) = &self.kind else {
            return Err(InvalidSource(
                "there is no stored address that the token could be for: give `apiServer` too".to_owned(),
            ));
        };
        let mut effective = effective.as_ref().clone();
        effective.credential = Credential::Given {
            token: Some(Token {
                text: Some(token.trim().to_owned()).filter(|token| !token.is_empty()),
                file: None,
            }),
            basic: None,
            certificate: None,
        };
        Self::untrusted(effective)
    }

    /// The source as one string for encrypted storage; [`Source::from_stored`] reads it back.
    pub fn to_stored(&self) -> String {
        match &self.kind {
            Kind::Untrusted(effective) => json!({"kubeconfig": untrusted::to_kubeconfig(effective)}).to_string(),
            Kind::File(_) | Kind::InCluster | Kind::Unusable { .. } => String::new(),
        }
    }

    /// Reads what [`Source::to_stored`] wrote. Always untrusted.
    ///
    /// # Errors
    /// [`InvalidSource`] when the text is not one of ours.
    pub fn from_stored(text: &str) -> Result<Self, InvalidSource> {
        let lost =
            || InvalidSource("what is stored of the cluster's credential can't be read: give it again".to_owned());
        let mut stored: serde_json::Value = serde_json::from_str(text).map_err(|_| lost())?;
        let kubeconfig = stored.get_mut("kubeconfig").ok_or_else(lost)?.take();
        let kubeconfig = Kubeconfig::from_value(kubeconfig).map_err(|_| lost())?;
        Self::untrusted(untrusted::from_kubeconfig(&kubeconfig)?)
    }

    /// The API server's address, as `https://host:port`; empty when it is not known.
    pub fn api_server(&self) -> String {
        match &self.kind {
            Kind::Untrusted(effective) => effective.server.text.clone(),
            Kind::File(file) => file
                .newest()
                .as_ref()
                .map_or_else(|_| String::new(), |newest| newest.server.text.clone()),
            Kind::InCluster => in_cluster_server(),
            Kind::Unusable { api_server, .. } => api_server.clone(),
        }
    }

    /// The namespace of an operator's context, where there is one. A cluster added through the API names its namespaces itself.
    pub fn namespace(&self) -> Option<String> {
        match &self.kind {
            Kind::File(file) => file.newest().as_ref().ok()?.namespace.clone(),
            Kind::InCluster => {
                let text = std::fs::read_to_string(Path::new(SERVICE_ACCOUNT).join("namespace")).ok()?;
                Some(text.trim().to_owned()).filter(|namespace| !namespace.is_empty())
            }
            Kind::Untrusted(_) | Kind::Unusable { .. } => None,
        }
    }

    pub(crate) fn is_trusted(&self) -> bool {
        matches!(self.kind, Kind::File(_) | Kind::InCluster)
    }

    /// Whether the environment's proxies are for it. The pod's own API server, and what came through the API, are reached directly.
    pub(crate) fn may_use_environment(&self) -> bool {
        matches!(self.kind, Kind::File(_))
    }

    /// Returns what is known of address and credential now. Blocks: reads files.
    ///
    /// # Errors
    /// [`InvalidSource`] with the reason, which names the context and shows no secret.
    pub(crate) fn load(&self) -> Result<Loaded, InvalidSource> {
        match &self.kind {
            Kind::File(file) => {
                let effective = file.read_again();
                effective
                    .and_then(|effective| Loaded::from_effective(&effective))
                    .map_err(|InvalidSource(why)| {
                        let context = quote(&file.context);
                        InvalidSource(format!(
                            "context `{context}` of `{}` can't be used: {why}",
                            file.file.path().display()
                        ))
                    })
            }
            Kind::Untrusted(effective) => Loaded::from_effective(effective),
            Kind::InCluster => Loaded::from_effective(&in_cluster()?),
            Kind::Unusable { reason, .. } => Err(InvalidSource(reason.clone())),
        }
    }

    fn untrusted(effective: Effective) -> Result<Self, InvalidSource> {
        untrusted::check(&effective)?;
        Ok(Self {
            kind: Kind::Untrusted(Box::new(effective)),
        })
    }
}

impl FileSource {
    /// Returns what the context comes to now. A file that lacks it, as one that is just being rewritten does, is no news. Blocks.
    fn read_again(&self) -> Result<Effective, InvalidSource> {
        let kubeconfig = match self.file.read() {
            Ok(kubeconfig) if kubeconfig.contexts().contains(&self.context.as_str()) => kubeconfig,
            _ => return self.newest().clone(),
        };
        let folder = self.file.path().parent().unwrap_or(Path::new("."));
        let read = effective::effective(&kubeconfig, &self.context, folder);
        let mut newest = self.newest();
        if read.is_ok() || newest.is_err() {
            newest.clone_from(&read);
        }
        read
    }

    fn newest(&self) -> MutexGuard<'_, Result<Effective, InvalidSource>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What `rest.InClusterConfig` of client-go makes of the pod that we run in. Its API server is reached without a proxy.
fn in_cluster() -> Result<Effective, InvalidSource> {
    let text = in_cluster_server();
    let uri = text.parse().map_err(|_| {
        InvalidSource("the API server's address in KUBERNETES_SERVICE_HOST and …_PORT is malformed".to_owned())
    })?;
    let file = |name| Path::new(SERVICE_ACCOUNT).join(name);
    Ok(Effective {
        server: Server { text, uri, bare: false },
        ca: Some(Material::File(file("ca.crt"))),
        insecure: false,
        server_name: None,
        proxy: None,
        namespace: None,
        credential: Credential::Given {
            token: Some(Token {
                text: None,
                file: Some(file("token")),
            }),
            basic: None,
            certificate: None,
        },
        act_as: Vec::new(),
    })
}

fn in_cluster_server() -> String {
    let part = |name| std::env::var(name).unwrap_or_default();
    let host = part("KUBERNETES_SERVICE_HOST");
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    format!("https://{host}:{}", part("KUBERNETES_SERVICE_PORT"))
}

/// A cluster name from a context's name: lower-cased, other characters than `a-z0-9-` as `-`, cut to 63, no `-` at either end, and never
/// all digits or empty.
fn slug(context: &str) -> String {
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
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_that_is_being_rewritten_leaves_the_newest_credential() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        let write = |text: &str| {
            let next = folder.path().join("next");
            std::fs::write(&next, text).unwrap();
            std::fs::rename(next, &path).unwrap();
        };
        let with = |token: &str, host: &str| {
            format!(
                "{{clusters: [{{name: c, cluster: {{server: 'https://{host}'}}}}], users: [{{name: u, user: {{token: {token}}}}}], \
                 contexts: [{{name: x, context: {{cluster: c, user: u, namespace: of-{host}}}}}]}}"
            )
        };
        write(&with("a", "a.example"));
        let source = Source::from_kubeconfig_file(&path).unwrap().remove(0).source;
        let bearer = || {
            source
                .load()
                .map(|loaded| loaded.headers[0].1.to_str().unwrap().to_owned())
        };
        assert_eq!(bearer().unwrap(), "Bearer a");
        write(&with("b", "b.example"));
        assert_eq!(bearer().unwrap(), "Bearer b");
        for rewritten in ["", "contexts: []", "{clusters: ["] {
            write(rewritten);
            assert_eq!(bearer().unwrap(), "Bearer b", "{rewritten}");
            assert_eq!(source.api_server(), "https://b.example");
            assert_eq!(source.namespace().unwrap(), "of-b.example");
        }
        std::fs::remove_file(&path).unwrap();
        assert_eq!(bearer().unwrap(), "Bearer b");
        write(&with("b", "b.example/?secret#secret"));
        assert_eq!(bearer().unwrap(), "Bearer b");
        assert_eq!(source.api_server(), "https://b.example");
        // A context that is there and wrong says so.
        write("contexts: [{name: x, context: {cluster: gone}}]");
        assert!(bearer().unwrap_err().to_string().contains("names cluster `gone`"));
        assert_eq!(source.api_server(), "https://b.example");
    }

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
