#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};

use super::{parts::DEFAULT_CONTAINER, *};

fn pod(policy: &str, phase: &str, status: &Value) -> LivePod {
    serde_json::from_value(json!({
        "metadata": {"name": "web-1", "namespace": "shop", "uid": "u"},
        "spec": {
            "restartPolicy": policy,
            "initContainers": [{"name": "setup"}, {"name": "mesh", "restartPolicy": "Always"}],
            "containers": [{"name": "web"}, {"name": "log"}],
            "ephemeralContainers": [{"name": "debug"}],
        },
        "status": {"phase": phase, "containerStatuses": [status], "initContainerStatuses": [status], "ephemeralContainerStatuses": [status]},
    }))
    .unwrap()
}

fn ended(name: &str, code: i32) -> Value {
    json!({"name": name, "restartCount": 2, "containerID": "c://2",
        "state": {"terminated": {"exitCode": code, "containerID": "c://2"}}})
}

fn is_finished(pod: &LivePod, container: &str) -> bool {
    match pod.run_state(container).unwrap() {
        RunState::Ended { terminal, .. } | RunState::NotStarted { terminal, .. } => terminal,
        RunState::Running(_) => false,
    }
}

#[test]
fn the_parts_of_a_pod_are_counted_and_kept_only_up_to_the_limit() {
    let read = |body: &Value| serde_json::from_value::<LivePod>(body.clone()).unwrap();
    let many = |count: usize| vec![json!({"name": "a"}); count];
    let small = read(&json!({"spec": {"containers": many(1000)}, "status": {"containerStatuses": many(1000)}}));
    assert_eq!(small.parts(), MAX_PARTS);
    for large in [
        json!({"spec": {"containers": many(1000)}, "status": {"containerStatuses": many(1001)}}),
        json!({"spec": {"initContainers": many(500_000)}}),
        json!({"status": {"ephemeralContainerStatuses": many(500_000)}}),
        json!({"spec": {"containers": [{"restartPolicyRules": many(500_000)}]}}),
        json!({"spec": {"containers": [{"restartPolicyRules": [{"exitCodes": {"values": vec![1; 500_000]}}]}]}}),
    ] {
        let parts = read(&large).parts();
        assert!((MAX_PARTS + 1..MAX_PARTS + 4).contains(&parts), "{parts}");
    }
    assert_eq!(
        read(&json!({"spec": {"containers": null}, "status": {"containerStatuses": null}})).parts(),
        0
    );
}

#[test]
fn the_default_is_the_annotated_then_the_only_one() {
    let mut pod = pod("Always", "Running", &json!({"name": "web"}));
    let text = pod.container(None).unwrap_err().to_string();
    assert!(text.contains("`web`, `log`") && text.contains("shop/web-1"), "{text}");
    let mut annotate = |name: &str| pod.metadata.default_container = Some(name.into());
    annotate("log");
    assert_eq!(pod.container(None).unwrap(), "log");
    pod.metadata.default_container = Some("gone".into());
    assert!(matches!(pod.container(None), Err(Error::Invalid(_))));
    pod.spec.containers.truncate(1);
    assert_eq!(pod.container(None).unwrap(), "web");
    assert_eq!(pod.container(Some("debug")).unwrap(), "debug");
}

#[test]
fn an_unknown_container_lists_those_there_are() {
    let pod = pod("Always", "Running", &json!({"name": "web"}));
    match pod.container(Some("nope")) {
        Err(Error::ContainerNotFound(text)) => {
            assert!(
                text.contains("`nope`") && text.contains("`setup`, `mesh`, `web`, `log`, `debug`"),
                "{text}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_runs_again_is_decided_as_the_kubelet_does() {
    let table = [
        ("Always", "web", 0, false),
        ("Always", "web", 1, false),
        ("OnFailure", "web", 0, true),
        ("OnFailure", "web", 1, false),
        ("Never", "web", 1, true),
        ("Always", "setup", 0, true),
        ("Always", "setup", 1, false),
        ("Never", "setup", 1, true),
        ("Never", "mesh", 0, false),
        ("Always", "debug", 1, true),
    ];
    for (policy, container, code, terminal) in table {
        let pod = pod(policy, "Running", &ended(container, code));
        assert_eq!(is_finished(&pod, container), terminal, "{policy} {container} {code}");
    }
    for phase in ["Succeeded", "Failed"] {
        assert!(is_finished(&pod("Always", phase, &ended("web", 1)), "web"), "{phase}");
    }
    let mut deleted = pod("Always", "Running", &ended("web", 1));
    deleted.metadata.deletion_timestamp = Some("2026-01-01T00:00:00Z".into());
    assert!(is_finished(&deleted, "web"));
}

#[test]
fn a_containers_own_policy_and_rules_win() {
    let mut pod = pod("Always", "Running", &ended("web", 42));
    pod.spec.containers[0].restart_policy = Some("Never".into());
    assert!(is_finished(&pod, "web"));
    pod.spec.containers[0].restart_policy_rules =
        serde_json::from_value(json!([{"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}]))
            .unwrap();
    assert!(!is_finished(&pod, "web"));
}

#[test]
fn a_crash_loop_waits_with_its_last_run() {
    let status = json!({"name": "web", "restartCount": 3, "containerID": "c://3",
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"exitCode": 7, "containerID": "c://3"}}});
    match pod("Always", "Running", &status).run_state("web").unwrap() {
        RunState::Ended {
            run,
            code: 7,
            terminal: false,
        } => assert_eq!((run.restart_count, run.id.as_str()), (3, "c://3")),
        other => panic!("{other:?}"),
    }
    let status = json!({"name": "web", "state": {"waiting": {"reason": "ImagePullBackOff"}}});
    let standing = pod("Always", "Pending", &status).run_state("web").unwrap();
    assert!(matches!(standing, RunState::NotStarted { reason, terminal: false } if reason == "ImagePullBackOff"));
}

#[test]
fn the_end_of_a_run_is_told_as_long_as_the_status_has_it() {
    let run = |restart_count: u32, id: &str| Run {
        restart_count,
        id: id.into(),
    };
    let end = |id: &str| {
        json!({"terminated": {"exitCode": 137, "signal": 9, "reason": "OOMKilled", "containerID": id,
            "startedAt": "2026-01-07T10:00:00Z", "finishedAt": "2026-01-07T10:01:00Z"}})
    };
    let no_run = json!({"terminated": {"exitCode": 128, "reason": "StartError"}});
    let waiting = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    let running = json!({"running": {}});
    for (state, last, asked, count) in [
        (&running, end("c://2"), run(2, "c://2"), Some(2)),
        (&running, end("c://2"), run(2, ""), Some(2)),
        (&running, end("c://2"), run(1, "c://1"), None),
        (&running, end("c://2"), run(3, "c://3"), None),
        (&waiting, end("c://3"), run(3, "c://3"), Some(3)),
        (&end("c://3"), end("c://2"), run(3, "c://3"), Some(3)),
        (&end("c://3"), end("c://2"), run(2, "c://2"), Some(2)),
        (&no_run, end("c://3"), run(3, "c://3"), Some(3)),
        (&running, json!({}), run(2, "c://2"), None),
    ] {
        let status = json!({"name": "web", "restartCount": 3, "state": state, "lastState": last});
        let told = pod("Always", "Running", &status).run_end("web", &asked);
        assert_eq!(told.as_ref().map(|end| end.restart_count), count, "{status} {asked:?}");
        if let Some(told) = told {
            let want = RunEnd {
                restart_count: told.restart_count,
                started_at: "2026-01-07T10:00:00Z".into(),
                finished_at: "2026-01-07T10:01:00Z".into(),
                exit_code: 137,
                signal: 9,
                reason: "OOMKilled".into(),
            };
            assert_eq!(told, want);
        }
    }
}

#[test]
fn runs_differ_by_container_and_then_by_count() {
    let run = |restart_count, id: &str| Run {
        restart_count,
        id: id.into(),
    };
    assert!(!run(0, "a").is_same_as(&run(0, "b")));
    assert!(run(1, "a").is_same_as(&run(0, "a")));
    assert!(!run(0, "").is_same_as(&run(1, "b")));
    assert!(run(1, "").is_same_as(&run(1, "b")));
}

#[test]
fn texts_longer_than_those_of_kubernetes_are_refused_and_annotations_are_not_kept() {
    let read = |body: &Value| serde_json::from_value::<LivePod>(body.clone()).unwrap();
    let long = |bytes: usize| "x".repeat(bytes);
    type Body = fn(String) -> Value;
    let cases: [(usize, Body); 9] = [
        (253, |text| json!({"metadata": {"uid": text}})),
        (253, |text| json!({"spec": {"restartPolicy": text}})),
        (253, |text| json!({"spec": {"containers": [{"name": text}]}})),
        (253, |text| json!({"spec": {"containers": [{"restartPolicy": text}]}})),
        (253, |text| json!({"status": {"phase": text}})),
        (
            253,
            |text| json!({"status": {"initContainerStatuses": [{"name": text}]}}),
        ),
        (
            253,
            |text| json!({"status": {"containerStatuses": [{"state": {"waiting": {"reason": text}}}]}}),
        ),
        (
            512,
            |text| json!({"status": {"containerStatuses": [{"containerID": text}]}}),
        ),
        (
            512,
            |text| json!({"status": {"containerStatuses": [{"lastState": {"terminated": {"containerID": text}}}]}}),
        ),
    ];
    for (longest, body) in cases {
        assert!(read(&body(long(longest))).keeps_to_lengths());
        let too_long = body(long(longest + 1));
        assert!(!read(&too_long).keeps_to_lengths(), "{too_long}");
    }
    let mut pod = read(&json!({"metadata": {"annotations": {DEFAULT_CONTAINER: long(254), "other": long(9)}}}));
    assert!(pod.keeps_to_lengths() && pod.metadata.default_container.is_none());
}
