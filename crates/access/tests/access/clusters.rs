//! Clusters: the database and the registry together, on simulated clusters.

use std::{
    os::unix::fs::PermissionsExt,
    sync::{Arc, Once},
};

use podgate_access::{
    Action, Caller, Denied, Gate, Scoped, Target, User,
    action::{CreateCluster, DeleteCluster, GetCluster, ListClusters, TestCluster, UpdateCluster},
    clusters::{Clusters, Edit, Entry, New},
};
use podgate_cluster::{Policy, Registry, Source, SyncState};
use podgate_index::Index;
use podgate_sim::Sim;
use podgate_store::Store;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::open;

/// One start of Podgate.
struct Start {
    store: Store,
    registry: Registry,
    clusters: Clusters,
    gate: Gate,
}

fn start(store: Store) -> Start {
    static CRYPTO: Once = Once::new();
    CRYPTO.call_once(|| {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    });
    let index = Index::new();
    let loopback: ipnet::IpNet = "127.0.0.0/8".parse().unwrap();
    let policy = Policy {
        allowed_networks: vec![loopback].into(),
        ..Policy::default()
    };
    let registry = Registry::new(index.clone(), policy);
    let clusters = Clusters::new(store.clone(), registry.clone(), index.clone());
    let gate = Gate::new(index, registry.clone(), clusters.clone());
    Start {
        store,
        registry,
        clusters,
        gate,
    }
}

impl Start {
    async fn open<A: Action>(&self, target: Target<'_>) -> Scoped<A> {
        let admin = Caller {
            user: Arc::new(User {
                id: 1,
                username: "admin".to_owned(),
                email: String::new(),
                role: "admin".to_owned(),
            }),
            session: 1,
            token_expires_at: i64::MAX,
            expires_at: i64::MAX,
            revoked: CancellationToken::new(),
            unconfirmed: CancellationToken::new(),
        };
        self.gate.open::<A>(&admin, target).await.unwrap()
    }

    async fn create(&self, new: New) -> Result<Entry, Denied> {
        self.open::<CreateCluster>(Target::Everything).await.create(new).await
    }

    async fn update(&self, name: &str, edit: Edit) -> Result<Entry, Denied> {
        self.open::<UpdateCluster>(Target::Cluster(name))
            .await
            .update(edit)
            .await
    }

    async fn delete(&self, name: &str) -> Result<(), Denied> {
        self.open::<DeleteCluster>(Target::Cluster(name)).await.delete().await
    }

    async fn names(&self) -> Vec<String> {
        let entries = self
            .open::<ListClusters>(Target::Everything)
            .await
            .list()
            .await
            .unwrap();
        entries.into_iter().map(|entry| entry.name).collect()
    }

    /// Returns the cluster once it is synced or known to fail.
    async fn settled(&self, name: &str) -> Entry {
        let mut cluster = self
            .registry
            .all()
            .into_iter()
            .find(|cluster| cluster.name() == name)
            .unwrap();
        while cluster.sync().state == SyncState::Syncing {
            cluster.sync_changed().await;
        }
        self.open::<GetCluster>(Target::Cluster(name))
            .await
            .get()
            .await
            .unwrap()
    }
}

fn new(name: &str, sim: &Sim) -> New {
    New {
        name: name.to_owned(),
        kubeconfig: Some(sim.kubeconfig()),
        ..New::default()
    }
}

async fn sim() -> Sim {
    let sim = Sim::start(podgate_sim::Options::default()).await.unwrap();
    sim.run_pod("shop", "web", &["web"]);
    sim
}

#[tokio::test]
async fn a_cluster_is_tried_stored_started_and_there_at_the_next_start() {
    let (folder, sim) = (tempfile::tempdir().unwrap(), sim().await);
    let first = start(open(&folder).await);
    let made = first.create(new("one", &sim)).await.unwrap();
    assert_eq!((made.name.as_str(), made.read_only), ("one", false));
    assert_eq!(made.api_server, format!("https://{}", sim.address()));
    let entry = first.settled("one").await;
    assert_eq!((entry.sync.state, entry.pods), (SyncState::Synced, 1));
    first.registry.shutdown().await;

    let second = start(open(&folder).await);
    second.clusters.start_stored().await.unwrap();
    let entry = second.settled("one").await;
    assert_eq!((entry.id, entry.pods), (made.id, 1));
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_not_stored() {
    let (folder, sim) = (tempfile::tempdir().unwrap(), sim().await);
    let podgate = start(open(&folder).await);
    let stopped = new("one", &sim);
    sim.stop().await;
    let denied = podgate.create(stopped).await.unwrap_err();
    assert!(
        matches!(denied, Denied::Cluster(podgate_cluster::Error::Upstream { .. })),
        "{denied}"
    );
    assert!(podgate.names().await.is_empty());
    assert!(podgate.store.list_clusters().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let (folder, sim) = (tempfile::tempdir().unwrap(), sim().await);
    let podgate = start(open(&folder).await);
    podgate.create(new("one", &sim)).await.unwrap();
    podgate.create(new("two", &sim)).await.unwrap();
    let denied = podgate.create(new("one", &sim)).await.unwrap_err();
    assert!(
        matches!(&denied, Denied::Conflict(text) if text.contains("`one`")),
        "{denied}"
    );
    let rename = Edit {
        name: Some("one".to_owned()),
        ..Edit::default()
    };
    let denied = podgate.update("two", rename).await.unwrap_err();
    assert!(
        matches!(&denied, Denied::Conflict(text) if text.contains("`one`")),
        "{denied}"
    );
    assert_eq!(podgate.names().await, ["one", "two"]);
}

#[tokio::test]
async fn missing_and_unknown_fields_are_named() {
    let (folder, sim) = (tempfile::tempdir().unwrap(), sim().await);
    let podgate = start(open(&folder).await);
    let cases = [
        (
            New {
                name: "Not a label".to_owned(),
                ..new("", &sim)
            },
            "`name`",
        ),
        (
            New {
                name: "123".to_owned(),
                ..new("", &sim)
            },
            "all digits",
        ),
        (
            New {
                namespaces: vec!["A".to_owned()],
                ..new("one", &sim)
            },
            "`namespaces`",
        ),
        (
            New {
                kubeconfig: None,
                ..new("one", &sim)
            },
            "`kubeConfig`, or `apiServer` and `token` is missing",
        ),
        (
            New {
                kubeconfig: None,
                token: Some("t".to_owned()),
                ..new("one", &sim)
            },
            "`apiServer` is missing",
        ),
        (
            New {
                kubeconfig: None,
                api_server: Some("https://127.0.0.1".to_owned()),
                ..new("one", &sim)
            },
            "`token` is missing",
        ),
        (
            New {
                token: Some("t".to_owned()),
                ..new("one", &sim)
            },
            "either",
        ),
        (
            New {
                ca_cert: Some("c".to_owned()),
                ..new("one", &sim)
            },
            "either",
        ),
        (
            New {
                kubeconfig: Some("nonsense".to_owned()),
                ..new("one", &sim)
            },
            "kubeconfig",
        ),
    ];
    for (new, expected) in cases {
        let denied = podgate.create(new).await.unwrap_err();
        assert!(
            matches!(&denied, Denied::Invalid(text) if text.contains(expected)),
            "{expected}: {denied}"
        );
    }
}

#[tokio::test]
async fn a_kubeconfig_with_a_plug_in_is_refused_with_the_reason() {
    let (folder, sim) = (tempfile::tempdir().unwrap(), sim().await);
    let podgate = start(open(&folder).await);
    let plug_in = "exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/true, interactiveMode: Never}";
    let kubeconfig = format!(
        "{{apiVersion: v1, kind: Config, current-context: c, contexts: [{{name: c, context: {{cluster: c, user: u}}}}], \
         clusters: [{{name: c, cluster: {{server: \"https://{}\"}}}}], users: [{{name: u, user: {{{plug_in}}}}}]}}",
        sim.address()
    );
    let with_plug_in = New {
        kubeconfig: Some(kubeconfig),
        ..new("one", &sim)
    };
    let denied = podgate.create(with_plug_in).await.unwrap_err();
    assert!(
        matches!(&denied, Denied::Invalid(text) if text.contains("exec")),
        "{denied}"
    );
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_tries_a_new_credential() {
    let (folder, sim) = (tempfile::tempdir().unwrap(), sim().await);
    let podgate = start(open(&folder).await);
    let made = podgate.create(new("one", &sim)).await.unwrap();
    let edit = Edit {
        name: Some("two".to_owned()),
        description: Some("words".to_owned()),
        namespaces: Some(vec!["shop".to_owned(), "shop".to_owned()]),
        ..Edit::default()
    };
    let changed = podgate.update("one", edit).await.unwrap();
    assert_eq!(
        (changed.id, changed.name.as_str(), changed.description.as_str()),
        (made.id, "two", "words")
    );
    assert_eq!(changed.namespaces, ["shop"]);
    assert_eq!(podgate.settled("two").await.pods, 1);

    let wrong = Edit {
        token: Some("no-such-token".to_owned()),
        ..Edit::default()
    };
    let denied = podgate.update("two", wrong).await.unwrap_err();
    assert!(matches!(denied, Denied::Cluster(_)), "{denied}");
    let right = Edit {
        token: Some("viewer-token".to_owned()),
        namespaces: Some(vec!["staging".to_owned()]),
        ..Edit::default()
    };
    sim.run_pod("staging", "web", &["web"]);
    podgate.update("two", right).await.unwrap();
    let stored = podgate.store.cluster_credential(made.id).await.unwrap().unwrap();
    assert!(stored.contains("viewer-token") && !stored.contains("admin-token"));
    assert_eq!(podgate.settled("two").await.sync.state, SyncState::Synced);
}

#[tokio::test]
async fn a_stored_credential_is_not_sent_to_another_server() {
    let (folder, sim, other) = (tempfile::tempdir().unwrap(), sim().await, self::sim().await);
    let podgate = start(open(&folder).await);
    podgate.create(new("one", &sim)).await.unwrap();
    let elsewhere = Edit {
        api_server: Some(format!("https://{}", other.address())),
        ..Edit::default()
    };
    let denied = podgate.update("one", elsewhere).await.unwrap_err();
    assert!(
        matches!(&denied, Denied::Invalid(text) if text.contains("`token`")),
        "{denied}"
    );
    assert!(other.requests().is_empty());
}

#[tokio::test]
async fn a_removed_cluster_is_gone_and_its_credential_too() {
    let (folder, sim) = (tempfile::tempdir().unwrap(), sim().await);
    let podgate = start(open(&folder).await);
    let made = podgate.create(new("one", &sim)).await.unwrap();
    podgate.settled("one").await;
    podgate.delete("one").await.unwrap();
    assert!(podgate.names().await.is_empty());
    assert_eq!(podgate.store.cluster_credential(made.id).await.unwrap(), None);
    assert_eq!(sim.open_watches(), 0);
    let again = podgate.create(new("one", &sim)).await.unwrap();
    assert!(again.id > made.id);
}

#[tokio::test]
async fn an_operators_cluster_is_read_only_and_keeps_its_number() {
    let (folder, sim) = (tempfile::tempdir().unwrap(), sim().await);
    let file = folder.path().join("kubeconfig");
    std::fs::write(&file, sim.kubeconfig()).unwrap();
    let context = || Source::from_kubeconfig_file(&file).unwrap().remove(0);
    let first = start(open(&folder).await);
    let entry = first
        .clusters
        .start_fixed("key", "prod", "PROD", context().source, Vec::new())
        .await
        .unwrap();
    assert!(entry.read_only);
    for denied in [
        first.update("prod", Edit::default()).await.unwrap_err(),
        first.delete("prod").await.unwrap_err(),
    ] {
        assert!(
            matches!(&denied, Denied::Conflict(text) if text.contains("operator")),
            "{denied}"
        );
    }
    let denied = first.create(new("prod", &sim)).await.unwrap_err();
    assert!(matches!(denied, Denied::Conflict(_)), "{denied}");
    first.registry.shutdown().await;

    // A start without it: its name is free, its number is not.
    let second = start(open(&folder).await);
    second.clusters.start_stored().await.unwrap();
    assert!(second.names().await.is_empty());
    let taken = second.create(new("prod", &sim)).await.unwrap();
    assert_ne!(taken.id, entry.id);
    second.registry.shutdown().await;

    let third = start(open(&folder).await);
    let back = third
        .clusters
        .start_fixed("key", "prod", "PROD", context().source, Vec::new())
        .await
        .unwrap();
    assert_eq!((back.id, back.name.as_str()), (entry.id, "prod-2"));
}

#[tokio::test]
async fn an_operators_cluster_shows_the_namespaces_that_are_watched() {
    let (folder, sim) = (tempfile::tempdir().unwrap(), sim().await);
    let podgate = start(open(&folder).await);
    let file = folder.path().join("kubeconfig");
    let viewer = sim.kubeconfig_for("viewer");
    let namespaced = viewer.replace("  context:\n", "  context:\n    namespace: staging\n");
    assert_ne!(viewer, namespaced);
    std::fs::write(&file, namespaced).unwrap();
    let source = || Source::from_kubeconfig_file(&file).unwrap().remove(0).source;
    for (name, named, watched) in [
        ("fallen-back", vec![], "staging"),
        ("named", vec!["staging".to_owned()], "staging"),
    ] {
        podgate
            .clusters
            .start_fixed(name, name, name, source(), named)
            .await
            .unwrap();
        let entry = podgate.settled(name).await;
        assert_eq!(entry.sync.state, SyncState::Synced, "{:?}", entry.sync.error);
        assert_eq!(entry.namespaces, [watched]);
    }
    podgate
        .clusters
        .start_fixed("forbidden", "forbidden", "", source(), vec!["shop".to_owned()])
        .await
        .unwrap();
    let error = podgate.settled("forbidden").await.sync.error.unwrap().to_string();
    assert!(
        error.contains("in namespace `shop`") && error.contains("`list pods`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_context_may_be_called_anything() {
    let folder = tempfile::tempdir().unwrap();
    let podgate = start(open(&folder).await);
    let source = Source::unusable("", "it is a test");
    let odd = "a\0b\n\u{1b}[2J";
    let entry = podgate
        .clusters
        .start_fixed(odd, "odd", odd, source, Vec::new())
        .await
        .unwrap();
    assert_eq!(entry.description, "a b  [2J");
}

#[tokio::test]
async fn a_lost_key_leaves_the_clusters_to_be_mended() {
    let (folder, sim) = (tempfile::tempdir().unwrap(), sim().await);
    let first = start(open(&folder).await);
    first.create(new("one", &sim)).await.unwrap();
    first.registry.shutdown().await;
    let requests = sim.requests().len();

    let key = folder.path().join("another key");
    std::fs::write(&key, [7; 32]).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let url = format!("sqlite:{}", folder.path().join("podgate.db").display());
    let podgate = start(Store::open(&url, &key).await.unwrap());
    podgate.clusters.start_stored().await.unwrap();
    let entry = podgate.settled("one").await;
    assert_eq!(entry.sync.state, SyncState::Failed);
    let reason = entry.sync.error.unwrap().to_string();
    assert!(reason.contains("key file"), "{reason}");
    assert_eq!(sim.requests().len(), requests);
    let mend = Edit {
        kubeconfig: Some(sim.kubeconfig()),
        ..Edit::default()
    };
    podgate.update("one", mend).await.unwrap();
    assert_eq!(podgate.settled("one").await.sync.state, SyncState::Synced);
}

#[tokio::test]
async fn a_test_returns_the_version_or_what_failed() {
    let (folder, sim) = (tempfile::tempdir().unwrap(), sim().await);
    let podgate = start(open(&folder).await);
    podgate.create(new("one", &sim)).await.unwrap();
    let scoped = podgate.open::<TestCluster>(Target::Cluster("one")).await;
    assert!(scoped.test().await.unwrap().version.starts_with('v'));
    sim.faults().revoke_token("admin");
    let denied = scoped.test().await.unwrap_err();
    assert!(matches!(denied, Denied::Cluster(_)), "{denied}");
}

#[tokio::test]
async fn no_secret_is_in_a_debug_text() {
    let (folder, sim): (TempDir, _) = (tempfile::tempdir().unwrap(), sim().await);
    let podgate = start(open(&folder).await);
    let entry = podgate.create(new("one", &sim)).await.unwrap();
    let text = format!(
        "{entry:?} {:?} {:?} {:?}",
        podgate.clusters,
        podgate.gate,
        podgate.registry.all()
    );
    assert!(!text.contains("admin-token"), "{text}");
}
