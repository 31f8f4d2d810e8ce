#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{
    read::{MAX_PARTS, Malformed},
    *,
};

#[test]
fn null_is_as_good_as_absent_everywhere() {
    let nulls = r#"{"metadata":{"name":null,"creationTimestamp":null,"labels":null,"ownerReferences":null},
        "spec":{"containers":null,"initContainers":null,"nodeName":null},
        "status":{"phase":null,"conditions":null,"containerStatuses":null,"initContainerStatuses":null}}"#;
    for text in ["{}", r#"{"metadata":null,"spec":null,"status":null}"#, nulls] {
        assert_eq!(serde_json::from_str::<Pod>(text).unwrap(), Pod::default(), "{text}");
    }
    let inner = r#"{"status":{"containerStatuses":[{"name":"c","ready":null,"started":null,
        "restartCount":null,"state":null,"lastState":{"terminated":{"exitCode":null,"finishedAt":null,"reason":null,"message":null}}}]}}"#;
    let pod: Pod = serde_json::from_str(inner).unwrap();
    let status = &pod.status.container_statuses[0];
    assert_eq!(status.state, ContainerState::default());
    assert_eq!(status.last_state.terminated, Some(Terminated::default()));
}

#[test]
fn unknown_fields_are_skipped_and_times_are_read_with_any_fraction_and_offset() {
    let pod: Pod = serde_json::from_str(
        r#"{"apiVersion":"v1","kind":"Pod","new":{"deep":[1,{"x":null}]},"metadata":{"name":"a","managedFields":[{"x":1}],
        "creationTimestamp":"2026-01-01T01:00:00.5+01:00","deletionTimestamp":"2026-01-01T00:00:01Z"}}"#,
    )
    .unwrap();
    assert_eq!(pod.metadata.name, "a");
    assert_eq!(pod.metadata.creation_timestamp, Some(Time { seconds: 1_767_225_600 }));
    assert_eq!(pod.metadata.deletion_timestamp, Some(Time { seconds: 1_767_225_601 }));
}

#[test]
fn a_pod_of_too_many_parts_is_an_error() {
    for (field, of) in [("containers", "spec"), ("conditions", "status")] {
        let text = |count: usize| format!(r#"{{"{of}":{{"{field}":[{}]}}}}"#, vec!["{}"; count].join(","));
        assert!(serde_json::from_str::<Pod>(&text(MAX_PARTS)).is_ok());
        assert!(serde_json::from_str::<Pod>(&text(MAX_PARTS + 1)).is_err());
    }
    let labels = |count: usize| {
        let labels: Vec<_> = (0..count).map(|label| format!(r#""l{label}":"x""#)).collect();
        format!(r#"{{"metadata":{{"labels":{{{}}}}}}}"#, labels.join(","))
    };
    let most: Pod = serde_json::from_str(&labels(MAX_PARTS)).unwrap();
    assert_eq!(most.metadata.labels.len(), MAX_PARTS);
    assert!(serde_json::from_str::<Pod>(&labels(MAX_PARTS + 1)).is_err());
    // Repeated sections add up.
    let section = |number: u8, parts: usize| {
        let mut section = vec![number << 3 | 2];
        prost::encode_length_delimiter(parts * 2, &mut section).unwrap();
        section.extend(b"\x12\x00".repeat(parts));
        section
    };
    let pod = |more: usize| [section(2, MAX_PARTS - 10), section(3, 5), section(3, more)].concat();
    assert!(Pod::from_protobuf(&pod(5)).is_ok());
    assert!(matches!(Pod::from_protobuf(&pod(6)), Err(Malformed::TooMany)));
}

#[test]
fn a_field_of_another_type_is_an_error() {
    for text in [
        r#"{"metadata":{"name":1}}"#,
        r#"{"metadata":{"creationTimestamp":"yesterday"}}"#,
        r#"{"spec":{"containers":{}}}"#,
        r#"{"status":{"containerStatuses":[{"restartCount":"many"}]}}"#,
    ] {
        assert!(serde_json::from_str::<Pod>(text).is_err(), "{text}");
    }
}
