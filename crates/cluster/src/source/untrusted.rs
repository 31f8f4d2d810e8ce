//! The policy for a kubeconfig from the API: it may hold data, and nothing that makes this server
//! run, read or call something else.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::quote;
use super::{
    InvalidSource,
    effective::{self, Credential, Effective, Material, Token},
    kubeconfig::{Fields, Kubeconfig},
};
use crate::client::tls;

/// The most bytes of a kubeconfig.
const MAX: usize = 1 << 20;

/// Reads YAML, or its base64.
pub(super) fn read(text: &str) -> Result<Effective, InvalidSource> {
    if text.len() > MAX {
        return refuse("the kubeconfig is longer than 1 MiB");
    }
    let decoded = decode(text).and_then(|bytes| String::from_utf8(bytes).ok());
    let kubeconfig = Kubeconfig::parse(decoded.as_deref().unwrap_or(text)).map_err(|InvalidSource(why)| {
        InvalidSource(format!(
            "the kubeconfig is neither a kubeconfig in YAML nor its base64: {why}"
        ))
    })?;
    if kubeconfig.more {
        return refuse("the kubeconfig is several YAML documents (`---`): give one");
    }
    from_kubeconfig(&kubeconfig)
}

/// Uses the current context, else the only one.
pub(super) fn from_kubeconfig(kubeconfig: &Kubeconfig) -> Result<Effective, InvalidSource> {
    let names = kubeconfig.contexts();
    let name = match (kubeconfig.current.as_str(), names.as_slice()) {
        ("", [only]) => only,
        ("", []) => return refuse("the kubeconfig has no context"),
        ("", several) => {
            let names = crate::text::excerpt(&several.join("`, `"));
            return refuse(format!(
                "the kubeconfig has several contexts (`{names}`) and no `current-context`: set it"
            ));
        }
        (current, names) if names.contains(&current) => current,
        (current, _) => {
            return refuse(format!(
                "the kubeconfig has no context `{}`, which `current-context` names",
                quote(current)
            ));
        }
    };
    if let Some(context) = kubeconfig.context(name)? {
        if let Some(cluster) = kubeconfig.cluster(context.text("cluster")?.unwrap_or_default())? {
            check_cluster(&cluster)?;
        }
        if let Some(user) = kubeconfig.user(context.text("user")?.unwrap_or_default())? {
            check_user(&user)?;
        }
    }
    // Such a context names no file, so the folder does not matter.
    effective::effective(kubeconfig, name, Path::new(""))
}

fn check_cluster(cluster: &Fields<'_>) -> Result<(), InvalidSource> {
    if cluster
        .text("server")?
        .is_some_and(|server| server.contains(['?', '#']))
    {
        return Err(usage("holds more than a host, a port and a path"));
    }
    if cluster.raw("proxy-url").is_some_and(is_given) {
        return forbidden("proxy-url", "a cluster added through the API is reached directly");
    }
    if cluster.raw("certificate-authority").is_some_and(is_given) {
        return forbidden(
            "certificate-authority",
            "it names a file; give the file's base64 as `certificate-authority-data`",
        );
    }
    if cluster.raw("insecure-skip-tls-verify").is_some_and(is_given) {
        return forbidden(
            "insecure-skip-tls-verify",
            "anybody could read the credential; give the server's authority as `certificate-authority-data`",
        );
    }
    Ok(())
}

/// Returns whether a value is given. An empty one counts as absent.
fn is_given(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

fn check_user(user: &Fields<'_>) -> Result<(), InvalidSource> {
    let rules = [
        (
            "exec",
            "it would run a program on this server; give a `token` or a client certificate",
        ),
        (
            "auth-provider",
            "it may run a program on this server; give a `token` or a client certificate",
        ),
        (
            "client-certificate",
            "it names a file; give its content as `client-certificate-data`",
        ),
        ("client-key", "it names a file; give its content as `client-key-data`"),
        ("tokenFile", "it names a file; give its content as `token`"),
        ("as", "whom to act as is not for a kubeconfig to say"),
        ("as-uid", "whom to act as is not for a kubeconfig to say"),
        ("as-groups", "whom to act as is not for a kubeconfig to say"),
        ("as-user-extra", "whom to act as is not for a kubeconfig to say"),
        (
            "username",
            "Kubernetes dropped user names and passwords in 1.19; give a `token` or a client certificate",
        ),
        (
            "password",
            "Kubernetes dropped user names and passwords in 1.19; give a `token` or a client certificate",
        ),
    ];
    match rules.into_iter().find(|(name, _)| user.raw(name).is_some_and(is_given)) {
        Some((name, why)) => forbidden(name, why),
        None => Ok(()),
    }
}

/// Refuses what an untrusted source may not contain, however it was given.
pub(super) fn check(effective: &Effective) -> Result<(), InvalidSource> {
    check_address(effective)?;
    check_tls(effective)?;
    match &effective.credential {
        Credential::Given { token, certificate, .. } => check_credential(token.as_ref(), certificate.is_some()),
        Credential::Absent(why) => refuse(format!(
            "there is no credential ({why}): give a `token`, or `client-certificate-data` with `client-key-data`"
        )),
        Credential::Exec(_) => forbidden("exec", "it would run a program on this server"),
    }
}

/// Returns the error for an address.
fn usage(why: &str) -> InvalidSource {
    InvalidSource(format!("the API server's address {why}: give `https://host[:port]`"))
}

fn check_address(effective: &Effective) -> Result<(), InvalidSource> {
    let url = url::Url::parse(&effective.server.text).map_err(|_| usage("is missing or malformed"))?;
    if url.scheme() != "https" || effective.server.uri.scheme_str() != Some("https") {
        return Err(usage(
            "does not begin with `https://`, and a credential must not travel in clear",
        ));
    }
    Ok(())
}

/// Refuses certificates and keys with which no connection could be made.
fn check_tls(effective: &Effective) -> Result<(), InvalidSource> {
    let data = |material: &Material| match material {
        Material::Data(data) => Some(data.clone()),
        Material::File(_) => None,
    };
    let client = match &effective.credential {
        Credential::Given {
            certificate: Some((chain, key)),
            ..
        } => data(chain).zip(data(key)),
        _ => None,
    };
    let settings = tls::Settings {
        ca: effective.ca.as_ref().and_then(data),
        server_name: effective.server_name.clone(),
        client,
        ..tls::Settings::default()
    };
    tls::check(&settings).map_err(InvalidSource)
}

fn check_credential(token: Option<&Token>, has_certificate: bool) -> Result<(), InvalidSource> {
    let text = token.and_then(|token| token.text.as_deref());
    if text.is_none() && !has_certificate {
        return refuse("there is no credential: give a `token`, or `client-certificate-data` with `client-key-data`");
    }
    if text.is_some_and(|token| !token.bytes().all(|byte| byte.is_ascii_graphic())) {
        return refuse("the token holds characters that no token has: check that it is pasted whole and alone");
    }
    Ok(())
}

/// Returns a kubeconfig with only an untrusted source.
pub(super) fn to_kubeconfig(effective: &Effective) -> Value {
    let mut cluster = json!({"server": effective.server.text});
    if let Some(Material::Data(pem)) = &effective.ca {
        cluster["certificate-authority-data"] = STANDARD.encode(pem).into();
    }
    if let Some(name) = &effective.server_name {
        cluster["tls-server-name"] = name.as_str().into();
    }
    let mut user = json!({});
    if let Credential::Given { token, certificate, .. } = &effective.credential {
        if let Some(text) = token.as_ref().and_then(|token| token.text.as_deref()) {
            user["token"] = text.into();
        }
        if let Some((Material::Data(chain), Material::Data(key))) = certificate {
            user["client-certificate-data"] = STANDARD.encode(chain).into();
            user["client-key-data"] = STANDARD.encode(key).into();
        }
    }
    json!({
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "c",
    })
}

/// Encodes PEM as base64, and keeps base64 as it is.
pub(super) fn as_base64(pem: &str) -> String {
    match decode(pem) {
        Some(_) => pem.split_whitespace().collect(),
        None => STANDARD.encode(pem.trim()),
    }
}

/// Decodes base64, with or without line ends.
fn decode(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_whitespace().collect();
    STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty())
}

fn refuse<T>(why: impl Into<String>) -> Result<T, InvalidSource> {
    Err(InvalidSource(why.into()))
}

fn forbidden<T>(name: &str, why: &str) -> Result<T, InvalidSource> {
    refuse(format!(
        "`{name}` is not allowed in a kubeconfig given through the API: {why}"
    ))
}
