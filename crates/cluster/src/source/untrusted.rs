//! What a kubeconfig from the API may hold: data, and nothing that makes this server run, read or call something else.

use base64::{Engine, engine::general_purpose::STANDARD};
use kube::config::{AuthInfo, Cluster, Kubeconfig};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use super::Refused;
use crate::text::words;

/// Bytes of the longest kubeconfig that is looked at.
const MAX: usize = 1 << 20;

/// Reads YAML, or its base64.
pub(super) fn parse(text: &str) -> Result<Kubeconfig, Refused> {
    if text.len() > MAX {
        return refuse("the kubeconfig is longer than 1 MiB");
    }
    let decoded = decode(text).and_then(|bytes| String::from_utf8(bytes).ok());
    let text = decoded.as_deref().unwrap_or(text);
    // No aliases: a few lines of them can stand for gigabytes. No snippets in errors: they would hold credentials.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_aliases: 0, max_anchors: 0, max_documents: 1 },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        Refused(format!(
            "the kubeconfig is neither YAML of a kubeconfig (one document, no aliases) nor its base64{}",
            place(&error)
        ))
    })
}

/// Where in a text an error is. What is wrong there is left out, because it may quote a credential.
pub(super) fn place(error: &serde_saphyr::Error) -> String {
    error.location().map_or_else(String::new, |at| {
        format!(": look at line {}, column {}", at.line(), at.column())
    })
}

/// Leaves the current context, else the only one, with its cluster and user, and nothing else.
pub(super) fn reduce(kubeconfig: Kubeconfig) -> Result<Kubeconfig, Refused> {
    let current = kubeconfig.current_context.filter(|name| !name.is_empty());
    let name = match (current, kubeconfig.contexts.as_slice()) {
        (Some(name), _) => name,
        (None, [only]) => only.name.clone(),
        (None, []) => return refuse("the kubeconfig has no context"),
        (None, several) => {
            let names: Vec<_> = several.iter().map(|named| named.name.as_str()).collect();
            let names = words(&names.join("`, `"));
            return refuse(format!(
                "the kubeconfig has several contexts (`{names}`) and no `current-context`: set it"
            ));
        }
    };
    let mut contexts = kubeconfig.contexts;
    contexts.retain(|named| named.name == name);
    contexts.truncate(1);
    let Some(context) = contexts.first().and_then(|named| named.context.clone()) else {
        return refuse(format!(
            "the kubeconfig has no context `{name}`, which `current-context` names"
        ));
    };
    let mut clusters = kubeconfig.clusters;
    clusters.retain(|named| named.name == context.cluster);
    clusters.truncate(1);
    let mut users = kubeconfig.auth_infos;
    users.retain(|named| Some(&named.name) == context.user.as_ref());
    users.truncate(1);
    Ok(Kubeconfig {
        clusters,
        auth_infos: users,
        contexts,
        current_context: Some(name),
        ..Kubeconfig::default()
    })
}

/// The cluster of a context.
pub(super) fn cluster_of<'a>(kubeconfig: &'a Kubeconfig, context: &str) -> Option<&'a Cluster> {
    let context = kubeconfig.contexts.iter().find(|named| named.name == context)?;
    let name = &context.context.as_ref()?.cluster;
    let cluster = kubeconfig.clusters.iter().find(|named| named.name == *name)?;
    cluster.cluster.as_ref()
}

/// Refuses what an untrusted kubeconfig may not hold, each by its name.
pub(super) fn check(kubeconfig: &Kubeconfig, context: &str) -> Result<(), Refused> {
    let Some(cluster) = cluster_of(kubeconfig, context) else {
        return refuse(format!("the kubeconfig has no cluster for its context `{context}`"));
    };
    let user = kubeconfig.auth_infos.first().and_then(|named| named.auth_info.as_ref());
    let Some(user) = user else {
        return refuse(format!("the kubeconfig has no user for its context `{context}`"));
    };
    check_address(cluster.server.as_deref().unwrap_or_default())?;
    check_cluster(cluster)?;
    check_user(user)
}

fn check_address(server: &str) -> Result<(), Refused> {
    let usage = |why: &str| Refused(format!("the API server's address {why}: give `https://host[:port]`"));
    let url = url::Url::parse(server).map_err(|_| usage("is missing or malformed"))?;
    if url.scheme() != "https" {
        return Err(usage(
            "does not begin with `https://`, and a credential must not travel in clear",
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(usage("holds a user name or password"));
    }
    if url.query().is_some() || url.fragment().is_some() || url.host_str().is_none_or(str::is_empty) {
        return Err(usage("holds more or less than a host, a port and a path"));
    }
    server.parse::<http::Uri>().map(drop).map_err(|_| usage("is malformed"))
}

fn check_cluster(cluster: &Cluster) -> Result<(), Refused> {
    if cluster.proxy_url.is_some() {
        return forbidden("proxy-url", "a cluster added through the API is reached directly");
    }
    if cluster.certificate_authority.is_some() {
        return forbidden(
            "certificate-authority",
            "it names a file; give the file's base64 as `certificate-authority-data`",
        );
    }
    if cluster.insecure_skip_tls_verify == Some(true) {
        return forbidden(
            "insecure-skip-tls-verify",
            "anybody could read the credential; give the server's authority as `certificate-authority-data`",
        );
    }
    let Some(data) = &cluster.certificate_authority_data else {
        return Ok(());
    };
    let mut roots = RootCertStore::empty();
    let mut add = |certificate| roots.add(certificate).is_ok();
    let valid = certificates(data).is_some_and(|certificates| certificates.into_iter().all(&mut add));
    if valid {
        return Ok(());
    }
    refuse(
        "the certificate authority (`certificate-authority-data`, `caCert`) is not the base64 of certificates in PEM",
    )
}

fn check_user(user: &AuthInfo) -> Result<(), Refused> {
    if user.exec.is_some() {
        return forbidden(
            "exec",
            "it would run a program on this server; give a `token` or a client certificate",
        );
    }
    if user.auth_provider.is_some() {
        return forbidden(
            "auth-provider",
            "it may run a program on this server; give a `token` or a client certificate",
        );
    }
    let files = [
        (
            "client-certificate",
            user.client_certificate.is_some(),
            "client-certificate-data",
        ),
        ("client-key", user.client_key.is_some(), "client-key-data"),
        ("tokenFile", user.token_file.is_some(), "token"),
    ];
    if let Some((name, _, instead)) = files.into_iter().find(|(_, given, _)| *given) {
        return forbidden(name, &format!("it names a file; give its content as `{instead}`"));
    }
    let acts_as = [
        ("as", user.impersonate.is_some()),
        ("as-uid", user.impersonate_uid.is_some()),
        ("as-groups", user.impersonate_groups.is_some()),
        ("as-user-extra", user.impersonate_user_extra.is_some()),
    ];
    if let Some((name, _)) = acts_as.into_iter().find(|(_, given)| *given) {
        return forbidden(name, "whom to act as is not for a kubeconfig to say");
    }
    if user.username.is_some() || user.password.is_some() {
        return forbidden(
            "username and password",
            "Kubernetes dropped them in 1.19; give a `token` or a client certificate",
        );
    }
    check_credential(user)
}

fn check_credential(user: &AuthInfo) -> Result<(), Refused> {
    // Serialised, because only that shows a secret's text.
    let user = serde_json::to_value(user).unwrap_or_default();
    let field = |name: &str| {
        user.get(name)
            .and_then(|value| value.as_str())
            .filter(|value| !value.is_empty())
    };
    let token = field("token");
    let (certificate, key) = (field("client-certificate-data"), field("client-key-data"));
    if token.is_none() && certificate.is_none() {
        return refuse("there is no credential: give a `token`, or `client-certificate-data` with `client-key-data`");
    }
    if token.is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
        return refuse("the token holds characters that no token has: check that it is pasted whole and alone");
    }
    if certificate.is_some() != key.is_some() {
        return refuse("a client certificate needs both `client-certificate-data` and `client-key-data`");
    }
    if certificate.is_some_and(|data| certificates(data).is_none()) {
        return refuse("`client-certificate-data` is not the base64 of certificates in PEM");
    }
    let is_key = |data: &str| {
        STANDARD
            .decode(data)
            .is_ok_and(|pem| PrivateKeyDer::from_pem_slice(&pem).is_ok())
    };
    if key.is_some_and(|data| !is_key(data)) {
        return refuse("`client-key-data` is not the base64 of a private key in PEM");
    }
    Ok(())
}

/// The certificates, at least one, of base64 of PEM.
fn certificates(data: &str) -> Option<Vec<CertificateDer<'static>>> {
    let pem = STANDARD.decode(data).ok()?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    certificates.ok().filter(|certificates| !certificates.is_empty())
}

/// PEM as base64, base64 as it is.
pub(super) fn as_base64(pem: &str) -> String {
    match decode(pem) {
        Some(_) => pem.split_whitespace().collect(),
        None => STANDARD.encode(pem.trim()),
    }
}

/// Base64, in lines or not.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_whitespace().collect();
    STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

fn refuse<T>(why: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(why.into()))
}

fn forbidden<T>(name: &str, why: &str) -> Result<T, Refused> {
    refuse(format!(
        "`{name}` is not allowed in a kubeconfig given through the API: {why}"
    ))
}
