#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value as Json, json};

use super::*;

fn view(pod: Json) -> Json {
    let text = text(pod.to_string().as_bytes()).unwrap();
    let mut answer: Json = serde_json::from_slice(&text).unwrap();
    assert_eq!(answer["code"], 200);
    answer["data"].take()
}

#[test]
fn specified_fields_are_never_absent() {
    let empty = json!({"kind": "Pod", "metadata": {"name": "a", "labels": null}, "spec": {"containers": [{"name": "c", "ports": null}]},
        "status": {"containerStatuses": [{"name": "c"}]}});
    assert_eq!(
        view(empty),
        json!({
            "name": "a", "namespace": "", "uid": "", "resourceVersion": "", "labels": {}, "annotations": {}, "ownerReferences": [],
            "createdAt": "", "deletionTimestamp": "", "statusText": "", "restarts": 0,
            "status": {"phase": "", "conditions": [],
                "containerStatuses": [{"name": "c", "ready": false, "restartCount": 0, "state": {}}]},
            "spec": {"nodeName": "", "volumes": [],
                "containers": [{"name": "c", "image": "", "ports": [], "resources": {}, "volumeMounts": []}]},
        })
    );
    for bare in [
        json!({"kind": "Pod", "metadata": {}}),
        json!({"metadata": {}, "spec": null, "status": null}),
    ] {
        let bare = view(bare);
        assert_eq!(
            bare["status"],
            json!({"phase": "", "conditions": [], "containerStatuses": []})
        );
        assert_eq!(bare["spec"], json!({"nodeName": "", "containers": [], "volumes": []}));
    }
}

#[test]
fn unspecified_fields_are_passed_on() {
    let pod = json!({"metadata": {"managedFields": [{"manager": "kubelet"}]},
        "spec": {"newField": {"deep": [1]}, "containers": [{"name": "c", "newer": true}]},
        "status": {"newest": null, "qosClass": "BestEffort"}});
    let view = view(pod);
    assert_eq!(view["spec"]["newField"], json!({"deep": [1]}));
    assert_eq!(view["spec"]["containers"][0]["newer"], true);
    assert_eq!(view["status"]["qosClass"], "BestEffort");
    assert!(view["status"].get("newest").is_some());
    assert!(!view.to_string().contains("managedFields"), "{view}");
}

#[test]
fn numbers_and_names_pass_through_as_they_are_written() {
    let pod = r#"{"metadata":{},"spec":{"a\u00e9\"":1.50e3,"big":12345678901234567890123},"status":{}}"#;
    let text = String::from_utf8(text(pod.as_bytes()).unwrap()).unwrap();
    assert!(
        text.contains("1.50e3") && text.contains("12345678901234567890123"),
        "{text}"
    );
    assert!(text.contains(r#""aé\"":1.50e3"#), "{text}");
}

#[test]
fn an_object_that_is_not_a_pod_is_an_error() {
    for pod in [json!({"metadata": {"name": 7}}), json!([]), json!({})] {
        assert!(text(pod.to_string().as_bytes()).is_err(), "{pod}");
    }
}

#[test]
fn many_small_fields_are_refused_before_they_take_memory() {
    let fields: serde_json::Map<_, _> = (0..=MOST).map(|at| (at.to_string(), json!(0))).collect();
    assert!(text(json!({"metadata": {}, "spec": fields}).to_string().as_bytes()).is_err());
    let containers = vec![json!(1); MOST + 1];
    assert!(
        text(
            json!({"metadata": {}, "spec": {"containers": containers}})
                .to_string()
                .as_bytes()
        )
        .is_err()
    );
}

#[test]
fn fields_are_bounded_over_all_objects() {
    let text = |containers: usize, fields: usize| {
        let fields: serde_json::Map<_, _> = (0..fields).map(|at| (at.to_string(), json!(0))).collect();
        let containers = vec![json!(fields); containers];
        text(
            json!({"metadata": {}, "spec": {"containers": containers}})
                .to_string()
                .as_bytes(),
        )
    };
    assert!(text(MOST, 20).is_ok());
    let error = text(MOST, 100).unwrap_err();
    assert!(error.to_string().contains("50000"), "{error}");
}

#[test]
fn the_answer_is_hardly_longer_than_the_clusters() {
    let pod =
        json!({"metadata": {"annotations": {"a": "x".repeat(1 << 20)}}, "spec": {"containers": vec![json!({}); MOST]}})
            .to_string();
    let text = text(pod.as_bytes()).unwrap();
    assert!(text.len() < pod.len() + (512 << 10), "{}", text.len());
}
