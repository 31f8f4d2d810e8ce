//! The list and watch over everything that happens to them, in protobuf and in JSON. Each test's
//! reader never sees fewer pods than there are ([`World::end`]).

use std::{fs, time::Duration};

use podgate_cluster::{Failure, Policy, Registry, Source, Spec, StaleReason, SyncState};
use podgate_index::{ClusterId, Index};
use podgate_sim::Sim;
use serde_json::json;

use crate::world::{Format, ID, World, is_failure, options, policy, total, until, untrusted};

/// Makes of each test one in protobuf and one in JSON.
macro_rules! in_both_formats {
    ($($test:ident,)*) => {
        mod protobuf {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(super::Format::Protobuf).await;
            })*
        }
        mod json {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(super::Format::Json).await;
            })*
        }
    };
}

in_both_formats! {
    a_cluster_is_listed_and_then_watched,
    an_expired_watch_is_listed_again,
    pods_that_went_unseen_are_swept_by_a_relist,
    a_dropped_connection_resumes_at_its_place,
    a_stream_resumes_after_an_api_server_restart,
    a_silent_watch_is_listed_again,
    a_watch_of_bytes_without_an_event_is_silent,
    a_watch_without_bookmarks_stays_as_long_as_events_come,
    a_streaming_list_that_never_ends_is_paged,
    a_streaming_list_without_any_bookmark_is_paged,
    a_server_that_ignores_streaming_lists_is_paged,
    a_server_that_refuses_streaming_lists_is_paged,
    a_list_whose_pages_expire_is_read_whole,
    a_relist_that_fails_in_its_middle_takes_nothing_away,
    a_pod_that_no_longer_parses_has_no_row_until_it_does_again,
    a_pod_that_does_not_parse_is_skipped,
    a_line_of_garbage_costs_the_connection_only,
    versions_that_go_backwards_are_listed_again,
    a_credential_for_one_namespace_syncs_that_one,
    a_credential_for_one_namespace_cannot_sync_all,
    one_namespace_of_several_that_fails_is_named,
    a_revoked_credential_makes_the_list_stale_until_it_is_good_again,
    a_plug_in_is_asked_for_a_fresh_credential,
    a_token_file_is_read_again_when_its_token_is_refused,
    a_cluster_that_is_not_there_fails_and_recovers,
    a_removed_cluster_leaves_no_rows_and_no_connection,
    a_replaced_cluster_has_the_new_ones_pods_only,
    a_cluster_of_too_many_pods_fails_and_says_so,
    a_cluster_that_outgrows_its_bound_is_stale_until_it_shrinks,
    a_cluster_beyond_its_bound_syncs_once_it_has_shrunk_whatever_its_lists_brought,
    namespaces_of_a_cluster_count_together,
}

async fn a_cluster_is_listed_and_then_watched(format: Format) {
    let world = World::synced(format, 3).await;
    assert_eq!(world.names(), ["p0", "p1", "p2"]);
    assert!(world.sync().error.is_none());
    let first = world.sync().synced_at.unwrap();
    world.sees_new_pod("new").await;
    assert!(world.sync().synced_at.unwrap() >= first);
    world.sim.restart_container("shop", "new", "main", 1);
    let restarts = || {
        world.index.query(&podgate_index::Query {
            clusters: vec![ID],
            ..Default::default()
        })
    };
    until("the restart is counted", || {
        restarts()
            .rows
            .iter()
            .any(|row| row.pod.name == "new" && row.pod.restarts == 1)
    })
    .await;
    world.expect_at_least(3);
    assert!(world.sim.remove("Pod", "shop", "new"));
    until("the pod is gone", || !world.has("new")).await;
    let evidence = world.sync().synced_at.unwrap();
    until("a bookmark is evidence too", || {
        world.sync().synced_at.unwrap() > evidence
    })
    .await;
    assert_eq!(world.lists(), 1, "{:?}", world.queries());
    until("version and nodes are known", || world.cluster.info().nodes == Some(1)).await;
    assert!(world.cluster.info().version.starts_with("v1."));
    assert!(world.cluster.namespaces().await.unwrap().contains(&"shop".to_owned()));
    world.end().await;
}

async fn an_expired_watch_is_listed_again(format: Format) {
    let world = World::synced(format, 1200).await;
    world.sim.faults().expire_history();
    until("a second list", || world.lists() == 2).await;
    world.sees_new_pod("new").await;
    world.is_synced().await;
    assert!(world.was_stale_by(&Failure::Stale(StaleReason::Expired)));
    let counts = world.cluster.counts();
    let count = |of: &[(&str, u64)], name| of.iter().find(|(named, _)| *named == name).unwrap().1;
    let lists = ["start", "expired", "silence", "failure"].map(|why| count(&counts.lists, why));
    assert_eq!(lists, [1, 1, 0, 0]);
    assert_eq!(count(&counts.events, "applied"), 2401, "both lists are streamed");
    assert_eq!(count(&counts.events, "error"), 1);
    world.end().await;
}

async fn pods_that_went_unseen_are_swept_by_a_relist(format: Format) {
    let world = World::synced(format, 5).await;
    world.sim.pause().await;
    world.is(SyncState::Stale).await;
    world.expect_at_least(4);
    world.sim.remove("Pod", "shop", "p1");
    world.sim.faults().expire_history();
    assert_eq!(world.names().len(), 5, "the rows stay while nothing is known");
    world.sim.resume().await;
    world.is_synced().await;
    until("the pod is swept", || world.names() == ["p0", "p2", "p3", "p4"]).await;
    world.end().await;
}

async fn a_dropped_connection_resumes_at_its_place(format: Format) {
    let world = World::synced(format, 3).await;
    for round in 0..5 {
        world.sim.faults().drop_watches();
        world.sees_new_pod(&format!("new{round}")).await;
        world.is_synced().await;
    }
    assert_eq!(world.lists(), 1, "{:?}", world.queries());
    assert!(world.was_stale(|_| true));
    world.end().await;
}

async fn a_stream_resumes_after_an_api_server_restart(format: Format) {
    let world = World::synced(format, 3).await;
    world.sim.pause().await;
    let evidence = world.sync().synced_at;
    until("the connection is refused", || {
        world.was_stale_by(&Failure::ConnectionRefused)
    })
    .await;
    world.sim.run_pod("shop", "meanwhile", &["main"]);
    assert_eq!(world.sync().synced_at, evidence, "no evidence without a connection");
    world.sim.resume().await;
    world.is_synced().await;
    until("the change meanwhile is seen", || world.has("meanwhile")).await;
    assert_eq!(world.lists(), 1, "{:?}", world.queries());
    world.end().await;
}

async fn a_silent_watch_is_listed_again(format: Format) {
    let mut policy = policy();
    policy.watch.silence = Duration::from_millis(700);
    let world = World::new(format, 3, policy, |_| {}).await;
    world.is_synced().await;
    world.sim.faults().stall_watches(true);
    world.sim.run_pod("shop", "unseen", &["main"]);
    until("the silence is reported", || {
        world.was_stale_by(&Failure::Stale(StaleReason::Silent))
    })
    .await;
    world.sim.faults().stall_watches(false);
    world.is_synced().await;
    until("the pod is seen", || world.has("unseen")).await;
    world.end().await;
}

async fn a_watch_of_bytes_without_an_event_is_silent(format: Format) {
    let mut policy = policy();
    policy.watch.silence = Duration::from_millis(700);
    let world = World::new(format, 3, policy, |_| {}).await;
    world.is_synced().await;
    world.sim.faults().trickle_watches(true);
    world.sim.run_pod("shop", "unseen", &["main"]);
    until("the silence is reported", || {
        world.was_stale_by(&Failure::Stale(StaleReason::Silent))
    })
    .await;
    until("the pod is seen", || world.has("unseen")).await;
    world.end().await;
}

async fn a_watch_without_bookmarks_stays_as_long_as_events_come(format: Format) {
    let mut policy = policy();
    policy.watch.silence = Duration::from_secs(5);
    let world = World::new(format, 1, policy, |_| {}).await;
    world.is_synced().await;
    world.sim.faults().no_bookmarks(true);
    for round in 0..5 {
        world.sees_new_pod(&format!("new{round}")).await;
    }
    assert_eq!(world.lists(), 1, "{:?}", world.queries());
    world.end().await;
}

/// Syncs with a server that knows no streaming lists, and lists again without asking for one.
async fn pages_instead(format: Format, prepare: impl FnOnce(&Sim)) {
    let mut policy = policy();
    policy.watch.progress = Duration::from_millis(700);
    let world = World::new(format, 700, policy, prepare).await;
    world.is_synced().await;
    assert_eq!(total(&world.index), 700);
    let streamed = || {
        world
            .queries()
            .iter()
            .filter(|query| query.contains("sendInitialEvents"))
            .count()
    };
    assert_eq!(streamed(), 1, "{:?}", world.queries());
    let lists = world.lists();
    world.sim.faults().expire_history();
    until("listed again", || world.lists() == lists + 1).await;
    world.sees_new_pod("new").await;
    world.is_synced().await;
    assert_eq!(
        streamed(),
        1,
        "what the server does not know is remembered: {:?}",
        world.queries()
    );
    world.end().await;
}

async fn a_streaming_list_that_never_ends_is_paged(format: Format) {
    pages_instead(format, |sim| sim.faults().no_initial_events_end(true)).await;
}

async fn a_streaming_list_without_any_bookmark_is_paged(format: Format) {
    pages_instead(format, |sim| {
        sim.faults().no_initial_events_end(true);
        sim.faults().no_bookmarks(true);
    })
    .await;
}

async fn a_server_that_ignores_streaming_lists_is_paged(format: Format) {
    pages_instead(format, |sim| sim.faults().ignore_send_initial_events(true)).await;
}

async fn a_server_that_refuses_streaming_lists_is_paged(format: Format) {
    pages_instead(format, |sim| sim.faults().refuse_streaming_list(true)).await;
}

async fn a_list_whose_pages_expire_is_read_whole(format: Format) {
    let world = World::new(format, 1200, policy(), |sim| {
        sim.faults().refuse_streaming_list(true);
        sim.faults().no_pages_after(Some(1));
    })
    .await;
    world.is_synced().await;
    assert_eq!(total(&world.index), 1200);
    let queries = world.queries();
    assert!(
        queries.iter().filter(|query| query.contains("continue=")).count() >= 3,
        "{queries:?}"
    );
    world.sees_new_pod("new").await;
    world.end().await;
}

async fn a_relist_that_fails_in_its_middle_takes_nothing_away(format: Format) {
    let world = World::new(format, 1200, policy(), |sim| sim.faults().refuse_streaming_list(true)).await;
    world.is_synced().await;
    world.sim.faults().no_pages_after(Some(1));
    for _ in 0..3 {
        let lists = world.lists();
        world.sim.faults().expire_history();
        until("listed again", || world.lists() > lists).await;
        world.is_synced().await;
    }
    world.sim.faults().no_pages_after(None);
    world.sees_new_pod("new").await;
    world.end().await;
}

/// Returns a pod that no reader of pods understands.
fn odd(name: &str) -> serde_json::Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"},
        "spec": {"nodeName": 5, "containers": [{"name": "main", "image": "busybox:1"}]}})
}

async fn a_pod_that_no_longer_parses_has_no_row_until_it_does_again(format: Format) {
    let world = World::synced(format, 3).await;
    world.expect_at_least(2);
    world.sim.put(odd("p1"));
    until("its outdated row is gone", || world.names() == ["p0", "p2"]).await;
    assert_eq!((world.cluster.skipped(), world.sync().state), (1, SyncState::Synced));
    world.sim.run_pod("shop", "p1", &["main"]);
    until("it is there again", || world.has("p1")).await;
    assert_eq!((world.cluster.skipped(), world.lists()), (1, 1));
    world.end().await;
}

async fn a_pod_that_does_not_parse_is_skipped(format: Format) {
    for streamed in [true, false] {
        let world = World::new(format, 3, policy(), |sim| {
            sim.put(odd("odd"));
            sim.faults().refuse_streaming_list(!streamed);
        })
        .await;
        world.is_synced().await;
        assert_eq!(world.names(), ["p0", "p1", "p2"]);
        assert_eq!(world.cluster.skipped(), 1);
        world.sim.put(odd("odder"));
        world.sees_new_pod("new").await;
        assert_eq!(world.cluster.skipped(), 2);
        assert!(world.sim.remove("Pod", "shop", "odd"));
        world.sees_new_pod("newer").await;
        assert_eq!(world.lists(), if streamed { 1 } else { 2 }, "{:?}", world.queries());
        world.end().await;
    }
}

async fn a_line_of_garbage_costs_the_connection_only(format: Format) {
    let world = World::synced(format, 3).await;
    world.sim.faults().garbage_in_watches();
    until("the garbage is reported", || {
        world.was_stale(|failure| matches!(failure, Failure::NotKubernetes { .. }))
    })
    .await;
    world.sees_new_pod("new").await;
    world.is_synced().await;
    assert_eq!(world.lists(), 1, "{:?}", world.queries());
    world.end().await;
}

async fn versions_that_go_backwards_are_listed_again(format: Format) {
    let world = World::synced(format, 30).await;
    world.sim.faults().reset_resource_version(3);
    world.sees_new_pod("restored").await;
    until("listed again", || world.lists() == 2).await;
    world.is_synced().await;
    assert!(world.was_stale_by(&Failure::Stale(StaleReason::Backwards)));
    world.sees_new_pod("later").await;
    world.expect_at_least(20);
    assert!(world.sim.remove("Pod", "shop", "p7"));
    until("the pod is gone", || !world.has("p7")).await;
    world.end().await;
}

async fn a_credential_for_one_namespace_syncs_that_one(format: Format) {
    let world = World::of(format, 0, policy(), &["staging", ""], |sim| {
        sim.run_pod("staging", "mine", &["main"]);
        sim.run_pod("shop", "theirs", &["main"]);
        untrusted(&sim.kubeconfig_for("viewer"))
    })
    .await;
    world.is_synced().await;
    assert_eq!(world.names(), ["mine"]);
    world.sim.run_pod("staging", "second", &["main"]);
    until("a second pod", || world.has("second")).await;
    assert_eq!(world.cluster.namespaces().await.unwrap(), ["staging"]);
    world.end().await;
}

async fn a_credential_for_one_namespace_cannot_sync_all(format: Format) {
    let world = World::of(format, 3, policy(), &[], |sim| untrusted(&sim.kubeconfig_for("viewer"))).await;
    let error = world.is(SyncState::Failed).await.unwrap().to_string();
    assert!(
        error.contains("name the namespaces") && error.contains("cluster `prod`"),
        "{error}"
    );
    assert!(world.sync().synced_at.is_none());
    world.end().await;
}

async fn one_namespace_of_several_that_fails_is_named(format: Format) {
    let world = World::of(format, 3, policy(), &["staging", "shop"], |sim| {
        untrusted(&sim.kubeconfig_for("viewer"))
    })
    .await;
    let error = world.is(SyncState::Failed).await.unwrap().to_string();
    assert!(error.contains("shop") && !error.contains("staging"), "{error}");
    world.end().await;
}

async fn a_revoked_credential_makes_the_list_stale_until_it_is_good_again(format: Format) {
    let world = World::synced(format, 3).await;
    world.sim.faults().revoke_token("admin");
    world.sim.faults().drop_watches();
    let error = world.is(SyncState::Stale).await;
    until("the reason is reported", || world.was_stale_by(&Failure::Unauthorized)).await;
    assert!(error.is_some());
    assert_eq!(world.names().len(), 3);
    world.sim.faults().restore_token("admin");
    world.is_synced().await;
    world.sees_new_pod("new").await;
    world.end().await;
}

async fn a_plug_in_is_asked_for_a_fresh_credential(format: Format) {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    let file = folder.path().join("config");
    fs::write(&token, "admin-token").unwrap();
    let world = World::of(format, 3, policy(), &[], |sim| {
        let script = r#"printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"}}' "$(cat "$0")""#;
        let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script, token],
            "interactiveMode": "Never"});
        let kubeconfig = sim.kubeconfig().replace("token: \"admin-token\"", &format!("exec: {exec}"));
        assert!(kubeconfig.contains("exec:"), "{kubeconfig}");
        fs::write(&file, kubeconfig).unwrap();
        Source::from_kubeconfig_file(&file).unwrap().remove(0).source
    })
    .await;
    world.is_synced().await;
    world.sim.faults().revoke_token("admin");
    world.sim.faults().drop_watches();
    until("the reason is reported", || world.was_stale_by(&Failure::Unauthorized)).await;
    fs::write(&token, "editor-token").unwrap();
    until("the new credential is used", || {
        world
            .sim
            .requests()
            .iter()
            .any(|request| request.user.contains("editor"))
    })
    .await;
    world.end().await;
}

async fn a_token_file_is_read_again_when_its_token_is_refused(format: Format) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    let token = folder.path().join("token");
    fs::write(&token, "stale-token\n").unwrap();
    let world = World::of(format, 3, policy(), &[], |sim| {
        // Relative, as the file's folder has it, and with the line feed that files end with.
        fs::write(
            &file,
            sim.kubeconfig().replace("token: \"admin-token\"", "tokenFile: token"),
        )
        .unwrap();
        Source::from_kubeconfig_file(&file).unwrap().remove(0).source
    })
    .await;
    world.fails(SyncState::Failed, &Failure::Unauthorized).await;
    fs::write(&token, "admin-token\n").unwrap();
    world.is_synced().await;
    world.end().await;
}

async fn a_cluster_that_is_not_there_fails_and_recovers(format: Format) {
    let world = World::new(format, 3, policy(), |_| {}).await;
    world.sim.pause().await;
    let broken = Registry::new(Index::new(), policy());
    let cluster = broken.add(Spec {
        id: ClusterId(1),
        name: "gone".to_owned(),
        source: untrusted(&world.sim.kubeconfig()),
        namespaces: Vec::new(),
    });
    until("it failed", || cluster.sync().state == SyncState::Failed).await;
    let error = cluster.sync().error.unwrap();
    assert!(
        is_failure(&error, &Failure::ConnectionRefused) && error.to_string().contains("cluster `gone`"),
        "{error}"
    );
    world.sim.resume().await;
    until("it recovered", || cluster.sync().state == SyncState::Synced).await;
    broken.shutdown().await;
    world.end().await;
}

async fn a_removed_cluster_leaves_no_rows_and_no_connection(format: Format) {
    let world = World::synced(format, 3).await;
    world.expect_at_least(0);
    world.registry.remove(ID).await;
    assert!(world.names().is_empty() && world.registry.get(ID).is_none());
    until("the watch is closed", || world.sim.open_watches() == 0).await;
    world.end().await;
}

async fn a_replaced_cluster_has_the_new_ones_pods_only(format: Format) {
    let world = World::synced(format, 3).await;
    let other = Sim::start(options()).await.unwrap();
    other.run_pod("shop", "other", &["main"]);
    world.expect_at_least(0);
    let mut changed = world.registry.add(Spec {
        id: ID,
        name: "prod".to_owned(),
        source: untrusted(&other.kubeconfig()),
        namespaces: Vec::new(),
    });
    while changed.sync().state != SyncState::Synced {
        changed.sync_changed().await;
    }
    assert_eq!(world.names(), ["other"]);
    until("the old watch is closed", || world.sim.open_watches() == 0).await;
    assert_eq!(world.registry.all().len(), 1);
    world.end().await;
    other.stop().await;
}

fn at_most(max_pods: usize) -> Policy {
    Policy { max_pods, ..policy() }
}

async fn a_cluster_of_too_many_pods_fails_and_says_so(format: Format) {
    let world = World::new(format, 12, at_most(10), |_| {}).await;
    let error = world.is(SyncState::Failed).await.unwrap().to_string();
    for part in ["`prod`", "more than 10 pods", "--max-pods-per-cluster"] {
        assert!(error.contains(part), "{error}");
    }
    for pod in ["p0", "p1"] {
        assert!(world.sim.remove("Pod", "shop", pod));
    }
    world.expect_at_least(10);
    world.is_synced().await;
    let counts = world.cluster.counts();
    assert!(
        counts.lists.contains(&("excess", world.lists() as u64 - 1)),
        "{counts:?}"
    );
    world.end().await;
}

async fn a_cluster_that_outgrows_its_bound_is_stale_until_it_shrinks(format: Format) {
    let world = World::new(format, 9, at_most(10), |_| {}).await;
    world.is_synced().await;
    world.sees_new_pod("tenth").await;
    assert_eq!(world.lists(), 1);
    world.sees_new_pod("eleventh").await;
    world.fails(SyncState::Stale, &Failure::TooManyPods { most: 10 }).await;
    until("it is listed again", || world.lists() > 2).await;
    world.expect_at_least(10);
    assert!(world.sim.remove("Pod", "shop", "tenth"));
    world.is_synced().await;
    until("the pod is swept", || !world.has("tenth")).await;
    world.end().await;
}

async fn a_cluster_beyond_its_bound_syncs_once_it_has_shrunk_whatever_its_lists_brought(format: Format) {
    let names = |generation: &str| (0..12).map(|pod| format!("{generation}{pod}")).collect::<Vec<_>>();
    let world = World::new(format, 12, at_most(10), |_| {}).await;
    world.expect_at_least(1);
    for (old, new) in [("p", "q"), ("q", "r")] {
        until("a list brought them", || world.has(&format!("{old}0"))).await;
        for (gone, comes) in names(old).iter().zip(names(new)) {
            world.sim.run_pod("shop", &comes, &["main"]);
            assert!(world.sim.remove("Pod", "shop", gone));
        }
    }
    until("a list brought them", || world.has("r0")).await;
    for gone in &names("r")[1..] {
        assert!(world.sim.remove("Pod", "shop", gone));
    }
    until("only what is left is there", || world.names() == ["r0"]).await;
    world.is_synced().await;
    world.end().await;
}

async fn namespaces_of_a_cluster_count_together(format: Format) {
    let world = World::of(format, 6, at_most(10), &["shop", "staging"], |sim| {
        for pod in 0..6 {
            sim.run_pod("staging", &format!("s{pod}"), &["main"]);
        }
        untrusted(&sim.kubeconfig())
    })
    .await;
    until("one of them is too many", || {
        let error = world.sync().error;
        error.is_some_and(|error| is_failure(&error, &Failure::TooManyPods { most: 10 }))
    })
    .await;
    for pod in ["s0", "s1"] {
        assert!(world.sim.remove("Pod", "staging", pod));
    }
    world.is_synced().await;
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_changes_hears_of_the_rows_that_a_replaced_cluster_takes_along() {
    let world = World::synced(Format::Protobuf, 3).await;
    world.expect_at_least(0);
    let mut changes = world.registry.changes();
    // It accepts connections and says nothing: the new cluster has no news of its own.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (here, there) = (silent.local_addr().unwrap().port(), world.sim.address().port());
    let kubeconfig = world
        .sim
        .kubeconfig()
        .replace(&format!(":{there}"), &format!(":{here}"));
    world.registry.add(Spec {
        id: ID,
        name: "prod".to_owned(),
        source: untrusted(&kubeconfig),
        namespaces: Vec::new(),
    });
    let gone = async {
        while total(&world.index) > 0 {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone)
        .await
        .expect("nobody was told");
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_registry_ends_its_watches() {
    let sim = Sim::start(options()).await.unwrap();
    let registry = Registry::new(Index::new(), Policy { ..policy() });
    registry.add(Spec {
        id: ID,
        name: "prod".to_owned(),
        source: untrusted(&sim.kubeconfig()),
        namespaces: Vec::new(),
    });
    until("it watches", || sim.open_watches() == 1).await;
    drop(registry);
    until("it watches no more", || sim.open_watches() == 0).await;
    sim.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_protobuf_is_asked_for_json() {
    for status in [406, 415] {
        let world = World::new(Format::Protobuf, 3, policy(), |sim| {
            sim.faults().fail_requests("/pods", status, 1);
            sim.faults().no_protobuf(true);
        })
        .await;
        world.is_synced().await;
        world.sim.faults().no_protobuf(false);
        world.sim.faults().drop_watches();
        world.sees_new_pod("new").await;
        assert_eq!(
            world.lists(),
            2,
            "the streaming list alone is repeated: {:?}",
            world.queries()
        );
        assert!(
            world.queries().iter().all(|query| query.contains("watch=")),
            "{:?}",
            world.queries()
        );
        let accepted = world.accepted();
        assert!(
            accepted[0].starts_with("application/vnd.kubernetes.protobuf"),
            "{accepted:?}"
        );
        assert!(
            accepted[1..].iter().all(|accept| accept == "application/json"),
            "{accepted:?}"
        );
        world.end_in(Format::Json).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_protobuf_is_malformed_is_asked_for_json() {
    let world = World::synced(Format::Protobuf, 3).await;
    world.sim.faults().garbage_in_watches();
    until("the garbage is reported", || {
        world.was_stale(|failure| matches!(failure, Failure::NotKubernetes { .. }))
    })
    .await;
    world.sees_new_pod("new").await;
    world.is_synced().await;
    assert_eq!(world.accepted().last().map(String::as_str), Some("application/json"));
    world.end().await;
}
