#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{
    super::tests::write::{field, framed, varint, wrapped},
    *,
};
use crate::wire::Time;

fn list(bytes: &[u8]) -> Result<(Vec<Object>, ListMeta), DecodeError> {
    let mut decoder = Box::new(List::default());
    let mut pods = Vec::new();
    for chunk in bytes.chunks(1000) {
        decoder.push(chunk, &mut pods)?;
    }
    Ok((pods, decoder.finish()?))
}

fn watch(bytes: &[u8]) -> Result<Vec<Event>, DecodeError> {
    let mut events = Vec::new();
    Watch::default().push(bytes, &mut events)?;
    Ok(events)
}

fn item(fields: &[u8]) -> Vec<u8> {
    let meta = [field(1, b"n"), field(3, b"ns"), field(6, b"7")].concat();
    field(2, &[field(1, &meta).as_slice(), fields].concat())
}

fn meta() -> Vec<u8> {
    field(1, &field(2, b"42"))
}

#[test]
fn a_list_may_come_with_its_fields_in_any_order_and_with_others() {
    let other = [
        varint(9 << 3),
        varint(77),
        varint(8 << 3 | 1),
        vec![0; 8],
        varint(7 << 3 | 5),
        vec![0; 4],
    ]
    .concat();
    let (pods, meta) = list(&wrapped(
        "PodList",
        &[other.clone(), item(b""), field(6, b"new"), item(&other), meta()].concat(),
    ))
    .unwrap();
    assert_eq!((pods.len(), meta.version.as_str()), (2, "42"));
    let (pods, meta) = list(&wrapped("PodList", &self::meta())).unwrap();
    assert_eq!((pods.len(), meta.version.as_str()), (0, "42"));
    // The last item may have no length at all. It has no name.
    let (pods, _) = list(&wrapped("PodList", &[self::meta(), field(2, b"")].concat())).unwrap();
    assert!(
        matches!(&pods[..], [Object::Invalid { name, .. }] if name == "/"),
        "{pods:?}"
    );
}

#[test]
fn an_answer_that_is_not_a_list_of_pods_is_garbage() {
    let good = [meta(), item(b"")].concat();
    assert!(list(&wrapped("PodList", &good)).is_ok());
    let types = field(1, &field(2, b"PodList"));
    for bytes in [
        Vec::new(),
        b"{\"kind\":\"PodList\"}".to_vec(),
        b"k8s\0".to_vec(),
        wrapped("Status", &good),
        wrapped("PodList", b""),
        wrapped("PodList", &item(b"")),
        wrapped("PodList", &field(1, &field(2, b""))),
        // A list without its kind, one that holds a list twice, and one with a field that extends
        // beyond it.
        [b"k8s\0", field(2, &good).as_slice()].concat(),
        [b"k8s\0", types.as_slice(), &field(2, &good), &field(2, &good)].concat(),
        [
            b"k8s\0",
            types.as_slice(),
            &field(2, &[good.as_slice(), b"\x12\x05ab"].concat()),
            b"\x1a\x03cde",
        ]
        .concat(),
        [
            b"k8s\0",
            types.as_slice(),
            &field(2, &[good.as_slice(), b"\x80"].concat()),
            b"\x01\x00",
        ]
        .concat(),
        [
            b"k8s\0",
            types.as_slice(),
            &field(2, &[good.as_slice(), b"\x18"].concat()),
            b"\x01",
        ]
        .concat(),
        // Groups, and a number of eleven bytes.
        wrapped("PodList", &[good.as_slice(), b"\x1b\x1c"].concat()),
        wrapped("PodList", &[good.as_slice(), b"\x18", &[0xff; 10], b"\x01"].concat()),
    ] {
        assert!(list(&bytes).is_err(), "{}", bytes.escape_ascii());
    }
}

#[test]
fn an_announced_length_beyond_any_pod_is_refused_at_once() {
    let huge = varint(100 << 20);
    let mut frame = (100_u32 << 20).to_be_bytes().to_vec();
    frame.push(0);
    let refused = watch(&frame).unwrap_err().to_string();
    assert!(refused.contains("longer than"), "{refused}");
    let list_of = |part: &[u8]| {
        let begin = [b"k8s\0\x0a\x09\x12\x07PodList\x12".to_vec(), varint(1 << 40)].concat();
        [begin.as_slice(), part, &huge].concat()
    };
    for part in [b"\x12", b"\x0a"] {
        let refused = list(&list_of(part)).unwrap_err().to_string();
        assert!(refused.contains("longer than"), "{refused}");
    }
    // A skipped field may be of any length.
    assert!(List::default().push(&list_of(b"\x1a"), &mut Vec::new()).is_ok());
}

#[test]
fn nested_groups_are_the_pod_s_error_and_not_the_stack_s() {
    let deep = [[0x9b, 0x06].repeat(1 << 20), [0x9c, 0x06].repeat(1 << 20)].concat();
    let (pods, _) = list(&wrapped("PodList", &[meta(), item(&deep), item(b"")].concat())).unwrap();
    assert!(
        matches!(&pods[..], [Object::Invalid { name, error }, Object::Pod(_)] if name == "ns/n" && error.contains("recursion")),
        "{:?}",
        pods[1]
    );
}

#[test]
fn a_pod_is_named_as_far_as_it_can_be_read() {
    for (broken, named) in [
        (
            field(1, &[field(1, b"n"), field(3, b"ns"), b"\x32\x20".to_vec()].concat()),
            "ns/n",
        ),
        (field(1, &[field(1, b"n"), b"\x1a\x05ab".to_vec()].concat()), "/n"),
        ([field(1, &field(1, b"n")), b"\x12\x20".to_vec()].concat(), "/n"),
        (field(1, &field(1, b"\xff\xfe")), "/\u{fffd}\u{fffd}"),
        (b"\x0a".to_vec(), "/"),
    ] {
        let (pods, _) = list(&wrapped("PodList", &[meta(), field(2, &broken)].concat())).unwrap();
        assert!(
            matches!(&pods[..], [Object::Invalid { name, .. }] if name == named),
            "{pods:?}"
        );
    }
}

#[test]
fn times_that_are_empty_are_none_and_impossible_ones_are_refused() {
    let with =
        |time: &[u8]| wire::Pod::from_protobuf(&field(1, &field(8, time))).map(|pod| pod.metadata.creation_timestamp);
    assert_eq!(with(b"").unwrap(), None);
    assert_eq!(with(b"\x08\x00\x10\x00").unwrap(), Some(Time { seconds: 0 }));
    assert_eq!(with(b"\x08\x05\x10\x80\x01").unwrap(), Some(Time { seconds: 5 }));
    let forever = [b"\x08".as_slice(), &varint(i64::MAX as u64)].concat();
    assert!(with(&forever).unwrap_err().to_string().contains("year"));
    let finished = field(3, &field(8, &field(3, &field(3, &field(6, b"")))));
    let pod = wire::Pod::from_protobuf(&finished).unwrap();
    assert_eq!(
        pod.status.container_statuses[0]
            .last_state
            .terminated
            .as_ref()
            .unwrap()
            .finished_at,
        None
    );
}

#[test]
fn a_frame_that_is_not_an_event_is_garbage() {
    let object = wrapped("Pod", &field(1, &field(1, b"n")));
    assert_eq!(watch(&framed("DELETED", &object)).unwrap().len(), 1);
    for frame in [
        framed("ODD", &object),
        framed("", &object),
        framed("ADDED", b""),
        framed("ADDED", b"{}"),
        framed("ADDED", &object[..object.len() - 1]),
        b"\0\0\0\0".to_vec(),
        b"\0\0\0\x03abc".to_vec(),
    ] {
        assert!(watch(&frame).is_err(), "{}", frame.escape_ascii());
    }
    let unknown = watch(&framed("ERROR", b"nonsense")).unwrap();
    assert!(matches!(&unknown[..], [Event::Error(status)] if status.code() == 0));
}
