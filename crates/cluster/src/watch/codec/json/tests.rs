#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::{super::Codec, *};

/// Decodes in chunks of `size` bytes.
fn list(text: &str, size: usize) -> Result<(Vec<Object>, ListMeta), DecodeError> {
    let mut decoder = Codec::Json.list();
    let mut pods = Vec::new();
    for chunk in text.as_bytes().chunks(size) {
        decoder.push(chunk, &mut pods)?;
    }
    Ok((pods, decoder.finish()?))
}

fn watch(bytes: &[u8], size: usize) -> Result<Vec<Event>, DecodeError> {
    let mut decoder = Codec::Json.watch();
    let mut events = Vec::new();
    for chunk in bytes.chunks(size) {
        decoder.push(chunk, &mut events)?;
    }
    Ok(events)
}

fn name(object: &Object) -> String {
    match object {
        Object::Pod(pod) => format!("{}/{}", pod.metadata.namespace, pod.metadata.name),
        Object::Invalid { name, .. } => format!("odd {name}"),
    }
}

const LIST: &str = r#"{"kind":"PodList", "items" : [ {"metadata":{"name":"a","namespace":"x","items":[{}],"annotations":{"j":"{\"a\":[\\\"]}"}}},
    {"metadata":{"name":"b","namespace":"x"},"spec":{"containers":{}}}, {"metadata":{"name":"c","namespace":"x"},"list":[[],[{}]]}],
    "other":{"items":[{"metadata":{"name":"no"}}],"metadata":{"resourceVersion":"1"}},"metadata":{"resourceVersion":"42","continue":"tok\"en"}}"#;

#[test]
fn a_list_is_cut_into_items_whatever_the_chunks() {
    for size in [1, 2, 3, 7, 64, 100_000] {
        let (pods, meta) = list(LIST, size).unwrap();
        assert_eq!(
            pods.iter().map(name).collect::<Vec<_>>(),
            ["x/a", "odd x/b", "x/c"],
            "{size}"
        );
        assert_eq!((meta.version.as_str(), meta.token.as_str()), ("42", "tok\"en"));
    }
}

#[test]
fn null_items_and_unpaged_lists_are_fine() {
    for items in ["null", "[]"] {
        let text = format!(r#"{{"metadata":{{"resourceVersion":"7","continue":null}},"items":{items}}}"#);
        let (pods, meta) = list(&text, 5).unwrap();
        assert!(pods.is_empty() && meta.token.is_empty() && meta.version == "7");
    }
}

#[test]
fn a_list_that_breaks_off_or_is_another_object_is_garbage() {
    for end in 0..LIST.len() {
        assert!(list(&LIST[..end], 1000).is_err(), "{}", &LIST[..end]);
    }
    for text in [
        "<html>",
        "[]",
        "42",
        "\"text\"",
        r#"{"items":[1],"metadata":{"resourceVersion":"1"}}"#,
        r#"{"items":["x"],"metadata":{"resourceVersion":"1"}}"#,
        r#"{"items":[[]],"metadata":{"resourceVersion":"1"}}"#,
        r#"{"items":[],"metadata":{}}"#,
        "{}",
        r#"{"items":[],"metadata":{"resourceVersion":"1"}}}"#,
        r#"{"items":[],"metadata":{"resourceVersion":"1"}}{"#,
    ] {
        assert!(list(text, 1000).is_err(), "{text}");
    }
}

#[test]
fn an_endless_item_is_refused() {
    let mut decoder = Codec::Json.list();
    let mut pods = Vec::new();
    decoder.push(br#"{"items":[{"x":""#, &mut pods).unwrap();
    let chunk = vec![b'x'; 1 << 20];
    let refused = (0..20).find_map(|_| decoder.push(&chunk, &mut pods).err());
    assert!(refused.unwrap().to_string().contains("longer"));
}

#[test]
fn a_watch_reports_its_events() {
    let text = concat!(
        r#"{"type":"ADDED","object":{"metadata":{"name":"a","namespace":"x","resourceVersion":"5"}}}"#,
        "\n\n",
        r#"{"type":"MODIFIED","object":{"metadata":{"name":"b","namespace":"x","resourceVersion":"6"},"status":6}}"#,
        "\r\n",
        r#"{"type":"DELETED","object":{"metadata":{"name":"c","namespace":"x","resourceVersion":"7"},"status":7}}"#,
        "\n",
        r#"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"8","annotations":{"k8s.io/initial-events-end":"true"}},"spec":{"containers":null}}}"#,
        "\n",
        r#"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"9"}}}"#,
        "\n",
        r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#,
        "\n"
    );
    for size in [1, 10, 100_000] {
        let events = watch(text.as_bytes(), size).unwrap();
        let [
            Event::Applied {
                object: a,
                version: five,
            },
            Event::Applied {
                object: b,
                version: six,
            },
            Event::Deleted {
                namespace,
                name: c,
                version: seven,
            },
            Event::Bookmark {
                version: eight,
                end: true,
            },
            Event::Bookmark {
                version: nine,
                end: false,
            },
            Event::Error(status),
        ] = events.as_slice()
        else {
            panic!("{events:?}")
        };
        assert_eq!((name(a), name(b)), ("x/a".to_owned(), "odd x/b".to_owned()));
        assert_eq!((namespace.as_str(), c.as_str(), status.code()), ("x", "c", 410));
        assert_eq!([five, six, seven, eight, nine], ["5", "6", "7", "8", "9"]);
    }
}

#[test]
fn a_line_that_is_not_an_event_is_garbage() {
    for line in [
        "nonsense\n",
        "{}\n",
        "{\"type\":\"ODD\",\"object\":{}}\n",
        "{\"type\":\"ADDED\"}\n",
        "\u{0}\n",
    ] {
        assert!(watch(line.as_bytes(), 100).is_err(), "{line}");
    }
    assert!(watch(b"\xff\xfe\n", 100).is_err());
    assert!(watch(&vec![b'x'; MAX_OBJECT + 1], 1 << 20).is_err());
}

#[test]
fn an_item_that_is_too_long_is_left_out_and_nothing_else() {
    let list = format!(
        r#"{{"items":[{{"a":1}},{{"b":"{}"}},{{}},{{"c":"{}"}}],"metadata":{{"x":1}}}}"#,
        "x".repeat(50),
        "é".repeat(3)
    );
    for size in 1..list.len() {
        let (mut splitter, mut parts) = (Splitter::skipping(20), Vec::new());
        for chunk in list.as_bytes().chunks(size) {
            splitter
                .push(chunk, &mut |part, json| {
                    parts.push((part, String::from_utf8_lossy(json).into_owned()));
                    Ok(())
                })
                .unwrap();
            assert!(splitter.held() <= 64);
        }
        let parts: Vec<_> = parts.iter().map(|(part, json)| (*part, json.as_str())).collect();
        assert_eq!(
            parts,
            [
                (Part::Item, r#"{"a":1}"#),
                (Part::Oversized, ""),
                (Part::Item, "{}"),
                (Part::Item, r#"{"c":"ééé"}"#),
                (Part::Metadata, r#"{"x":1}"#),
            ],
            "{size}"
        );
        assert!(splitter.is_complete());
    }
    let mut splitter = Splitter::skipping(20);
    let metadata = format!(r#"{{"metadata":{{"x":"{}"}}}}"#, "x".repeat(50));
    assert!(splitter.push(metadata.as_bytes(), &mut |_, _| Ok(())).is_err());
}
