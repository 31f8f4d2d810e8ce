//! Sources that are accepted, and sources that are refused with their reasons.

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use podgate_cluster::Source;
use podgate_sim::Sim;
use serde_json::{Value, json};

use crate::world::options;

/// Returns a valid kubeconfig after a change.
fn kubeconfig(change: impl FnOnce(&mut Value)) -> String {
    let mut config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "a",
        "clusters": [{"name": "a", "cluster": {"server": "https://k8s.example:6443"}}],
        "users": [{"name": "u", "user": {"token": "secret-token"}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "u"}}],
    });
    change(&mut config);
    config.to_string()
}

fn refusal(text: &str) -> String {
    Source::from_untrusted_kubeconfig(text).unwrap_err().to_string()
}

#[test]
fn fields_that_run_read_or_call_something_are_refused_by_name() {
    let user = [
        (
            "exec",
            json!({"command": "sh", "apiVersion": "client.authentication.k8s.io/v1"}),
        ),
        ("auth-provider", json!({"name": "gcp"})),
        ("client-certificate", json!("/etc/passwd")),
        ("client-key", json!("/etc/passwd")),
        ("tokenFile", json!("/etc/passwd")),
        ("as", json!("system:admin")),
        ("as-uid", json!("0")),
        ("as-groups", json!(["system:masters"])),
        ("as-user-extra", json!({"x": ["y"]})),
        ("username", json!("u")),
        ("password", json!("p")),
    ];
    for (field, value) in user {
        let refused = refusal(&kubeconfig(|config| config["users"][0]["user"][field] = value));
        assert!(refused.contains(field), "{field}: {refused}");
    }
    let cluster = [
        ("proxy-url", json!("http://127.0.0.1:3128")),
        ("certificate-authority", json!("/etc/passwd")),
        ("insecure-skip-tls-verify", json!(true)),
    ];
    for (field, value) in cluster {
        let refused = refusal(&kubeconfig(|config| config["clusters"][0]["cluster"][field] = value));
        assert!(refused.contains(&format!("`{field}`")), "{field}: {refused}");
    }
}

#[test]
fn addresses_are_https_and_nothing_more() {
    for server in [
        "http://k8s.example",
        "",
        "k8s.example",
        "https://",
        "file:///etc/passwd",
        "https://user:pass@k8s.example",
        "https://user@k8s.example",
        "https://k8s.example?x=1",
        "https://k8s.example#x",
        "ftp://k8s.example",
    ] {
        assert!(Source::from_parts(server, "t", "").is_err(), "{server}");
        let refused = refusal(&kubeconfig(|config| {
            config["clusters"][0]["cluster"]["server"] = json!(server)
        }));
        assert!(refused.contains("https://host"), "{server}: {refused}");
    }
    for server in [
        "https://k8s.example",
        "https://10.0.0.1:6443/",
        "https://rancher.example/k8s/clusters/c-1",
        "https://[fd12::1]:6443",
    ] {
        let source = Source::from_parts(server, "t", "").unwrap();
        assert_eq!(source.api_server(), server.trim_end_matches('/'));
    }
}

#[test]
fn credentials_and_certificates_must_be_valid() {
    let user = |value: Value| kubeconfig(|config| config["users"][0]["user"] = value);
    assert!(refusal(&user(json!({}))).contains("no credential"));
    assert!(refusal(&user(json!({"token": ""}))).contains("no credential"));
    assert!(refusal(&user(json!({"token": "a\r\nX-Evil: 1"}))).contains("token"));
    assert!(refusal(&user(json!({"client-certificate-data": "eA=="}))).contains("client-key-data"));
    assert!(
        refusal(&user(
            json!({"client-certificate-data": "eA==", "client-key-data": "eA=="})
        ))
        .contains("client-certificate-data")
    );
    let ca =
        |data: &str| kubeconfig(|config| config["clusters"][0]["cluster"]["certificate-authority-data"] = json!(data));
    for data in [
        "!",
        "eA==",
        &STANDARD.encode("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ] {
        assert!(refusal(&ca(data)).contains("certificate-authority-data"), "{data}");
    }
    assert!(Source::from_parts("https://k8s.example", "t", "not a certificate").is_err());
    assert!(Source::from_parts("https://k8s.example", "", "").is_err());
    let pem = rcgen::generate_simple_self_signed(vec!["x".to_owned()])
        .unwrap()
        .cert
        .pem();
    let unreadable = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    Source::from_untrusted_kubeconfig(&ca(&STANDARD.encode(format!("the authority\n{unreadable}{pem}")))).unwrap();
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let pair = json!({"client-certificate-data": STANDARD.encode(&pem), "client-key-data": STANDARD.encode(encrypted)});
    assert!(refusal(&user(pair)).contains("is encrypted"));
    for ca in [pem.clone(), STANDARD.encode(&pem), format!("\n{pem}\n")] {
        assert!(Source::from_parts("https://k8s.example", "t", &ca).is_ok());
    }
}

#[test]
fn one_context_is_taken_and_nothing_else_is_kept() {
    let several = |current: Value| {
        kubeconfig(|config| {
            config["current-context"] = current;
            config["clusters"]
                .as_array_mut()
                .unwrap()
                .push(json!({"name": "b", "cluster": {"server": "https://b.example"}}));
            config["contexts"]
                .as_array_mut()
                .unwrap()
                .push(json!({"name": "b", "context": {"cluster": "b", "user": "u"}}));
            config["users"]
                .as_array_mut()
                .unwrap()
                .push(json!({"name": "evil", "user": {"exec": {"command": "sh"}, "token": "other-secret"}}));
        })
    };
    for none in [json!(null), json!("")] {
        let refused = refusal(&several(none));
        assert!(
            refused.contains("`a`, `b`") && refused.contains("current-context"),
            "{refused}"
        );
    }
    assert!(refusal(&several(json!("c"))).contains("`c`"));
    let source = Source::from_untrusted_kubeconfig(&several(json!("b"))).unwrap();
    assert_eq!(source.api_server(), "https://b.example");
    assert!(!source.to_stored().contains("other-secret"));
    let only = kubeconfig(|config| config["current-context"] = json!(null));
    assert!(Source::from_untrusted_kubeconfig(&only).is_ok());
    for part in ["clusters", "users", "contexts"] {
        refusal(&kubeconfig(|config| config[part] = json!([])));
        refusal(&kubeconfig(|config| config[part] = json!(null)));
    }
}

#[test]
fn base64_is_taken_for_what_it_holds() {
    let text = kubeconfig(|_| {});
    let encoded = STANDARD.encode(&text);
    let lines: Vec<_> = encoded
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    for text in [text, encoded.clone(), lines.join("\n"), format!("  {encoded}\r\n")] {
        assert_eq!(
            Source::from_untrusted_kubeconfig(&text).unwrap().api_server(),
            "https://k8s.example:6443"
        );
    }
}

#[test]
fn hostile_text_is_refused_without_quoting_it() {
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nclusters: *c\n";
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let long = format!("# {}\n{}", "x".repeat(1 << 20), kubeconfig(|_| {}));
    let several = format!("{}\n---\n{}", kubeconfig(|_| {}), kubeconfig(|_| {}));
    for text in [
        "",
        "42",
        "[]",
        "{",
        "token: secret-token\n bad",
        "\u{0}",
        bomb,
        &deep,
        &long,
        &several,
        "users: {secret-token: 1}",
    ] {
        let refused = refusal(text);
        assert!(!refused.contains("secret-token") && refused.len() < 500, "{refused}");
    }
}

#[test]
fn a_stored_source_is_read_back_and_stays_untrusted() {
    let source = Source::from_parts("https://k8s.example:6443", "secret-token", "").unwrap();
    let stored = source.to_stored();
    assert!(stored.contains("secret-token"));
    assert_eq!(Source::from_stored(&stored).unwrap().api_server(), source.api_server());
    let evil = json!({"kubeconfig": {"current-context": "a", "clusters": [{"name": "a", "cluster": {"server": "https://x"}}],
        "users": [{"name": "u", "user": {"exec": {"command": "sh"}}}], "contexts": [{"name": "a", "context": {"cluster": "a", "user": "u"}}]}});
    for text in ["", "{}", "secret-token", &evil.to_string()] {
        let refused = Source::from_stored(text).unwrap_err().to_string();
        assert!(!refused.contains("secret-token"), "{refused}");
    }
    assert!(!format!("{source:?}").contains("secret-token"));
}

#[tokio::test]
async fn an_operators_file_gives_each_context() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    let sim = Sim::start(options()).await.unwrap();
    fs::write(&file, sim.kubeconfig()).unwrap();
    let contexts = Source::from_kubeconfig_file(&file).unwrap();
    assert_eq!(contexts.len(), 1);
    assert_eq!(contexts[0].name, "sim");
    assert_eq!(contexts[0].source.api_server(), format!("https://{}", sim.address()));
    sim.stop().await;
    fs::write(
        &file,
        "contexts: [{name: Prod/EU, context: {cluster: c}}, {name: \"2\", context: {cluster: c}}]",
    )
    .unwrap();
    let names: Vec<_> = Source::from_kubeconfig_file(&file)
        .unwrap()
        .into_iter()
        .map(|context| (context.name, context.original))
        .collect();
    assert_eq!(
        names,
        [
            ("prod-eu".to_owned(), "Prod/EU".to_owned()),
            ("cluster-2".to_owned(), "2".to_owned())
        ]
    );
    for text in ["", "contexts: 5", "token: secret-token\n bad"] {
        fs::write(&file, text).unwrap();
        let refused = Source::from_kubeconfig_file(&file).unwrap_err().to_string();
        assert!(
            refused.contains("config") && !refused.contains("secret-token"),
            "{refused}"
        );
    }
    let missing = Source::from_kubeconfig_file(&folder.path().join("none"))
        .unwrap_err()
        .to_string();
    assert!(
        missing.contains("none") && missing.contains("can't be read"),
        "{missing}"
    );
}
