//! The selectors that `labels.Parse` of apimachinery accepts and refuses, and the labels that they
//! match.

use podgate_index::Selector;

fn labels(text: &str) -> Vec<(String, String)> {
    let pairs = text.split_whitespace().filter_map(|pair| pair.split_once('='));
    let mut labels: Vec<_> = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    labels.sort();
    labels
}

#[test]
fn matches_as_kubernetes_does() {
    let cases = [
        // selector, labels that match, labels that do not
        ("", vec!["", "x=y"], vec![]),
        (" \t\r\n", vec!["", "x=y"], vec![]),
        ("x=y", vec!["x=y", "a=b x=y"], vec!["", "x=z", "x=", "y=x"]),
        ("x==y", vec!["x=y"], vec!["", "x=z"]),
        ("x = y", vec!["x=y"], vec!["x=z"]),
        ("x=", vec!["x="], vec!["", "x=y"]),
        ("x= ,z= ", vec!["x= z="], vec!["x=", "z=", "x=y z="]),
        ("x!=y", vec!["", "x=z", "x="], vec!["x=y"]),
        ("x!=", vec!["", "x=z"], vec!["x="]),
        ("x!=y,z!=w", vec!["x=z z=a", ""], vec!["x=z z=w"]),
        ("x", vec!["x=y", "x="], vec!["", "y=x"]),
        ("!x", vec!["", "y=x"], vec!["x=y", "x="]),
        ("! x", vec![""], vec!["x="]),
        ("x in (a,b)", vec!["x=a", "x=b"], vec!["", "x=c", "x="]),
        ("x in ( a , b )", vec!["x=a", "x=b"], vec!["", "x=c"]),
        ("x in(a)", vec!["x=a"], vec!["x=b"]),
        ("x in ()", vec!["x="], vec!["", "x=a"]),
        ("x in (,)", vec!["x="], vec!["", "x=a"]),
        ("x in (a,,b)", vec!["x=", "x=a", "x=b"], vec!["", "x=c"]),
        ("x in (a,)", vec!["x=", "x=a"], vec!["", "x=b"]),
        ("x notin (a,b)", vec!["", "x=c", "x="], vec!["x=a", "x=b"]),
        ("x notin ()", vec!["", "x=a"], vec!["x="]),
        (
            "x>1",
            vec!["x=2", "x=007"],
            vec!["", "x=1", "x=0", "x=a", "x=99999999999999999999"],
        ),
        ("x<10,x>7", vec!["x=8"], vec!["x=7", "x=10", "x=80"]),
        ("notin=in", vec!["notin=in"], vec!["", "notin=x"]),
        ("in in (in,notin)", vec!["in=in", "in=notin"], vec!["in=x"]),
        ("in", vec!["in=x"], vec![""]),
        ("!notin,in notin (notin)", vec!["", "in=x"], vec!["notin=", "in=notin"]),
        (
            "app.kubernetes.io/name=web_1.a-B",
            vec!["app.kubernetes.io/name=web_1.a-B"],
            vec!["name=web_1.a-B"],
        ),
        ("x=a,x=b", vec![], vec!["x=a", "x=b"]),
    ];
    for (text, good, bad) in cases {
        let selector = Selector::parse(text).unwrap_or_else(|e| panic!("{text:?}: {e}"));
        for set in good {
            assert!(selector.matches(&labels(set), true), "{text:?} should match {set:?}");
        }
        for set in bad {
            assert!(
                !selector.matches(&labels(set), true),
                "{text:?} should not match {set:?}"
            );
        }
    }
}

#[test]
fn of_a_part_of_the_labels_only_what_is_there_counts() {
    let part = labels("app=web rank=2");
    for (text, expected) in [
        ("app=web", true),
        ("app in (web,db),rank>1", true),
        ("app!=db", true),
        ("app!=web", false),
        ("tier=front", false),
        ("tier", false),
        ("!tier", false),
        ("tier!=front", false),
        ("tier notin (front)", false),
        ("app=web,!tier", false),
        ("", true),
    ] {
        let selector = Selector::parse(text).unwrap();
        assert_eq!(selector.matches(&part, false), expected, "{text:?}");
    }
}

#[test]
fn refuses_what_kubernetes_refuses() {
    let long = "a".repeat(64);
    let long_prefix = format!("{}/a", "a".repeat(254));
    let cases = [
        ",",
        "a,",
        ",a",
        "a,,b",
        "a b",
        "=",
        "=a",
        "!",
        "!!a",
        "!a=b",
        "a==b==c",
        "a=b=c",
        "a===b",
        "a=!b",
        "x=a||y=b",
        "a in",
        "a in b",
        "a in (",
        "a in (b",
        "a in (b c)",
        "a in (b,c",
        "a in ((b))",
        "a in (b)c",
        "a notin",
        "a notin (=)",
        "(a)",
        "a)",
        "a>",
        "a>b",
        "a>=1",
        "a<1.5",
        "a>99999999999999999999",
        "a>-1",
        "a exists",
        "a IN (b)",
        "a=b;c=d",
        "a/b/c",
        "/a",
        "a/",
        "A_b/c",
        "a..b/c",
        "-a",
        "a-",
        "a=-b",
        "a=b.",
        "a=b c",
        "a=ä",
        "ä",
        "a=b/c",
        "a\u{a0}=b",
        "a=\0",
        &long,
        &long_prefix,
    ];
    for text in cases {
        assert!(Selector::parse(text).is_err(), "{text:?} should be refused");
    }
    assert!(Selector::parse(&format!("a={long}")).is_err());
    assert!(Selector::parse(&format!("a in ({long})")).is_err());
    assert!(Selector::parse(&format!("{}={}", "k".repeat(63), "v".repeat(63))).is_ok());
}

#[test]
fn says_which_part_is_wrong() {
    let message = |text: &str| Selector::parse(text).unwrap_err().to_string();
    assert_eq!(message("a in (b"), "expected `,` or `)`, found the end");
    assert_eq!(message("a=b=c"), "expected `,` or the end, found `=`");
    assert!(message("web,-bad=1").contains("`-bad`"));
    assert!(message("app=not ok?").contains("`ok?`"));
    assert!(message("a>b").contains("`b`"));
}
