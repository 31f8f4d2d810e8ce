#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::row::row;

/// A row of the tables in `tests/data/status`, which the end-to-end test also writes to a real API
/// server.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    name: String,
    rule: String,
    #[serde(default)]
    deleting: bool,
    pod: Value,
    status: String,
    restarts: u32,
    ready: String,
    last_restart: Option<Time>,
    /// Why it is not well; absent: it is.
    #[serde(default)]
    reason: String,
}

const TABLES: [&str; 5] = [
    include_str!("../../tests/data/status/pod.json"),
    include_str!("../../tests/data/status/containers.json"),
    include_str!("../../tests/data/status/init.json"),
    include_str!("../../tests/data/status/sidecars.json"),
    include_str!("../../tests/data/status/deleting.json"),
];

fn cases() -> Vec<Case> {
    let cases = TABLES
        .iter()
        .flat_map(|table| serde_json::from_str::<Vec<Case>>(table).unwrap());
    cases.collect()
}

fn read(pod: Value) -> wire::Pod {
    serde_json::from_value(pod).unwrap()
}

#[test]
fn status_restarts_and_ready_follow_print_pod() {
    let cases = cases();
    assert!(cases.len() >= 60, "{} pods", cases.len());
    for mut case in cases {
        if case.deleting {
            case.pod["metadata"]["deletionTimestamp"] = json!("2026-01-10T00:00:00Z");
        }
        let printed = Summary::from_pod(&read(case.pod));
        let got = (
            printed.status,
            printed.restarts,
            format!("{}/{}", printed.ready, printed.ready_total),
            printed.last_restart,
        );
        let want = (case.status, case.restarts, case.ready, case.last_restart);
        assert_eq!(got, want, "{}: {}", case.name, case.rule);
    }
}

#[test]
fn every_unhealthy_pod_has_a_reason() {
    let mut wrong = Vec::new();
    for mut case in cases() {
        if case.deleting {
            case.pod["metadata"]["deletionTimestamp"] = json!("2026-01-10T00:00:00Z");
        }
        let got = row(&read(case.pod), None).reason;
        let got = got.map(|reason| reason.text).unwrap_or_default();
        if got != case.reason {
            wrong.push(format!(
                "{}: {}: want {:?}, got {got:?}",
                case.name, case.rule, case.reason
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
