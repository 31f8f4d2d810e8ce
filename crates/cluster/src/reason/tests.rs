#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::wire::{Container, ContainerState, ContainerStatus, Running, Terminated, Time, Waiting};

const NAME: &str = "shop-7d9f8b6c5d-x2x4z";
const UID: &str = "4fed4458-dee0-40ac-ae6d-5cfab59fc6cf";
const IP: &str = "10.244.1.7";

/// A row of `tests/data/reason.json`. `$NAME`, `$UID` (also in the form of cgroups, `$UID_LOW`) and
/// `$IP` stand for the pod's own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    rule: String,
    pod: Value,
    #[serde(default)]
    deleting: bool,
    warning: Option<Event>,
    reason: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    args: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    reason: String,
    message: String,
    container: String,
}

fn table() -> Vec<Case> {
    let text = include_str!("../../tests/data/reason.json")
        .replace("$NAME", NAME)
        .replace("$UID_LOW", &UID.replace('-', "_"))
        .replace("$UID", UID)
        .replace("$IP", IP);
    serde_json::from_str(&text).unwrap()
}

impl Case {
    fn read(&self) -> (Pod, Option<Warning>) {
        let mut pod: Pod = serde_json::from_value(self.pod.clone()).unwrap();
        pod.metadata.name = NAME.to_owned();
        pod.metadata.namespace = "prod".to_owned();
        pod.metadata.uid = UID.to_owned();
        pod.status.pod_ip = IP.to_owned();
        pod.metadata.deletion_timestamp = self.deleting.then(Time::default);
        let warning = self.warning.as_ref().map(|event| Warning {
            reason: event.reason.clone(),
            message: event.message.clone(),
            container: event.container.clone(),
        });
        (pod, warning)
    }
}

#[test]
fn a_pod_that_is_not_well_says_why_and_any_other_is_quiet() {
    let cases = table();
    assert!(cases.len() >= 40, "{} pods", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let (pod, warning) = case.read();
            let got = reason(&pod, warning.as_ref());
            let got = got.map_or((String::new(), String::new(), Value::Null), |reason| {
                let args = serde_json::from_str(&reason.args).unwrap();
                (reason.text, format!("{:?}", reason.code), args)
            });
            let want = (case.reason.clone(), case.code.clone(), case.args.clone());
            (got != want).then(|| format!("{}:\n  want {want:?}\n  got  {got:?}", case.rule))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn warnings_that_explain_nothing_are_ignored() {
    for reason in [
        "FailedMount",
        "FailedCreatePodSandBox",
        "FailedScheduling",
        "Unhealthy",
        "NetworkNotReady",
        "Custom",
    ] {
        assert!(Warning::explains(reason), "{reason}");
    }
    for reason in [
        "BackOff",
        "Failed",
        "FailedKillPod",
        "MissingClusterDNS",
        "FailedToRetrieveImagePullSecret",
    ] {
        assert!(!Warning::explains(reason), "{reason}");
    }
}

#[test]
fn a_name_that_may_mean_something_else_is_kept() {
    let pod = |name: &str| {
        let pod = json!({"metadata": {"name": name}, "spec": {"containers": [{"name": "nginx", "image": "nginx:1"}]},
            "status": {"phase": "Failed", "reason": "Odd", "message": "nginx is odd, and so is x-nginx"}});
        reason(&serde_json::from_value(pod).unwrap(), None).unwrap().text
    };
    assert_eq!(pod("nginx"), "Odd: nginx is odd, and so is x-nginx");
    assert_eq!(pod("x-nginx"), "Odd: nginx is odd, and so is …");
    assert_eq!(pod("odd"), "Odd: nginx is odd, and so is x-nginx");
}

/// Pieces of messages. [`Own`] replaces the placeholders.
fn message() -> impl Strategy<Value = String> {
    let own = select(vec![
        "$NAME",
        "$UID",
        "$LOW_UID",
        "$IP",
        "$NAME_prod($UID)",
        "data-$NAME",
        "pod$LOW_UID.slice",
    ]);
    let other = select(vec![
        "rpc error: code = Unknown desc = ",
        " preemption: ",
        "2026-01-01T00:00:00Z",
        "not found",
        "\n",
        "\u{202e}",
        "\u{1b}[31m",
        "…",
        "é漢😀",
        "sha256:",
        "@",
    ]);
    let piece = prop_oneof![
        own.prop_map(str::to_owned),
        other.prop_map(str::to_owned),
        "[ -#%-~]{0,20}",
        any::<char>()
            .prop_filter("a dollar", |c| *c != '$')
            .prop_map(String::from),
        "[0-9a-f]{64}",
    ];
    let after = select(vec![" ", "/", ": ", "\"", "(", ". "]);
    let whole = |pieces: Vec<(String, &str)>| {
        pieces
            .into_iter()
            .map(|(piece, after)| format!(" {piece}{after}"))
            .collect()
    };
    vec((piece, after), 0..8).prop_map(whole)
}

fn word() -> impl Strategy<Value = String> {
    let known = [
        "",
        "Error",
        "OOMKilled",
        "StartError",
        "CrashLoopBackOff",
        "ErrImagePull",
        "ImagePullBackOff",
        "ContainerCreating",
        "CreateContainerConfigError",
        "Evicted",
        "Unschedulable",
        "ReadinessGatesNotReady",
        "Unhealthy",
        "FailedMount",
        "DeletionByTaintManager",
        "Odd",
    ];
    select(known.to_vec()).prop_map(str::to_owned)
}

fn state() -> impl Strategy<Value = ContainerState> {
    let waiting = (word(), message()).prop_map(|(reason, message)| Waiting { reason, message });
    let code = select(vec![0, 1, 127, 137, 255, -1, i32::MAX]);
    let terminated = (code, 0..3, word(), message()).prop_map(|(exit_code, signal, reason, message)| Terminated {
        exit_code,
        signal,
        reason,
        message,
        ..Terminated::default()
    });
    let state = (option::of(waiting), any::<bool>(), option::of(terminated));
    state.prop_map(|(waiting, running, terminated)| ContainerState {
        waiting,
        running: running.then(Running::default),
        terminated,
    })
}

fn status() -> impl Strategy<Value = ContainerStatus> {
    let name = select(vec!["api", "proxy", "setup", "mesh"]);
    let number = select(vec![-1, 0, 1, i32::MAX]);
    let values = (name, any::<bool>(), any::<bool>(), number, state(), state());
    values.prop_map(
        |(name, ready, started, restart_count, state, last_state)| ContainerStatus {
            name: name.to_owned(),
            ready,
            started,
            restart_count,
            state,
            last_state,
        },
    )
}

fn condition_of_any_kind() -> impl Strategy<Value = Condition> {
    let kind = select(vec!["Ready", "PodScheduled", "Initialized", "DisruptionTarget"]);
    let values = (kind, select(vec!["True", "False"]), word(), message());
    values.prop_map(|(kind, status, reason, message)| Condition {
        kind: kind.to_owned(),
        status: status.to_owned(),
        reason,
        message,
    })
}

fn any_pod() -> impl Strategy<Value = Pod> {
    let phase = select(vec!["", "Pending", "Running", "Succeeded", "Failed", "Unknown"]);
    let conditions = vec(condition_of_any_kind(), 0..3);
    let said = (phase, word(), message(), conditions);
    let containers = (vec(status(), 0..3), vec(status(), 0..3), message());
    (said, containers, any::<bool>()).prop_map(|(said, (regular, init, image), deleting)| {
        let container = |name: &str, restart_policy: &str| Container {
            name: name.to_owned(),
            image: image.clone(),
            restart_policy: restart_policy.to_owned(),
        };
        let mut pod = Pod::default();
        pod.spec.containers = vec![container("api", ""), container("proxy", "")];
        pod.spec.init_containers = vec![container("setup", ""), container("mesh", "Always")];
        pod.metadata.namespace = "prod".to_owned();
        pod.metadata.deletion_timestamp = deleting.then(Time::default);
        pod.status.phase = said.0.to_owned();
        (pod.status.reason, pod.status.message, pod.status.conditions) = (said.1, said.2, said.3);
        (pod.status.container_statuses, pod.status.init_container_statuses) = (regular, init);
        pod
    })
}

fn any_warning() -> impl Strategy<Value = Warning> {
    let probed = select(vec!["", "Readiness probe failed: ", "Startup probe failed: "]);
    let values = (word(), probed, message(), select(vec!["", "api", "proxy"]));
    values.prop_map(|(reason, probed, message, container)| Warning {
        reason,
        message: format!("{probed}{message}"),
        container: container.to_owned(),
    })
}

/// The identity of a pod.
struct Own {
    name: &'static str,
    uid: &'static str,
    ip: &'static str,
}

const ONE: Own = Own {
    name: NAME,
    uid: UID,
    ip: IP,
};
const OTHER: Own = Own {
    name: "shop-7d9f8b6c5d-zzzzz",
    uid: "00000000-1111-4222-8333-444444444444",
    ip: "10.244.2.9",
};

impl Own {
    fn fill(&self, text: &mut String) {
        *text = text
            .replace("$NAME", self.name)
            .replace("$UID", self.uid)
            .replace("$LOW_UID", &self.uid.replace('-', "_"))
            .replace("$IP", self.ip);
    }

    /// Gives a pod and its messages this identity.
    fn takes(&self, pod: &Pod, warning: Option<&Warning>) -> (Pod, Option<Warning>) {
        let (mut pod, mut warning) = (pod.clone(), warning.cloned());
        pod.metadata.name = self.name.to_owned();
        pod.metadata.uid = self.uid.to_owned();
        let Pod { spec, status, .. } = &mut pod;
        status.pod_ip = self.ip.to_owned();
        self.fill(&mut status.message);
        let specs = spec.containers.iter_mut().chain(&mut spec.init_containers);
        specs.for_each(|spec| self.fill(&mut spec.image));
        status
            .conditions
            .iter_mut()
            .for_each(|condition| self.fill(&mut condition.message));
        let statuses = status
            .container_statuses
            .iter_mut()
            .chain(&mut status.init_container_statuses);
        for state in statuses.flat_map(|status| [&mut status.state, &mut status.last_state]) {
            let messages = [
                state.waiting.as_mut().map(|waiting| &mut waiting.message),
                state.terminated.as_mut().map(|terminated| &mut terminated.message),
            ];
            messages.into_iter().flatten().for_each(|message| self.fill(message));
        }
        if let Some(warning) = &mut warning {
            self.fill(&mut warning.message);
        }
        (pod, warning)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn pods_that_fail_alike_share_one_bounded_line(pod in any_pod(), warning in option::of(any_warning())) {
        let reason_of = |own: &Own| {
            let (pod, warning) = own.takes(&pod, warning.as_ref());
            reason(&pod, warning.as_ref())
        };
        let one = reason_of(&ONE);
        prop_assert_eq!(&one, &reason_of(&ONE), "not the same twice");
        prop_assert_eq!(&one, &reason_of(&OTHER), "it reveals which pod it is");
        let Some(one) = one else { return Ok(()) };
        let args: serde_json::Map<String, Value> = serde_json::from_str(&one.args).unwrap();
        let texts = args.values().filter_map(Value::as_str).chain([one.text.as_str()]);
        for text in texts {
            prop_assert!(text.chars().count() <= text::MAX_CHARS, "{} characters: {}", text.chars().count(), text);
            prop_assert!(!text.contains(char::is_control), "{:?}", text);
            prop_assert_eq!(text.trim(), text);
            prop_assert!([NAME, UID, IP, "2026-01-01"].iter().all(|own| !text.contains(own)), "{}", text);
        }
        prop_assert!(args.values().all(|value| value.is_string() || value.is_number()), "{}", one.args);
    }
}
