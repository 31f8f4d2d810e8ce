//! The frames of the WebSockets: JSON texts that are told apart by `type`.

use serde_json::{Map, Value, json};

use super::schema::{count, flag, list, text, time};

/// A frame with its type, the properties it always has, and those it may have.
fn frame<const N: usize, const M: usize>(
    kind: &str,
    description: &str,
    always: [(&str, Value); N],
    maybe: [(&str, Value); M],
) -> Value {
    let required: Vec<&str> = std::iter::once("type")
        .chain(always.iter().map(|(name, _)| *name))
        .collect();
    let own = std::iter::once(("type", json!({"const": kind})));
    let properties: Map<String, Value> = own
        .chain(always)
        .chain(maybe)
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect();
    json!({"type": "object", "description": description, "required": required, "properties": properties})
}

fn error() -> Value {
    frame(
        "error",
        "Something failed. A malformed frame of the client leaves the connection open; else it closes with 4000 + HTTP status.",
        [
            ("code", count("The code, as in an HTTP answer.")),
            ("message", text("A sentence.")),
        ],
        [],
    )
}

fn ping() -> Value {
    frame("ping", "Asks for a `pong`.", [], [])
}

fn pong() -> Value {
    frame("pong", "The answer to a `ping`.", [], [])
}

/// What a client sends on a live query.
pub(super) fn live_client() -> Value {
    let offset = || ("offset", count("Rows before the window; default 0."));
    let limit = || {
        let limit = json!({"type": "integer", "minimum": 1, "maximum": 500, "description": "Rows of the window at most; default 50."});
        ("limit", limit)
    };
    let query = json!({
        "type": "object",
        "description": "The list's parameters without `page` and `pageSize`; lists where they may be repeated.",
    });
    json!([
        frame(
            "subscribe",
            "Starts the live query; replaces the one before.",
            [],
            [
                ("query", query),
                offset(),
                limit(),
                (
                    "facets",
                    list(json!({"type": "string"}), "Fields to count all matches by.")
                ),
            ],
        ),
        frame(
            "window",
            "Moves the window: a snapshot of it follows.",
            [],
            [offset(), limit()]
        ),
        frame("unsubscribe", "Ends the live query; the connection stays.", [], []),
        ping(),
    ])
}

/// What the server sends on a live query.
pub(super) fn live_server() -> Value {
    let pods = |description: &str| list(json!({"$ref": "#/components/schemas/PodOfClusterItem"}), description);
    let clusters = || {
        let clusters = list(
            json!({"$ref": "#/components/schemas/ListedCluster"}),
            "The clusters asked for, and how current each is.",
        );
        ("clusters", clusters)
    };
    let facets = || {
        let counts = "For each field asked for its values and how often each occurs, as in the list.";
        ("facets", json!({"type": "object", "description": counts}))
    };
    let cut = || {
        let what = "Beside `facets`, if any are asked for: those that have more values than are told.";
        ("truncatedFacets", list(json!({"type": "string"}), what))
    };
    let seq = || ("seq", count("The frame's number, from 1 after each `subscribe`."));
    let total = || ("total", count("The number of matches."));
    json!([
        frame(
            "snapshot",
            "The whole window.",
            [
                seq(),
                ("offset", count("Rows before the window.")),
                (
                    "limit",
                    count(
                        "Rows of the window at most: fewer than asked for where their JSON would take more than 4 MiB."
                    ),
                ),
                total(),
                ("items", pods("The rows of the window, in order.")),
                facets(),
                clusters(),
            ],
            [cut()],
        ),
        frame(
            "delta",
            "What changed since the frame before; at most every 100 ms.",
            [
                seq(),
                total(),
                ("upsert", pods("Rows of the window that are new in it or have changed."))
            ],
            [
                (
                    "order",
                    list(
                        json!({"type": "string"}),
                        "The uids of the window's rows in order, if that changed: others have left it."
                    ),
                ),
                facets(),
                cut(),
                clusters(),
            ],
        ),
        pong(),
        error(),
    ])
}

/// What a client sends on a log stream.
pub(super) fn log_client() -> Value {
    let subscribe = frame(
        "subscribe",
        "Starts the stream; replaces the one before.",
        [],
        [
            ("container", text("The container; absent: the default one.")),
            (
                "containers",
                list(
                    json!({"type": "string"}),
                    "Several containers, at most 64, or `[\"*\"]` for all, of which the first 64 are read.",
                ),
            ),
            ("follow", flag("Go on after the end of what is there; default false.")),
            ("previous", flag("The previous run's log.")),
            ("tailLines", count("The last N lines.")),
            ("sinceSeconds", count("The last N seconds.")),
            ("sinceTime", time("From this time on.")),
            (
                "timestamps",
                flag("Each line starts with its time in UTC; default true."),
            ),
            ("batch", flag("Several lines a frame (`logs`); default false.")),
        ],
    );
    json!([
        subscribe,
        frame("unsubscribe", "Ends the stream; the connection stays.", [], []),
        ping(),
    ])
}

/// What the server sends on a log stream.
pub(super) fn log_server() -> Value {
    let partial = |description: &str| ("partial", json!({"const": true, "description": description}));
    let line = frame(
        "log",
        "One line, without its line feed, or a piece of a long one.",
        [(
            "data",
            text("The line, which begins with its time; at most 128 KiB as text and as JSON."),
        )],
        [
            ("container", text("The container; only where several may be read.")),
            partial(
                "The line goes on with the next `log` of this container: the `data` of all its pieces, put together, is the line. A `gap`, `restarted` or `end` \
                 before that means that the rest is missing.",
            ),
        ],
    );
    let lines = frame(
        "logs",
        "Several lines, after a subscribe with `batch`.",
        [
            ("container", text("The container.")),
            ("lines", list(json!({"type": "string"}), "The lines.")),
        ],
        [partial(
            "The frame holds one piece of a long line, which goes on with the first of `lines` in the next `logs` of this container.",
        )],
    );
    let restarted = frame(
        "restarted",
        "A followed container began a new run: the rest of the old one came before, the new one follows.",
        [
            ("container", text("The container.")),
            ("restartCount", count("Its new restart count.")),
        ],
        [],
    );
    let gap = frame(
        "gap",
        "Lines are missing, or may be.",
        [
            ("container", text("The container.")),
            ("reason", text("A sentence.")),
            ("before", text("The time of the last line before, or empty.")),
            ("after", text("The time of the first line after, or empty.")),
        ],
        [],
    );
    let subscribed = frame(
        "subscribed",
        "The stream starts.",
        [(
            "containers",
            list(json!({"type": "string"}), "The containers that are read."),
        )],
        [(
            "leftOut",
            count("How many more `*` stood for: a stream reads at most 64. Absent for none."),
        )],
    );
    let end = frame("end", "Nothing more will come.", [("reason", text("A sentence."))], []);
    json!([subscribed, line, lines, restarted, gap, end, pong(), error()])
}

/// What a client sends on a terminal.
pub(super) fn exec_client() -> Value {
    let size = |what: &str| json!({"type": "integer", "minimum": 1, "maximum": 65535, "description": what});
    json!([
        frame(
            "input",
            "Input for the process. A binary frame is input too.",
            [("data", text("The input."))],
            []
        ),
        frame(
            "resize",
            "The terminal's size.",
            [("cols", size("Columns.")), ("rows", size("Rows."))],
            []
        ),
        frame("eof", "The end of input; output goes on.", [], []),
        ping(),
    ])
}

/// What the server sends on a terminal.
pub(super) fn exec_server() -> Value {
    json!([
        frame(
            "output",
            "Output of the process; never splits a code point.",
            [("data", text("The output."))],
            [(
                "stream",
                json!({"const": "stderr", "description": "There for standard error, without a tty."})
            )],
        ),
        frame(
            "exit",
            "The process has ended; the close follows.",
            [("code", json!({"type": "integer", "description": "Its exit code."}))],
            []
        ),
        pong(),
        error(),
    ])
}
