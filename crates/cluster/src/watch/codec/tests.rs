//! The same pods through both codecs, including pods that a real API server sent
//! (`tests/data/protobuf`, Kubernetes 1.36).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

mod pods;
pub(super) mod write;

use pods::pod;
use write::Writer;

const BOTH: [Codec; 2] = [Codec::Protobuf, Codec::Json];
const SIZES: [usize; 7] = [1, 2, 3, 7, 64, 1000, 1 << 20];

/// Decodes a list in chunks of `size` bytes. Also returns the most bytes that were held.
fn list(codec: Codec, bytes: &[u8], size: usize) -> (Vec<Object>, Result<ListMeta, DecodeError>, usize) {
    let mut decoder = codec.list();
    let (mut pods, mut most) = (Vec::new(), 0);
    for chunk in bytes.chunks(size) {
        if let Err(decode_error) = decoder.push(chunk, &mut pods) {
            return (pods, Err(decode_error), most);
        }
        most = most.max(decoder.held());
    }
    (pods, decoder.finish(), most)
}

/// Decodes a watch likewise. Events are returned as text, so that they can be compared.
fn watch(codec: Codec, bytes: &[u8], size: usize) -> (Vec<String>, Result<(), DecodeError>, usize) {
    let mut decoder = codec.watch();
    let (mut events, mut most, mut end) = (Vec::new(), 0, Ok(()));
    for chunk in bytes.chunks(size) {
        end = decoder.push(chunk, &mut events);
        most = most.max(decoder.held());
        if end.is_err() {
            break;
        }
    }
    (events.iter().map(|event| format!("{event:?}")).collect(), end, most)
}

fn names(pods: &[Object]) -> Vec<String> {
    let name = |object: &Object| match object {
        Object::Pod(pod) => format!("{}/{}", pod.metadata.namespace, pod.metadata.name),
        Object::Invalid { name, .. } => format!("odd {name}"),
    };
    pods.iter().map(name).collect()
}

fn plain(names: &[&str]) -> Vec<wire::Pod> {
    names.iter().map(|name| pods::named("x", name)).collect()
}

macro_rules! data {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/data/protobuf/", $name))
    };
}

#[test]
fn a_real_list_is_the_same_in_protobuf_and_in_json() {
    let (known, meta, _) = list(Codec::Json, data!("pods.json"), 1 << 20);
    assert_eq!(known.len(), 4);
    for size in SIZES {
        let (pods, of, _) = list(Codec::Protobuf, data!("pods.pb"), size);
        assert_eq!(pods, known, "{size}");
        assert_eq!(of.unwrap(), *meta.as_ref().unwrap());
    }
    let Object::Pod(web) = &known[2] else {
        panic!("{known:?}")
    };
    assert_eq!((web.spec.containers.len(), web.spec.init_containers.len()), (2, 1));
}

#[test]
fn a_real_watch_is_the_same_in_protobuf_and_in_json() {
    // Initial events come in any order, and the two files were recorded one after the other.
    let events = |codec, bytes, size| {
        let (mut events, end, _) = watch(codec, bytes, size);
        end.unwrap();
        let bookmark = events.pop().unwrap();
        assert!(
            bookmark.starts_with("Bookmark") && bookmark.ends_with("end: true }"),
            "{bookmark}"
        );
        events.sort_unstable();
        events
    };
    let known = events(Codec::Json, data!("stream.json").as_slice(), 1 << 20);
    assert_eq!(known.len(), 4);
    for size in SIZES {
        assert_eq!(events(Codec::Protobuf, data!("stream.pb"), size), known, "{size}");
    }
}

#[test]
fn real_refusals_are_understood() {
    let (events, end, _) = watch(Codec::Protobuf, data!("expired.pb"), 10);
    end.unwrap();
    assert!(
        events[0].contains("code: 410") && events[0].contains("too old resource version"),
        "{events:?}"
    );
    let forbidden = Status::parse(data!("forbidden.pb")).unwrap();
    assert_eq!((forbidden.code(), forbidden.reason.as_str()), (403, "Forbidden"));
    assert_eq!(forbidden.details.unwrap().kind, "pods");
    let invalid = Status::parse(data!("invalid.pb")).unwrap();
    assert!(
        invalid.code() == 422 && invalid.cause("FieldValueForbidden").is_some(),
        "{invalid:?}"
    );
}

#[test]
fn an_answer_names_its_codec() {
    for (named, codec) in [
        ("application/vnd.kubernetes.protobuf", Codec::Protobuf),
        ("application/vnd.kubernetes.protobuf;stream=watch", Codec::Protobuf),
        ("Application/VND.kubernetes.Protobuf ; x=y", Codec::Protobuf),
        ("application/json", Codec::Json),
        ("application/json;stream=watch", Codec::Json),
        ("text/html", Codec::Json),
        ("", Codec::Json),
    ] {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(named))]);
        assert_eq!(Codec::from_content_type(&headers), codec, "{named}");
    }
    assert_eq!(Codec::from_content_type(&HeaderMap::new()), Codec::Json);
    assert!(
        Codec::Protobuf.accept().ends_with("application/json"),
        "a server without protobuf answers JSON"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_pods_are_the_same_through_both(pods in prop::collection::vec(pod(), 0..4), size in 1..300_usize) {
        let expected: Vec<Object> = pods.iter().cloned().map(|pod| Object::read(pod).0).collect();
        for codec in BOTH {
            let (read, meta, _) = list(codec, &Writer(codec).list(&pods, "42", "token"), size);
            prop_assert_eq!(&read, &expected);
            prop_assert_eq!(meta.unwrap(), ListMeta { version: "42".to_owned(), token: "token".to_owned() });
            let (events, end, _) = watch(codec, &Writer(codec).events("ADDED", &pods), size);
            end.unwrap();
            for (event, (pod, expected)) in events.iter().zip(pods.iter().zip(&expected)) {
                let version = pod.metadata.resource_version.clone();
                let Object::Pod(expected) = expected else { panic!("{expected:?}") };
                let object = Object::Pod(expected.clone());
                prop_assert_eq!(event, &format!("{:?}", Event::Applied { object, version }));
            }
            prop_assert_eq!(events.len(), pods.len());
        }
    }

    #[test]
    fn no_bytes_break_a_decoder(bytes in prop::collection::vec(any::<u8>(), 0..200), magic: bool, size in 1..50_usize) {
        for codec in BOTH {
            let whole = if magic { Writer(codec).list(&plain(&["a"]), "1", "") } else { Vec::new() };
            let cut = whole.len() / 2;
            let bytes = [&whole[..cut], &bytes].concat();
            let _ = list(codec, &bytes, size);
            let _ = watch(codec, &bytes, size);
            let _ = Status::parse(&bytes);
            let _ = wire::Pod::from_protobuf(&bytes);
        }
    }
}

#[test]
fn lists_and_watches_come_through_whatever_the_chunks() {
    for codec in BOTH {
        let writer = Writer(codec);
        let whole = writer.list(&plain(&["a", "b", "c"]), "42", "");
        let events = [
            writer.events("ADDED", &plain(&["a"])),
            writer.events("DELETED", &plain(&["b"])),
            writer.bookmark("8", true),
            writer.bookmark("9", false),
        ]
        .concat();
        for size in 1..=whole.len() {
            let (pods, meta, _) = list(codec, &whole, size);
            assert_eq!(
                (names(&pods), meta.unwrap().version.as_str()),
                (vec!["x/a".into(), "x/b".into(), "x/c".into()], "42")
            );
        }
        for size in 1..=events.len() {
            let (events, end, _) = watch(codec, &events, size);
            end.unwrap();
            assert!(
                events[0].starts_with("Applied") && events[0].ends_with(r#"version: "7" }"#),
                "{events:?}"
            );
            assert_eq!(
                events[1..],
                [
                    r#"Deleted { namespace: "x", name: "b", version: "7" }"#,
                    r#"Bookmark { version: "8", end: true }"#,
                    r#"Bookmark { version: "9", end: false }"#,
                ]
            );
        }
    }
}

#[test]
fn a_list_that_breaks_off_anywhere_is_garbage() {
    for codec in BOTH {
        let whole = Writer(codec).list(&plain(&["a", "b"]), "42", "");
        // The line feed after JSON, and the fields that follow the list in its wrapping, do not
        // matter.
        let after = if codec == Codec::Protobuf { write::AFTER } else { b"\n" };
        let needed = whole.strip_suffix(after).unwrap().len();
        for end in 0..needed {
            let (pods, meta, _) = list(codec, &whole[..end], 11);
            assert!(meta.is_err() && pods.len() <= 2, "{codec:?} {end}");
        }
    }
}

#[test]
fn an_event_that_breaks_off_is_not_reported() {
    for codec in BOTH {
        let one = Writer(codec).events("ADDED", &plain(&["a"]));
        for end in 0..one.len() {
            let (events, held, _) = watch(codec, &one[..end], 11);
            assert!(events.is_empty() && held.is_ok(), "{codec:?} {end}");
        }
    }
}

#[test]
fn a_pod_that_does_not_parse_is_named_and_costs_no_other() {
    for codec in BOTH {
        let (pods, meta, _) = list(codec, &Writer(codec).list_with_odd(&plain(&["a", "odd", "c"]), 1), 13);
        assert_eq!(names(&pods), ["x/a", "odd x/odd", "x/c"], "{codec:?}");
        assert_eq!(meta.unwrap().version, "42");
        let (events, end, _) = watch(codec, &Writer(codec).odd_event(&pods::named("x", "odd")), 13);
        end.unwrap();
        assert!(
            events[0].contains("Invalid") && events[0].ends_with(r#"version: "7" }"#),
            "{events:?}"
        );
    }
}

#[test]
fn a_pod_with_an_impossible_name_is_skipped() {
    let long = "a".repeat(254);
    let odd: [fn(&mut wire::Pod, &str); 4] = [
        |pod, long| pod.metadata.name = long.to_owned(),
        |pod, long| pod.metadata.namespace = long.to_owned(),
        |pod, long| pod.spec.node_name = long.to_owned(),
        |pod, long| pod.status.pod_ip = long.to_owned(),
    ];
    for change in odd {
        for (name, is_odd) in [(&long[1..], false), (&long, true)] {
            let mut pod = pods::named("x", "a");
            change(&mut pod, name);
            let (read, _) = Object::read(pod);
            assert_eq!(matches!(read, Object::Invalid { .. }), is_odd, "{read:?}");
        }
    }
}

#[test]
fn no_more_is_held_than_one_object() {
    for codec in BOTH {
        let writer = Writer(codec);
        let pods: Vec<_> = (0..100).map(|index| pods::large(&format!("pod-{index}"))).collect();
        let one = writer.events("ADDED", &pods[..1]).len();
        for size in [100, 5_000, 20_000] {
            for most in [
                list(codec, &writer.list(&pods, "42", ""), size).2,
                watch(codec, &writer.events("ADDED", &pods), size).2,
            ] {
                assert!(
                    most > 0 && most < one * 2,
                    "{codec:?}: {most} of {one} in chunks of {size}"
                );
            }
        }
        // A large object does not hold its size for ever.
        let mut decoder = codec.watch();
        let mut events = Vec::new();
        decoder
            .push(&writer.events("ADDED", &pods[..1])[..one - 1], &mut events)
            .unwrap();
        assert!(decoder.held() >= one - 5);
        decoder
            .push(&writer.events("ADDED", &pods[..1])[one - 1..], &mut events)
            .unwrap();
        assert_eq!((decoder.held(), events.len()), (0, 1));
    }
}
