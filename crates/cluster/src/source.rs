//! Where a cluster's address and credential come from, and which sources are refused.

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

/// The address and credential of a cluster. Its `Debug` shows no secret.
#[derive(Clone)]
pub struct Source {
    kind: Kind,
}

/// The kind of a source, with its data.
#[derive(Clone)]
enum Kind {
    /// A context of the operator's kubeconfig file. It may use exec plug-ins, proxies and files,
    /// and reach any address.
    File(Box<FileSource>),
    /// A source that came through the API.
    Untrusted(Box<Effective>),
    /// The service account of the pod that we run in.
    InCluster,
    /// No usable source, because the credential was lost. Every call fails with the reason.
    Unusable { api_server: String, reason: String },
}

/// A context of a kubeconfig file. The file is read again for each client, because tools write
/// fresh credentials into it.
#[derive(Clone)]
struct FileSource {
    file: Arc<file::File>,
    context: String,
    /// The context as the last usable version of the file had it, or why no version was usable. It
    /// is used while the file is missing, is being rewritten, or lacks the context.
    newest: Arc<Mutex<Result<Effective, InvalidSource>>>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source")
            .field("trusted", &self.is_trusted())
            .finish_non_exhaustive()
    }
}

/// A context of the operator's kubeconfig, from which a cluster is made.
#[derive(Clone, Debug)]
pub struct Context {
    /// The cluster's name, made by [`slug`]. Contexts with similar names may share it.
    pub name: String,
    /// The context's name in the file.
    pub original: String,
    /// The source. That of a context that can't be used fails every call with the reason.
    pub source: Source,
}

/// The error for a source that is refused. The text says why and, if possible, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidSource(pub String);

impl Source {
    /// Reads the contexts of one of the operator's kubeconfig files, in the file's order.
    ///
    /// Relative paths in the file are resolved against its folder. Contexts that can't be used are
    /// included; contexts without a name are skipped and logged.
    ///
    /// # Errors
    /// [`InvalidSource`] if the file can't be read, is not a kubeconfig, or has no context.
    pub fn from_kubeconfig_file(path: &Path) -> Result<Vec<Context>, InvalidSource> {
        let (file, kubeconfig) = file::File::open(path)?;
        let shown = path.display();
        if kubeconfig.nameless > 0 {
            tracing::warn!(file = %shown, contexts = kubeconfig.nameless, "skipping contexts without a name in a kubeconfig file");
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

    /// Returns the service account of the pod that Podgate runs in; `None` outside a cluster.
    pub fn in_cluster() -> Option<Self> {
        let token = Path::new(SERVICE_ACCOUNT).join("token");
        let there = std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() && token.exists();
        there.then_some(Self { kind: Kind::InCluster })
    }

    /// Reads a kubeconfig that came through the API, as YAML or as base64. Uses its current
    /// context, or its only one.
    ///
    /// # Errors
    /// [`InvalidSource`] for a text that does not parse, and for one that uses exec plug-ins, auth
    /// providers, proxies, files or impersonation; the error names the field.
    pub fn from_untrusted_kubeconfig(text: &str) -> Result<Self, InvalidSource> {
        Self::untrusted(untrusted::read(text)?)
    }

    /// Makes a source from parts that came through the API. `ca_cert` is PEM, as text or as base64.
    /// If it is empty, the system's authorities are used.
    ///
    /// # Errors
    /// [`InvalidSource`] for an address that is not `https://host[:port][/path]`, and for a
    /// certificate that does not parse.
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

    /// Makes the source of a cluster whose credential was lost.
    ///
    /// The cluster can still be seen, repaired and removed. Every call fails with the reason, and
    /// none reaches the server.
    pub fn unusable(api_server: &str, reason: &str) -> Self {
        Self {
            kind: Kind::Unusable {
                api_server: api_server.to_owned(),
                reason: reason.to_owned(),
            },
        }
    }

    /// Returns a source for the same server with a bearer token in place of the credential. Only a
    /// source that came through the API can be changed this way.
    ///
    /// # Errors
    /// [`InvalidSource`] for any other source, and for an invalid token.
    pub fn with_token(&self, token: &str) -> Result<Self, InvalidSource> {
        let Kind::Untrusted(effective) = &self.kind else {
            return Err(InvalidSource(
                "the cluster has no stored address that the token could be used with: give `apiServer` too".to_owned(),
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

    /// Returns the source as one string for encrypted storage; [`Source::from_stored`] reads it.
    pub fn to_stored(&self) -> String {
        match &self.kind {
            Kind::Untrusted(effective) => json!({"kubeconfig": untrusted::to_kubeconfig(effective)}).to_string(),
            Kind::File(_) | Kind::InCluster | Kind::Unusable { .. } => String::new(),
        }
    }

    /// Reads the output of [`Source::to_stored`]. The source is always untrusted.
    ///
    /// # Errors
    /// [`InvalidSource`] for any other text.
    pub fn from_stored(text: &str) -> Result<Self, InvalidSource> {
        let lost = || {
            InvalidSource("the stored credential of the cluster can't be read: give the credential again".to_owned())
        };
        let mut stored: serde_json::Value = serde_json::from_str(text).map_err(|_| lost())?;
        let kubeconfig = stored.get_mut("kubeconfig").ok_or_else(lost)?.take();
        let kubeconfig = Kubeconfig::from_value(kubeconfig).map_err(|_| lost())?;
        Self::untrusted(untrusted::from_kubeconfig(&kubeconfig)?)
    }

    /// Returns the API server's address as `https://host:port`; empty if it is not known.
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

    /// Returns the namespace of an operator's context, if it has one. The namespaces of a cluster
    /// added through the API are part of its own settings.
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

    /// Returns whether the proxies of the environment apply. They do not apply to the API server of
    /// Podgate's own pod or to clusters added through the API.
    pub(crate) fn may_use_environment(&self) -> bool {
        matches!(self.kind, Kind::File(_))
    }

    /// Loads the current address and credential. Blocks, because it reads files.
    ///
    /// # Errors
    /// [`InvalidSource`] with a reason that names the context and shows no secret.
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
    /// Returns the context's current configuration. Blocks. A file that lacks the context, such as
    /// one that is being rewritten, leaves the last usable configuration in force.
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

/// Returns the configuration that client-go's `rest.InClusterConfig` would make in Podgate's own
/// pod. The API server is reached without a proxy.
fn in_cluster() -> Result<Effective, InvalidSource> {
    let text = in_cluster_server();
    let uri = text.parse().map_err(|_| {
        InvalidSource("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not a valid host and port".to_owned())
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

/// Makes a cluster name from a context's name.
///
/// The name is in lower case, with `-` in place of characters other than `a-z0-9-`. It has at most
/// 63 characters, does not begin or end with `-`, and is neither empty nor all digits.
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
        // A context that exists and is wrong is reported.
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
