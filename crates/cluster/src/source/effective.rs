//! The effective configuration of a kubeconfig's context, as client-go's `clientcmd` computes it
//! (`client_config.go`, `validation.go`), but without merging files.

use std::path::{Path, PathBuf};

use http::{HeaderName, HeaderValue, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde_json::{Value, json};

use super::{
    InvalidSource,
    kubeconfig::{Fields, Kubeconfig},
    quote,
    token::{is_token, not_a_token},
};
use crate::client::proxy::Proxy;

/// The characters to escape in a header's name: all except letters, digits and those that
/// `legalHeaderByte` of client-go's `round_trippers.go` allows.
const HEADER_NAME: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'*')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');
/// The name of the cluster extension that is passed to an exec plug-in as its configuration.
const EXEC_EXTENSION: &str = "client.authentication.k8s.io/exec";

/// The address and credential in one context of a kubeconfig. Files are named, but not read yet.
#[derive(Clone, PartialEq)]
pub(crate) struct Effective {
    pub(crate) server: Server,
    /// The cluster's certificate authorities, in PEM.
    pub(crate) ca: Option<Material>,
    pub(crate) insecure: bool,
    /// `tls-server-name`.
    pub(crate) server_name: Option<String>,
    /// The context's own proxy.
    pub(crate) proxy: Option<Proxy>,
    /// The context's namespace.
    pub(crate) namespace: Option<String>,
    pub(crate) credential: Credential,
    /// The headers for `as`, `as-uid`, `as-groups` and `as-user-extra`; empty unless the server's
    /// address is https.
    pub(crate) act_as: Vec<(HeaderName, HeaderValue)>,
}

/// An API server's address.
#[derive(Clone, PartialEq)]
pub(crate) struct Server {
    /// The address as given, without trailing slashes, and without a query, which may contain a
    /// secret.
    pub(crate) text: String,
    /// The address to connect to: scheme, host, port and path, without a query.
    pub(crate) uri: Uri,
    /// Whether the address was given without a scheme, which means http.
    pub(crate) bare: bool,
}

/// PEM, as data or as the path of a file.
#[derive(Clone, PartialEq)]
pub(crate) enum Material {
    Data(Vec<u8>),
    File(PathBuf),
}

/// The credential for the API server.
#[derive(Clone, PartialEq)]
pub(crate) enum Credential {
    /// No credential, so calls are anonymous. The text says why, as part of a sentence.
    Absent(String),
    /// The credentials that the context gives; at least one is present.
    Given {
        token: Option<Token>,
        basic: Option<(String, String)>,
        certificate: Option<(Material, Material)>,
    },
    Exec(Box<Exec>),
}

/// A bearer token.
#[derive(Clone, PartialEq)]
pub(crate) struct Token {
    /// The token as text. If there is a file, it is used only while the file can't be read.
    pub(crate) text: Option<String>,
    /// The file that holds the token. It takes precedence over the text.
    pub(crate) file: Option<PathBuf>,
}

/// An exec plug-in: a program that prints a credential.
#[derive(Clone, PartialEq)]
pub(crate) struct Exec {
    pub(crate) api_version: String,
    pub(crate) command: PathBuf,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) install_hint: String,
    /// The `spec.cluster` of the `ExecCredential` to pass on if `provideClusterInfo` is set,
    /// without the certificate authority.
    pub(crate) cluster: Option<Value>,
}

/// Returns the effective configuration of a context. Relative paths are resolved against `folder`.
///
/// # Errors
/// [`InvalidSource`] with a sentence that names the wrong field or entry and quotes no credential.
pub(super) fn effective(kubeconfig: &Kubeconfig, name: &str, folder: &Path) -> Result<Effective, InvalidSource> {
    let refuse = |why: String| Err(InvalidSource(why));
    let Some(context) = kubeconfig.context(name)? else {
        return refuse(format!("the kubeconfig has no context `{}`", quote(name)));
    };
    let Some(named) = context.text("cluster")? else {
        return refuse("the context names no cluster".to_owned());
    };
    let Some(cluster) = kubeconfig.cluster(named)? else {
        return refuse(lacks("cluster", named));
    };
    let server = server(&cluster)?;
    let (credential, act_as) = match context.text("user")? {
        None => (Credential::Absent("the context names no user".to_owned()), Vec::new()),
        Some(named) => match kubeconfig.user(named)? {
            None => (Credential::Absent(lacks("user", named)), Vec::new()),
            Some(user) => (credential(&user, &cluster, folder)?, act_as(&user)?),
        },
    };
    // "only try to read the auth information if we are secure" (`client_config.go`).
    let secure = server.uri.scheme_str() == Some("https");
    let credential = match credential {
        Credential::Given { .. } | Credential::Exec(_) if !secure => Credential::Absent(
            "the address in `server` is not https, and a credential is sent over https only".to_owned(),
        ),
        other => other,
    };
    let act_as = if secure { act_as } else { Vec::new() };
    let effective = Effective {
        ca: pem(&cluster, "certificate-authority", folder)?,
        insecure: cluster.flag("insecure-skip-tls-verify")?,
        server_name: cluster.text("tls-server-name")?.map(str::to_owned),
        proxy: proxy(&cluster)?,
        namespace: context.text("namespace")?.map(str::to_owned),
        server,
        credential,
        act_as,
    };
    if effective.ca.is_some() && effective.insecure {
        return refuse(format!(
            "{} has both a certificate authority (`certificate-authority-data` or `certificate-authority`) and \
             `insecure-skip-tls-verify`: remove one of them",
            cluster.what
        ));
    }
    Ok(effective)
}

fn lacks(kind: &str, name: &str) -> String {
    format!(
        "the context names {kind} `{}`, which the file does not have (kubeconfig files are not merged: a context's cluster and \
         user must be in its own file)",
        quote(name)
    )
}

/// Reads the address as client-go's `DefaultServerURL` does: an address without a scheme is a host
/// and port that speak http.
fn server(cluster: &Fields<'_>) -> Result<Server, InvalidSource> {
    let refuse = |why: &str| Err(InvalidSource(format!("`server` of {} {why}", cluster.what)));
    let Some(given) = cluster.text("server")? else {
        return refuse("is missing: give the API server's address, as `https://host:port`");
    };
    let has_scheme = given
        .split_once("://")
        .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty() && !rest.starts_with('/'));
    let whole = if has_scheme {
        given.to_owned()
    } else {
        format!("http://{given}")
    };
    let end = whole.find(['?', '#']).unwrap_or(whole.len());
    let Ok(uri) = whole[..end].parse::<Uri>() else {
        return refuse("is malformed: give the API server's address, as `https://host:port`");
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return refuse("is malformed: give the API server's address, as `https://host:port`");
    };
    if !matches!(scheme, "https" | "http") {
        return refuse(
            "begins with another scheme than `https` or `http`: give the API server's address, as `https://host:port`",
        );
    }
    if authority.as_str().contains('@') {
        return refuse(
            "contains a user name or password: give the address alone, as `https://host:port`, and set `username` and \
             `password` of the user instead",
        );
    }
    let port_is_odd = uri.port_u16().is_none() && authority.as_str() != authority.host();
    if authority.host().is_empty() || port_is_odd {
        return refuse("is malformed: give the API server's address, as `https://host:port`");
    }
    if !has_scheme && !matches!(uri.path(), "" | "/") {
        return refuse("has a path and no scheme: begin it with `https://`");
    }
    Ok(Server {
        text: given[..given.find(['?', '#']).unwrap_or(given.len())]
            .trim_end_matches('/')
            .to_owned(),
        uri,
        bare: !has_scheme,
    })
}

fn proxy(cluster: &Fields<'_>) -> Result<Option<Proxy>, InvalidSource> {
    let Some(text) = cluster.text("proxy-url")? else {
        return Ok(None);
    };
    match Proxy::parse(text) {
        Ok(proxy) => Ok(Some(proxy)),
        Err(why) => Err(InvalidSource(format!("`proxy-url` of {} {why}", cluster.what))),
    }
}

/// Reads PEM from the field `<name>-data`, or the path of a file from the field `<name>`.
fn pem(fields: &Fields<'_>, name: &str, folder: &Path) -> Result<Option<Material>, InvalidSource> {
    if let Some(data) = fields.data(&format!("{name}-data"))? {
        return Ok(Some(Material::Data(data)));
    }
    let file = fields.text(name)?;
    Ok(file.map(|file| Material::File(folder.join(file))))
}

/// Returns a user's credential. As in client-go's transport, a given credential takes precedence
/// over an exec plug-in.
fn credential(user: &Fields<'_>, cluster: &Fields<'_>, folder: &Path) -> Result<Credential, InvalidSource> {
    let refuse = |why: &str| Err(InvalidSource(format!("{} {why}", user.what)));
    let mut token = Token {
        text: user.text("token")?.map(str::to_owned),
        file: user.text("tokenFile")?.map(|file| folder.join(file)),
    };
    if token.text.as_deref().is_some_and(|text| !is_token(text)) {
        return Err(not_a_token(&format!("`token` of {}", user.what)));
    }
    let basic = match (user.text("username")?, user.text("password")?) {
        (None, None) => None,
        (name, password) => Some((
            name.unwrap_or_default().to_owned(),
            password.unwrap_or_default().to_owned(),
        )),
    };
    let (exec, provider) = (user.mapping("exec")?, user.mapping("auth-provider")?);
    if exec.is_some() && provider.is_some() {
        return refuse("has both `exec` and `auth-provider`: remove one of them");
    }
    if let Some(provider) = provider
        && token == Token::NONE
    {
        token.text = Some(id_token(user, &provider)?);
    }
    if basic.is_some() && token != Token::NONE {
        return refuse("has both a token and `username` or `password`: remove one of them");
    }
    let certificate = match (
        pem(user, "client-certificate", folder)?,
        pem(user, "client-key", folder)?,
    ) {
        (Some(_), None) => {
            return refuse("has a client certificate without its key: give `client-key-data` or `client-key`");
        }
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, _) => None,
    };
    let exec = exec.map(|exec| plug_in(&exec, cluster, folder)).transpose()?;
    let token = Some(token).filter(|token| *token != Token::NONE);
    if token.is_some() || basic.is_some() || certificate.is_some() {
        return Ok(Credential::Given {
            token,
            basic,
            certificate,
        });
    }
    Ok(exec.map_or_else(
        || Credential::Absent(format!("{} has no credential", user.what)),
        |exec| Credential::Exec(Box::new(exec)),
    ))
}

impl Token {
    const NONE: Self = Self { text: None, file: None };
}

/// Returns the token of an auth provider. client-go supports only `oidc`; its `id-token` is used as
/// given, and never renewed.
fn id_token(user: &Fields<'_>, provider: &Fields<'_>) -> Result<String, InvalidSource> {
    let name = provider.text("name")?.unwrap_or_default();
    let config = provider.mapping("config")?;
    let token = config.map(|config| config.text("id-token")).transpose()?.flatten();
    match (name, token) {
        ("oidc", Some(token)) => Ok(token.to_owned()),
        ("oidc", None) => Err(InvalidSource(format!(
            "`auth-provider` of {} has no `id-token`: use an `exec` plug-in, such as kubelogin",
            user.what
        ))),
        _ => Err(InvalidSource(format!(
            "`auth-provider` `{}` of {} was removed in Kubernetes 1.26: use an `exec` plug-in",
            quote(name),
            user.what
        ))),
    }
}

fn plug_in(exec: &Fields<'_>, cluster: &Fields<'_>, folder: &Path) -> Result<Exec, InvalidSource> {
    let missing = |field: &str| InvalidSource(format!("{} has no `{field}`", exec.what));
    let command = exec.text("command")?.ok_or_else(|| missing("command"))?;
    let api_version = exec.text("apiVersion")?.ok_or_else(|| missing("apiVersion"))?;
    if !matches!(
        api_version,
        "client.authentication.k8s.io/v1" | "client.authentication.k8s.io/v1beta1"
    ) {
        return Err(InvalidSource(format!(
            "`apiVersion` of {} is `{}`, which is not supported: use `client.authentication.k8s.io/v1` or \
             `client.authentication.k8s.io/v1beta1`",
            exec.what,
            quote(api_version)
        )));
    }
    let variable = |item| {
        let variable = exec.item("env", item)?;
        let name = variable.text("name")?.unwrap_or_default();
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(InvalidSource(format!(
                "a variable in `env` of {} has no `name`, or one that contains `=` or NUL",
                exec.what
            )));
        }
        Ok((name.to_owned(), variable.text("value")?.unwrap_or_default().to_owned()))
    };
    let plug_in = Exec {
        api_version: api_version.to_owned(),
        // A command with a slash is relative to the file. Any other is looked up in PATH.
        command: if command.contains('/') {
            folder.join(command)
        } else {
            PathBuf::from(command)
        },
        args: exec.texts("args")?,
        env: exec.list("env")?.iter().map(variable).collect::<Result<_, _>>()?,
        install_hint: exec.text("installHint")?.unwrap_or_default().to_owned(),
        cluster: exec.flag("provideClusterInfo")?.then(|| about(cluster)).transpose()?,
    };
    let texts = plug_in.args.iter().chain(plug_in.env.iter().map(|(_, value)| value));
    if command.contains('\0') || texts.into_iter().any(|text| text.contains('\0')) {
        return Err(InvalidSource(format!("{} contains a NUL character", exec.what)));
    }
    Ok(plug_in)
}

/// Builds the `spec.cluster` of an `ExecCredential` as client-go's `ConfigToExecCluster` does, but
/// without the certificate authority, which may be in a file.
fn about(cluster: &Fields<'_>) -> Result<Value, InvalidSource> {
    let mut about = serde_json::Map::new();
    for field in ["server", "tls-server-name", "proxy-url"] {
        if let Some(text) = cluster.text(field)? {
            about.insert(field.to_owned(), text.into());
        }
    }
    for field in ["insecure-skip-tls-verify", "disable-compression"] {
        if cluster.flag(field)? {
            about.insert(field.to_owned(), true.into());
        }
    }
    let extensions = cluster.list("extensions")?;
    let own = extensions.iter().find(|extension| extension["name"] == EXEC_EXTENSION);
    if let Some(config) = own.and_then(|own| own.get("extension")) {
        about.insert("config".to_owned(), config.clone());
    }
    Ok(json!(about))
}

fn act_as(user: &Fields<'_>) -> Result<Vec<(HeaderName, HeaderValue)>, InvalidSource> {
    let value = |field: &str, text: &str| {
        HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
            InvalidSource(format!(
                "`{field}` of {} holds a line feed or another character that an HTTP header can't hold",
                user.what
            ))
        })
    };
    let mut headers = Vec::new();
    let name = user.text("as")?;
    if let Some(name) = name {
        headers.push((HeaderName::from_static("impersonate-user"), value("as", name)?));
    }
    if let Some(uid) = user.text("as-uid")? {
        headers.push((HeaderName::from_static("impersonate-uid"), value("as-uid", uid)?));
    }
    for group in user.texts("as-groups")? {
        headers.push((
            HeaderName::from_static("impersonate-group"),
            value("as-groups", &group)?,
        ));
    }
    if let Some(extra) = user.mapping("as-user-extra")? {
        for key in extra.names() {
            let escaped = percent_encoding::utf8_percent_encode(key, HEADER_NAME);
            let header =
                HeaderName::try_from(format!("impersonate-extra-{escaped}").to_ascii_lowercase()).map_err(|_| {
                    InvalidSource(format!(
                        "`as-user-extra` of {} has a key that is too long for an HTTP header",
                        user.what
                    ))
                })?;
            for text in extra.texts(key)? {
                headers.push((header.clone(), value("as-user-extra", &text)?));
            }
        }
    }
    if name.is_none() && !headers.is_empty() {
        return Err(InvalidSource(format!(
            "{} has `as-uid`, `as-groups` or `as-user-extra` without `as`",
            user.what
        )));
    }
    Ok(headers)
}
