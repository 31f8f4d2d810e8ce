//! Kubeconfigs as people have them, against an API server: what connects, and what each of the
//! others says.

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use podgate_cluster::{Cluster, Error, Policy, Registry, Source, Spec, SyncState};
use podgate_index::{ClusterId, Index};
use podgate_sim::Sim;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{options, policy, until};

/// A simulated cluster, and a folder for kubeconfigs and what they name.
pub(crate) struct Field {
    pub(crate) sim: Sim,
    pub(crate) folder: TempDir,
    pub(crate) index: Index,
    pub(crate) registry: Registry,
}

impl Field {
    pub(crate) async fn new(policy: Policy) -> Self {
        let sim = Sim::start(options()).await.unwrap();
        let index = Index::new();
        let registry = Registry::new(index.clone(), policy);
        Self {
            sim,
            folder: tempfile::tempdir().unwrap(),
            index,
            registry,
        }
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn server(&self) -> String {
        format!("https://{}", self.sim.address())
    }

    /// Returns the simulated cluster's authority, in PEM.
    pub(crate) fn authority(&self) -> String {
        let kubeconfig = self.sim.kubeconfig();
        let (_, rest) = kubeconfig.split_once("certificate-authority-data: ").unwrap();
        String::from_utf8(STANDARD.decode(rest.lines().next().unwrap()).unwrap()).unwrap()
    }

    /// Returns a valid kubeconfig of one context after a change.
    pub(crate) fn kubeconfig(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut config = json!({
            "clusters": [{"name": "c", "cluster": {"server": self.server(), "certificate-authority-data": STANDARD.encode(self.authority())}}],
            "users": [{"name": "u", "user": {"token": "admin-token"}}],
            "contexts": [{"name": "prod", "context": {"cluster": "c", "user": "u"}}],
        });
        change(&mut config);
        config.to_string()
    }

    /// Adds the first context of a kubeconfig.
    pub(crate) fn add(&self, kubeconfig: &str) -> Cluster {
        let file = self.path("config");
        fs::write(&file, kubeconfig).unwrap();
        self.registry.add(Spec {
            id: ClusterId(1),
            name: "prod".to_owned(),
            source: Source::from_kubeconfig_file(&file).unwrap().remove(0).source,
            namespaces: Vec::new(),
        })
    }

    /// Adds the first context of a kubeconfig. Returns its error; `None` if it connects.
    pub(crate) async fn error(&self, kubeconfig: &str) -> Option<Error> {
        let cluster = self.add(kubeconfig);
        until("it is settled", || cluster.sync().state != SyncState::Syncing).await;
        let sync = cluster.sync();
        assert_ne!(sync.state, SyncState::Stale);
        sync.error
    }

    /// Returns the text of [`Field::error`], or an empty one.
    pub(crate) async fn outcome(&self, kubeconfig: &str) -> String {
        let error = self.error(kubeconfig).await;
        error.map(|error| error.to_string()).unwrap_or_default()
    }

    #[track_caller]
    pub(crate) fn says(outcome: &str, parts: &[&str]) {
        assert!(parts.iter().all(|part| outcome.contains(part)), "{outcome}: {parts:?}");
        assert!(
            !outcome.contains("admin-token") && !outcome.contains("closed unexpectedly"),
            "{outcome}"
        );
    }

    pub(crate) async fn end(self) {
        self.registry.shutdown().await;
        self.sim.stop().await;
    }
}

#[tokio::test]
async fn kubeconfigs_that_kubectl_reads_connect() {
    let field = Field::new(policy()).await;
    let pem = field.authority();
    let encoded = STANDARD.encode(&pem);
    let lines = |text: &str, indent: &str| {
        let lines: Vec<_> = text
            .as_bytes()
            .chunks(76)
            .map(|line| format!("{indent}{}", String::from_utf8_lossy(line)))
            .collect();
        lines.join("\n")
    };
    let around = |cluster: &str, user: &str| {
        format!(
            "kind: Config\nclusters:\n- name: c\n  cluster:\n    server: {}\n{cluster}\nusers:\n- name: u\n  user: {user}\ncontexts:\n\
             - {{name: prod, context: {{cluster: c, user: u}}}}\nkind: Config\n---\n",
            field.server()
        )
    };
    let token = "{token: admin-token}";
    fs::write(field.path("ca.crt"), &pem).unwrap();
    fs::write(field.path("token"), "admin-token\n").unwrap();
    for (what, kubeconfig) in [
        (
            "a block",
            around(
                &format!("    certificate-authority-data: |\n{}", lines(&encoded, "      ")),
                token,
            ),
        ),
        (
            "!!binary",
            around(
                &format!(
                    "    certificate-authority-data: !!binary |\n{}",
                    lines(&STANDARD.encode(&encoded), "      ")
                ),
                token,
            ),
        ),
        (
            "the file beside empty data",
            around(
                "    certificate-authority-data: ''\n    certificate-authority: ca.crt",
                token,
            ),
        ),
        (
            "no check, as asked",
            around(
                "    certificate-authority-data: ''\n    insecure-skip-tls-verify: yes",
                token,
            ),
        ),
        (
            "the file of a stale token",
            around(
                "    certificate-authority: ca.crt",
                "{token: stale-token, tokenFile: token}",
            ),
        ),
        (
            "the token of a lost file",
            around(
                "    certificate-authority: ca.crt",
                "{token: admin-token, tokenFile: lost}",
            ),
        ),
    ] {
        assert_eq!(field.outcome(&kubeconfig).await, "", "{what}");
    }
    field.end().await;
}

#[tokio::test]
async fn a_connection_that_fails_says_why() {
    let field = Field::new(policy()).await;
    let cluster =
        |name: &'static str, value: Value| field.kubeconfig(|config| config["clusters"][0]["cluster"][name] = value);
    let user = |user: Value| field.kubeconfig(|config| config["users"][0]["user"] = user);
    let context =
        |name: &'static str, value: Value| field.kubeconfig(|config| config["contexts"][0]["context"][name] = value);
    for (kubeconfig, parts) in [
        (
            cluster("insecure-skip-tls-verify", json!(true)),
            vec!["`certificate-authority-data`", "`insecure-skip-tls-verify`"],
        ),
        (
            cluster("certificate-authority-data", json!("%")),
            vec!["`certificate-authority-data`", "not base64"],
        ),
        (
            cluster("server", json!("127.0.0.1:1")),
            vec![
                "`server` of the kubeconfig has no scheme",
                "nothing accepts connections",
            ],
        ),
        (
            cluster("server", json!("https://a b")),
            vec!["`server` of cluster `c` is malformed"],
        ),
        (cluster("tls-server-name", json!("a b")), vec!["`tls-server-name`"]),
        (
            user(json!({"token": "admin-token\n"})),
            vec!["`token` of user `u`", "line feed"],
        ),
        (user(json!({"token": "a\u{0}b"})), vec!["`token` of user `u`"]),
        (
            user(json!({"token": "admin-token", "as": "a\nb"})),
            vec!["`as` of user `u`", "line feed"],
        ),
        (
            user(json!({"tokenFile": "lost"})),
            vec!["lost`, which `tokenFile` names, can't be read"],
        ),
        (
            user(json!({"token": ""})),
            vec!["status 401", "user `u` has no credential"],
        ),
        (
            user(json!({"token": "wrong-token"})),
            vec!["renew the cluster's credential"],
        ),
        (
            context("user", json!(null)),
            vec!["status 401", "the context names no user"],
        ),
        (
            context("user", json!("gone")),
            vec!["the context names user `gone`, which the file does not have"],
        ),
        (
            context("cluster", json!("gone")),
            vec!["the context names cluster `gone`, which the file does not have"],
        ),
        (
            field.kubeconfig(|config| {
                let twin = config["users"][0].clone();
                config["users"].as_array_mut().unwrap().push(twin);
            }),
            vec!["two users named `u`"],
        ),
    ] {
        let outcome = field.outcome(&kubeconfig).await;
        Field::says(&outcome, &parts);
        let renews = outcome.contains("renew the cluster's credential");
        assert_eq!(renews, parts[0].contains("renew"), "{outcome}");
    }
    field.end().await;
}

#[tokio::test]
async fn a_file_that_is_mended_is_read_again() {
    let field = Field::new(policy()).await;
    let outcome = field
        .outcome(&field.kubeconfig(|config| config["users"] = json!(null)))
        .await;
    Field::says(&outcome, &["the context names user `u`, which the file does not have"]);
    let cluster = field.registry.get(ClusterId(1)).unwrap();
    fs::write(field.path("config"), field.kubeconfig(|_| {})).unwrap();
    until("it is synced", || cluster.sync().state == SyncState::Synced).await;
    field.end().await;
}
