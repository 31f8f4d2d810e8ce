//! The policy for a kubeconfig that comes through the API. It may contain data only: nothing that
//! makes this server run a program, read a file or call another address.

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
/// Why a user may not name another one to act as.
const IMPERSONATION: &str = "calls are made as the credential's own user; give a credential of the user to act as";
/// Why a user may not have a name and a password.
const BASIC: &str = "Kubernetes dropped user names and passwords in 1.19; give a `token` or a client certificate";

/// Reads a kubeconfig, as YAML or as base64.
pub(super) fn read(text: &str) -> Result<Effective, InvalidSource> {
    if text.len() > MAX {
        return refuse("the kubeconfig is longer than 1 MiB: reduce it to the cluster that you want to add");
    }
    let decoded = decode(text).and_then(|bytes| String::from_utf8(bytes).ok());
    let kubeconfig = Kubeconfig::parse(decoded.as_deref().unwrap_or(text)).map_err(|InvalidSource(why)| {
        InvalidSource(format!(
            "the text is not a kubeconfig, neither as YAML nor as base64: {why}"
        ))
    })?;
    if kubeconfig.more {
        return refuse("the kubeconfig consists of several YAML documents, separated by `---`: give one of them");
    }
    from_kubeconfig(&kubeconfig)
}

/// Returns the configuration of the current context, or of the only one.
pub(super) fn from_kubeconfig(kubeconfig: &Kubeconfig) -> Result<Effective, InvalidSource> {
    let names = kubeconfig.contexts();
    let name = match (kubeconfig.current.as_str(), names.as_slice()) {
        ("", [only]) => only,
        ("", []) => return refuse("the kubeconfig has no context: add one, with a cluster and a user"),
        ("", several) => {
            let names = crate::text::excerpt(&several.join("`, `"));
            return refuse(format!(
                "the kubeconfig has several contexts (`{names}`) and no `current-context`: set `current-context` to the one \
                 that you want to add"
            ));
        }
        (current, names) if names.contains(&current) => current,
        (current, _) => {
            return refuse(format!(
                "`current-context` names `{}`, which is not a context of the kubeconfig: name one of its contexts",
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
    // The folder does not matter, because a context that passed these checks names no file.
    effective::effective(kubeconfig, name, Path::new(""))
}

fn check_cluster(cluster: &Fields<'_>) -> Result<(), InvalidSource> {
    if cluster
        .text("server")?
        .is_some_and(|server| server.contains(['?', '#']))
    {
        return Err(usage("has a query (`?`) or a fragment (`#`)"));
    }
    if cluster.raw("proxy-url").is_some_and(is_given) {
        return forbidden(
            "proxy-url",
            "a cluster added through the API must be reachable without a proxy",
        );
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
            "anybody on the network could intercept the credential; give the server's certificate authority as \
             `certificate-authority-data`",
        );
    }
    Ok(())
}

/// Returns whether a field is set. An empty value counts as absent.
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
        ("as", IMPERSONATION),
        ("as-uid", IMPERSONATION),
        ("as-groups", IMPERSONATION),
        ("as-user-extra", IMPERSONATION),
        ("username", BASIC),
        ("password", BASIC),
    ];
    match rules.into_iter().find(|(name, _)| user.raw(name).is_some_and(is_given)) {
        Some((name, why)) => forbidden(name, why),
        None => Ok(()),
    }
}

/// Checks an untrusted source, whether it came as a kubeconfig, in parts or from the store.
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

/// Returns the error for an invalid address of an API server.
fn usage(why: &str) -> InvalidSource {
    InvalidSource(format!(
        "the API server's address {why}: give `https://host[:port][/path]`"
    ))
}

fn check_address(effective: &Effective) -> Result<(), InvalidSource> {
    let url = url::Url::parse(&effective.server.text).map_err(|_| usage("is missing or malformed"))?;
    if url.scheme() != "https" || effective.server.uri.scheme_str() != Some("https") {
        return Err(usage(
            "does not begin with `https://`, so the credential would be sent unencrypted",
        ));
    }
    Ok(())
}

/// Checks the certificates and keys, so that unusable ones are refused before the first connection.
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
        return refuse(
            "the token contains white space or another character that no bearer token has: give the token alone",
        );
    }
    Ok(())
}

/// Returns a kubeconfig that contains this source and nothing else.
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

/// Returns the base64 of PEM. A text that is base64 already is kept, without white space.
pub(super) fn as_base64(pem: &str) -> String {
    match decode(pem) {
        Some(_) => pem.split_whitespace().collect(),
        None => STANDARD.encode(pem.trim()),
    }
}

/// Decodes base64, ignoring white space; `None` if the text is empty or not base64.
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
