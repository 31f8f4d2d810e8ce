//! The effective configuration of each kubeconfig in `tests/data/kubeconfig`. The table was
//! compared with client-go's `clientcmd` and with kubectl, and marks where it differs from them.
#![allow(clippy::unwrap_used)]

use std::{fmt::Write, path::Path};

use super::{
    effective::{Credential, Effective, Material},
    *,
};

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/kubeconfig"))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn material(material: &Material) -> String {
    match material {
        Material::Data(data) => String::from_utf8_lossy(data).trim().to_owned(),
        Material::File(path) => {
            assert!(path.starts_with(folder()), "{}", path.display());
            format!("file {}", name(path))
        }
    }
}

/// Shows all that is present, in a fixed order.
fn shown(effective: &Effective) -> String {
    let mut row = effective.server.uri.to_string();
    let mut add = |what: &str, value: Option<String>| {
        if let Some(value) = value {
            write!(row, ", {what} {value}").unwrap();
        }
    };
    add("ca", effective.ca.as_ref().map(material));
    add("insecure", effective.insecure.then(String::new));
    add("name", effective.server_name.clone());
    add("proxy", effective.proxy.as_ref().map(ToString::to_string));
    add("namespace", effective.namespace.clone());
    match &effective.credential {
        Credential::Absent(why) => add("anonymous:", Some(why.clone())),
        Credential::Exec(exec) => add(
            "exec",
            Some(
                exec.command
                    .strip_prefix(folder())
                    .unwrap_or(&exec.command)
                    .display()
                    .to_string(),
            ),
        ),
        Credential::Given {
            token,
            basic,
            certificate,
        } => {
            let token = token.as_ref();
            add("token", token.and_then(|token| token.text.clone()));
            add("tokenFile", token.and_then(|token| token.file.as_deref().map(name)));
            add(
                "basic",
                basic.as_ref().map(|(name, password)| format!("{name}:{password}")),
            );
            let pair = certificate.as_ref();
            add(
                "pair",
                pair.map(|(certificate, key)| format!("{} + {}", material(certificate), material(key))),
            );
        }
    }
    for (header, value) in &effective.act_as {
        write!(row, ", {header}={}", value.to_str().unwrap()).unwrap();
    }
    row.trim_end().to_owned()
}

/// Checks what each context of a file amounts to, or the beginning of its error.
fn check(file: &str, expected: &[(&str, &str)]) {
    let kubeconfig = file::parse(&folder().join(file)).unwrap();
    let rows = kubeconfig.contexts().into_iter().map(|context| {
        let row = match effective::effective(&kubeconfig, context, folder()) {
            Ok(effective) => shown(&effective),
            Err(InvalidSource(why)) => format!("refused: {why}"),
        };
        assert!(!row.contains("secret") || row.contains("basic"), "{row}");
        (context, row)
    });
    let mut wrong = String::new();
    let mut expected = expected.iter();
    for (context, row) in rows {
        let (name, part) = expected.next().unwrap_or(&("nothing", ""));
        let matches = match part.strip_suffix('…') {
            Some(begin) => row.starts_with(begin),
            None => row == *part,
        };
        if *name != context || !matches {
            writeln!(wrong, "{context}: {row}\n    instead of {name}: {part}").unwrap();
        }
    }
    assert!(wrong.is_empty() && expected.next().is_none(), "{file}\n{wrong}");
}

const PLAIN: &str = "https://plain.example/k8s/clusters/c-1/, token t";

#[test]
fn addresses_and_authorities() {
    check(
        "clusters.yaml",
        &[
            (
                "block",
                "https://block.example:6443/, ca authority, namespace shop, token t",
            ),
            ("folded", "https://folded.example/, ca authority, token t"),
            ("binary", "https://binary.example/, ca authority, token t"),
            (
                "no-base64",
                "refused: `certificate-authority-data` of cluster `no-base64` is not base64…",
            ),
            (
                "unpadded",
                "refused: `certificate-authority-data` of cluster `unpadded` is not base64…",
            ),
            ("empty-ca", "https://empty.example/, token t"),
            ("empty-ca-and-file", "https://empty.example/, ca file ca.txt, token t"),
            ("ca-file", "https://file.example/, ca file ca.txt, token t"),
            // kubectl refuses it, and says that the data would win.
            ("ca-twice", "https://twice.example/, ca authority, token t"),
            (
                "empty-all",
                "https://e.example/, anonymous: user `empty` has no credential",
            ),
            (
                "both",
                "refused: cluster `both` has both a certificate authority (`certificate-authority-data` or `certificate-authority`) and \
          `insecure-skip-tls-verify`: remove one of them",
            ),
            (
                "both-file",
                "refused: cluster `both-file` has both a certificate authority…",
            ),
            ("insecure", "https://insecure.example/, insecure , token t"),
            ("name", "https://10.0.0.1:6443/, name api.internal, token t"),
            ("path", PLAIN),
            (
                "http",
                "http://127.0.0.1:8001/, anonymous: the address in `server` is not https, and a credential is sent over https only",
            ),
            (
                "http-as",
                "http://127.0.0.1:8001/, anonymous: the address in `server` is not https, and a credential is sent over https only",
            ),
            (
                "no-scheme",
                "http://127.0.0.1:8001/, anonymous: the address in `server` is not https…",
            ),
            (
                "no-scheme-name",
                "http://localhost:8001/, insecure , anonymous: the address…",
            ),
            ("bare-name", "http://k8s.example/, anonymous: the address…"),
            (
                "no-scheme-path",
                "refused: `server` of cluster `no-scheme-path` has a path and no scheme: begin it with `https://`",
            ),
            (
                "no-server",
                "refused: `server` of cluster `no-server` is missing: give the API server's address, as `https://host:port`",
            ),
            ("nothing", "refused: `server` of cluster `nothing` is missing…"),
            ("query", "https://query.example/base, token t"),
            ("control", "refused: `server` of cluster `control` is malformed…"),
            ("port", "refused: `server` of cluster `port` is malformed…"),
            ("ftp", "refused: `server` of cluster `ftp` begins with another scheme…"),
            (
                "proxy",
                "https://127.0.0.1:6443/, proxy http://proxy.example:3128, token t",
            ),
            (
                "proxy-socks",
                "https://plain.example/, proxy socks5://proxy.example:1080, token t",
            ),
            (
                "proxy-no-scheme",
                "refused: `proxy-url` of cluster `proxy-no-scheme` is `proxy.example:3128`, which does not begin with `http://`, \
          `https://` or `socks5://`",
            ),
            (
                "proxy-ftp",
                "refused: `proxy-url` of cluster `proxy-ftp` is `ftp://proxy.example`, which does not begin with…",
            ),
            ("number", "https://plain.example/, token t"),
            (
                "cluster-gone",
                "refused: the context names cluster `gone`, which the file does not have (kubeconfig files are not merged…",
            ),
            ("no-cluster", "refused: the context names no cluster"),
            ("empty-context", "refused: the context names no cluster"),
        ],
    );
}

#[test]
fn credentials() {
    let refused = |user: &str, why: &str| format!("refused: user `{user}` {why}");
    let pair = |pair: &str| format!("https://plain.example/k8s/clusters/c-1/, pair {pair}");
    check(
        "users.yaml",
        &[
            (
                "no-user",
                "https://plain.example/k8s/clusters/c-1/, anonymous: the context names no user",
            ),
            (
                "user-gone",
                "https://plain.example/k8s/clusters/c-1/, anonymous: the context names user `gone`, which the file does not have (…",
            ),
            (
                "user-none",
                "https://plain.example/k8s/clusters/c-1/, anonymous: user `none` has no credential",
            ),
            (
                "user-null",
                "https://plain.example/k8s/clusters/c-1/, anonymous: user `null` has no credential",
            ),
            (
                "token-and-file",
                "https://plain.example/k8s/clusters/c-1/, token stale, tokenFile token.txt",
            ),
            (
                "token-and-lost-file",
                "https://plain.example/k8s/clusters/c-1/, token stale, tokenFile lost.txt",
            ),
            (
                "lost-file",
                "https://plain.example/k8s/clusters/c-1/, tokenFile lost.txt",
            ),
            ("file", "https://plain.example/k8s/clusters/c-1/, tokenFile token.txt"),
            ("line-feed", "refused: `token` of user `line-feed` holds a line feed…"),
            (
                "nul",
                "refused: `token` of user `nul` holds a line feed or another character…",
            ),
            ("pair", &pair("certificate + key")),
            ("pair-files", &pair("file cert.txt + file key.txt")),
            ("pair-mixed", &pair("certificate + file key.txt")),
            // kubectl refuses it, and says that the data would win.
            ("pair-twice", &pair("certificate + key")),
            ("pair-lost", &pair("file lost.txt + file key.txt")),
            (
                "no-key",
                &refused(
                    "no-key",
                    "has a client certificate without its key: give `client-key-data` or `client-key`",
                ),
            ),
            (
                "no-certificate",
                "https://plain.example/k8s/clusters/c-1/, anonymous: user `no-certificate` has no credential",
            ),
            ("basic", "https://plain.example/k8s/clusters/c-1/, basic me:secret"),
            (
                "basic-and-token",
                &refused(
                    "basic-and-token",
                    "has both a token and `username` or `password`: remove one of them",
                ),
            ),
            ("basic-and-file", &refused("basic-and-file", "has both a token and…")),
            ("exec", "https://plain.example/k8s/clusters/c-1/, exec plug-in"),
            ("exec-and-token", PLAIN),
            (
                "exec-no-command",
                "refused: `exec` of user `exec-no-command` has no `command`",
            ),
            (
                "exec-no-version",
                "refused: `exec` of user `exec-no-version` has no `apiVersion`",
            ),
            (
                "exec-old",
                "refused: `apiVersion` of `exec` of user `exec-old` is `client.authentication.k8s.io/v1alpha1`…",
            ),
            (
                "exec-and-provider",
                &refused(
                    "exec-and-provider",
                    "has both `exec` and `auth-provider`: remove one of them",
                ),
            ),
            (
                "gcp",
                "refused: `auth-provider` `gcp` of user `gcp` was removed in Kubernetes 1.26…",
            ),
            ("oidc", PLAIN),
            (
                "as",
                &format!(
                    "{PLAIN}, impersonate-user=admin, impersonate-uid=7, impersonate-group=a, impersonate-group=b, \
          impersonate-extra-scope%2fx=value"
                ),
            ),
            (
                "as-nobody",
                &refused("as-nobody", "has `as-uid`, `as-groups` or `as-user-extra` without `as`"),
            ),
            (
                "as-line-feed",
                "refused: `as` of user `as-line-feed` holds a line feed…",
            ),
        ],
    );
}

#[test]
fn syntax() {
    check(
        "syntax-anchors.yaml",
        &[
            ("merged", "https://merged.example/, name own, token t"),
            ("late", "https://merged.example/, name common, token t"),
        ],
    );
    check("syntax-documents.yaml", &[("first", "https://first.example/, token t")]);
    check("syntax-second.yaml", &[("first", "https://first.example/, token t")]);
    check("syntax-twice.yaml", &[("twice", "https://last.example/, token t")]);
}

/// kubectl refuses each of these files as a whole.
#[test]
fn one_wrong_entry_costs_what_names_it() {
    check(
        "wrong-names.yaml",
        &[
            (
                "user-twice",
                "refused: the file has two users named `u`: rename or remove one",
            ),
            (
                "cluster-twice",
                "refused: the file has two clusters named `d`: rename or remove one",
            ),
            ("fine", "https://c.example/, token v"),
            (
                "context-twice",
                "refused: the file has two contexts named `context-twice`: rename or remove one",
            ),
        ],
    );
    check(
        "wrong-types.yaml",
        &[
            (
                "number",
                "refused: `token` of user `number` is a number, not a text: put it in quotes",
            ),
            (
                "boolean",
                "refused: `token` of user `boolean` is a boolean, not a text: put it in quotes",
            ),
            (
                "cluster-number",
                "refused: `cluster` of context `cluster-number` is a number, not a text: put it in quotes",
            ),
            ("list", "refused: cluster `list` is a list, not a mapping"),
            (
                "text",
                "refused: `insecure-skip-tls-verify` of cluster `text` is a text, not true or false without quotes",
            ),
            (
                "42",
                "refused: context `42` has a number for its `name`: put it in quotes",
            ),
            ("fine", "https://c.example/, token t"),
        ],
    );
}

#[test]
fn an_invalid_kubeconfig_says_why() {
    for (file, part) in [
        ("wrong-kind.yaml", "its `kind` is `Secret`, not `Config`"),
        ("wrong-version.yaml", "its `apiVersion` is `v2`, not `v1`"),
    ] {
        let InvalidSource(why) = file::parse(&folder().join(file)).unwrap_err();
        assert!(why.contains(part), "{why}");
    }
}

proptest::proptest! {
    /// No kubeconfig can end the reader, and errors quote no part of it.
    #[test]
    fn any_text_is_read_or_refused(text in "[a-c:{}\\[\\]&*!|>'\"#%@~<\\- \\n\\t\u{0}\u{feff}]{0,60}", value in ".{0,40}") {
        let text = text + "\nusers: [{name: u, user: {token: 'secret";
        let refused = Source::from_untrusted_kubeconfig(&text).unwrap_err().to_string();
        proptest::prop_assert!(!refused.contains("secret") && refused.len() < 4096, "{}", refused);
        let value = serde_json::Value::from(value);
        let kubeconfig = Kubeconfig::from_value(json!({
            "clusters": [{"name": "c", "cluster": {"server": value, "proxy-url": value, "certificate-authority-data": value}}],
            "users": [{"name": "u", "user": {"token": value, "as": value, "as-user-extra": {"k": [value]}}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        })).unwrap();
        if let Ok(effective) = effective::effective(&kubeconfig, "c", folder()) {
            let _ = Loaded::from_effective(&effective);
        }
    }
}

#[test]
fn a_token_file_wins_and_the_token_serves_without_it() {
    let contexts = Source::from_kubeconfig_file(&folder().join("users.yaml")).unwrap();
    let header = |name: &str| {
        let context = contexts.iter().find(|context| context.original == name).unwrap();
        let loaded = context.source.load().map_err(|InvalidSource(why)| why)?;
        Ok::<_, String>(
            loaded
                .headers
                .iter()
                .map(|(_, value)| value.to_str().unwrap().to_owned())
                .collect::<String>(),
        )
    };
    assert_eq!(header("token-and-file").unwrap(), "Bearer file-token");
    assert_eq!(header("token-and-lost-file").unwrap(), "Bearer stale");
    assert_eq!(header("file").unwrap(), "Bearer file-token");
    assert_eq!(header("basic").unwrap(), "Basic bWU6c2VjcmV0");
    let why = header("lost-file").unwrap_err();
    assert!(
        why.contains("lost.txt`, which `tokenFile` names, can't be read: No such file"),
        "{why}"
    );
    let why = header("pair-lost").unwrap_err();
    assert!(why.contains("lost.txt`, which `client-certificate` names"), "{why}");
}
