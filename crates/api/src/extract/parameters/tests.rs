#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

const KNOWN: &[Parameter] = &[
    Parameter::one("page", Kind::Int { min: 1, max: 100 }, "The page."),
    Parameter::one("force", Kind::Bool, "Force."),
    Parameter::one("order", Kind::OneOf(&["asc", "desc"]), "The order."),
    Parameter::one("since", Kind::Time, "The time."),
    Parameter::one("search", Kind::Text, "A text."),
    Parameter::many("status", Kind::Text, "Statuses."),
    Parameter::many("facets", Kind::Words(&["status", "phase"]), "Facets."),
];

fn message(query: &str) -> String {
    match Parameters::parse(query, KNOWN) {
        Err(ApiError::Parameter(message)) => message,
        other => panic!("{query}: {other:?}"),
    }
}

#[test]
fn values_come_out_decoded_and_typed() {
    let read = Parameters::parse(
        "page=7&force=true&status=Running&status=Crash%20Loop&facets=status,phase&facets=phase&search=a+b%2Bc&since=2026-01-31T12:00:00%2B02:00",
        KNOWN,
    )
    .unwrap();
    assert_eq!(read.int("page"), Some(7));
    assert_eq!(read.bool("force"), Some(true));
    assert_eq!(read.many("status"), ["Running", "Crash Loop"]);
    assert_eq!(read.many("facets"), ["status,phase", "phase"]);
    assert_eq!(read.one("search").as_deref(), Some("a b+c"));
    assert_eq!(read.one("order"), None);
}

#[test]
fn an_empty_value_is_an_absent_one() {
    let read = Parameters::parse("page=&force=&order=&since=&status=&status=x&&search", KNOWN).unwrap();
    assert_eq!(read.int("page"), None);
    assert_eq!(read.bool("force"), None);
    assert_eq!(read.one("search"), None);
    assert_eq!(read.many("status"), ["x"]);
}

#[test]
fn an_invalid_parameter_is_refused_by_name() {
    let long = format!("search={}", "x".repeat(MAX_VALUE));
    for (query, part) in [
        ("pages=1", "no parameter `pages`"),
        ("Page=1", "no parameter `Page`"),
        ("page=1&page=2", "`page` is given more than once"),
        ("page=&page=2", "`page` is given more than once"),
        ("page=0", "from 1 to 100"),
        ("page=101", "from 1 to 100"),
        ("page=-1", "not `-1`"),
        ("page=%2B1", "not `+1`"),
        ("page=1.5", "`page` must be a whole number"),
        ("page=99999999999999999999999999", "from 1 to 100"),
        ("force=True", "`force` must be `true` or `false`"),
        ("force=1", "`force` must be `true` or `false`"),
        ("order=ASC", "`order` must be one of `asc`, `desc`"),
        ("since=yesterday", "`since` must be a time"),
        ("search=%00", "`search` contains a NUL"),
        (
            "facets=status,age",
            "`facets` takes `status`, `phase`, separated by commas, not `age`",
        ),
        ("facets=status,", "not ``"),
        ("facets=Status", "not `Status`"),
        ("search=%ff", "`search` is not UTF-8"),
        ("%ff=1", "is not UTF-8"),
        (long.as_str(), "`search` is longer than 4095 bytes"),
    ] {
        assert!(message(query).contains(part), "{query}: {}", message(query));
    }
}

#[test]
fn a_json_object_means_what_a_query_string_means() {
    let object = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
    let read = |text: &str| Parameters::from_json(&object(text), KNOWN);
    let values = read(r#"{"page":7,"force":true,"status":["a","","b"],"search":"x y","order":null}"#).unwrap();
    assert_eq!((values.int("page"), values.bool("force")), (Some(7), Some(true)));
    assert_eq!(values.many("status"), ["a", "b"]);
    assert_eq!(values.one("search").as_deref(), Some("x y"));
    assert_eq!(values.one("order"), None);
    assert_eq!(read(r#"{"status":"a"}"#).unwrap().many("status"), ["a"]);
    let many = format!(r#"{{"status":[{}"a"]}}"#, r#""a","#.repeat(MAX_PAIRS));
    let long = format!(r#"{{"search":"{}"}}"#, "x".repeat(MAX_VALUE));
    for (text, part) in [
        (r#"{"pages":1}"#, "no parameter `pages`"),
        (r#"{"page":[1]}"#, "`page` must be a string, a number or a boolean"),
        (r#"{"page":1.5}"#, "`page` must be a whole number"),
        (r#"{"page":-1}"#, "not `-1`"),
        (r#"{"status":[["a"]]}"#, "or a list of them"),
        (r#"{"status":{"a":1}}"#, "or a list of them"),
        (r#"{"search":"\u0000"}"#, "`search` contains a NUL"),
        (many.as_str(), "more than 256 parameters"),
        (long.as_str(), "`search` is longer than 4095 bytes"),
    ] {
        match read(text) {
            Err(ApiError::Parameter(message)) => assert!(message.contains(part), "{text}: {message}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn a_query_of_many_pairs_is_refused() {
    assert!(message(&"status=x&".repeat(MAX_PAIRS + 1)).contains("more than 256"));
}
