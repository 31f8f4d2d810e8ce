//! The log formats of the shop's containers.

use fastrand::Rng;
use jiff::Timestamp;

use crate::names;

const PRODUCTS: &[&str] = &[
    "Espresso cups",
    "Brotkasten",
    "Théière en fonte",
    "茶杯",
    "コーヒーミル",
    "Чайник",
    "مطحنة قهوة",
    "Salt mill 🧂",
    "Ölkanne",
    "Cutting board",
];
const PATHS: &[&str] = &[
    "/",
    "/products",
    "/products/espresso-cups",
    "/cart",
    "/checkout",
    "/api/v1/products?page=2",
    "/healthz",
];
const BROWSED: &[&str] = &[
    "/assets/app.9f3c1.js",
    "/search?q=mill",
    "/search?q=%E8%8C%B6",
    "/account/orders",
    "/api/v1/cart",
];

/// The format of a container's log, named for the program that writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum LogFormat {
    /// The combined access log format of nginx.
    Nginx,
    /// Lines of JSON, with this logger's name.
    Json(&'static str),
    /// Text with ANSI colours.
    DevServer,
    /// Spring Boot's format, with stack traces.
    Spring,
    Python,
    Postgres,
    Redis,
    /// Lines of `level=info msg=…`, with this component's name.
    Logfmt(&'static str),
    CoreDns,
    Klog,
    /// An access log in JSON.
    Envoy,
    /// The steps of a batch job.
    Batch,
    Migration,
}

impl LogFormat {
    /// Returns the average number of milliseconds between two entries.
    pub(super) fn mean_interval(self) -> u64 {
        match self {
            LogFormat::Nginx | LogFormat::Envoy => 600,
            LogFormat::Json(_) => 900,
            LogFormat::DevServer | LogFormat::Batch | LogFormat::Migration => 1_500,
            LogFormat::Spring | LogFormat::Python => 2_000,
            LogFormat::Redis | LogFormat::Postgres | LogFormat::CoreDns => 8_000,
            LogFormat::Logfmt(_) | LogFormat::Klog => 6_000,
        }
    }

    /// Returns an entry, which may span several lines, including its last line feed.
    ///
    /// `count` is the number of entries before it.
    pub(super) fn entry(self, rng: &mut Rng, now: Timestamp, count: u64) -> String {
        let clock = now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ");
        match self {
            LogFormat::Nginx => nginx(rng, now),
            LogFormat::Json(logger) => json(rng, &clock.to_string(), logger),
            LogFormat::DevServer => dev_server(rng),
            LogFormat::Spring => spring(rng, now),
            LogFormat::Python => python(rng, now),
            LogFormat::Postgres => postgres(rng, now),
            LogFormat::Redis => redis(rng, now),
            LogFormat::Logfmt(component) => logfmt(rng, &clock.to_string(), component),
            LogFormat::CoreDns => format!(
                "[INFO] 10.244.{}.{}:{} - {} \"A IN {}.shop.svc.cluster.local. udp 62 false 512\" NOERROR qr,aa,rd 122 0.000{}s\n",
                rng.u64(..3),
                rng.u64(2..=250),
                rng.u64(32_768..=60_999),
                rng.u64(..65_536),
                names::pick(rng, &["redis", "payments", "ledger", "catalogue"]),
                rng.u64(10_000..=99_999)
            ),
            LogFormat::Klog => format!(
                "I{}       1 {}\n",
                now.strftime("%m%d %H:%M:%S.%6f"),
                names::pick(
                    rng,
                    &[
                        "proxier.go:828] \"Syncing iptables rules\" ipFamily=\"IPv4\"",
                        "reflector.go:436] \"Caches populated\" type=\"*v1.EndpointSlice\"",
                        "trace.go:236] Trace[1298498081]: \"Scraping nodes\" (total time: 214ms)",
                    ]
                )
            ),
            LogFormat::Envoy => format!(
                "{{\"start_time\":\"{clock}\",\"method\":\"{}\",\"path\":\"{}\",\"response_code\":{},\"duration\":{},\"upstream_cluster\":\"inbound|8080||\",\"request_id\":\"{}\"}}\n",
                names::pick(rng, &["GET", "GET", "POST"]),
                names::pick(rng, PATHS),
                names::pick(rng, &[200, 200, 200, 204, 404, 503]),
                rng.u64(1..=900),
                names::uid(rng)
            ),
            LogFormat::Batch => format!(
                "{clock} processed {} rows ({} skipped)\n",
                (count + 1) * 5_000,
                rng.u64(..12)
            ),
            LogFormat::Migration => format!("{clock} applying migration {:04} ... ok\n", count + 41),
        }
    }

    /// Returns the last entry of a container that ends with this exit code. It is empty for most
    /// formats.
    pub(super) fn exit_message(self, now: Timestamp, code: i32) -> String {
        let clock = now.strftime("%Y-%m-%d %H:%M:%S,%3f");
        match (self, code) {
            (LogFormat::Batch, 0) => format!("{clock} done\n"),
            (LogFormat::Batch, _) => format!(
                "{clock} \x1b[31mERROR\x1b[0m s3://catalogue/full.csv: AccessDenied (status 403)\n{clock} import failed after 3 attempts\n"
            ),
            (LogFormat::Python, 137) => format!("{clock} WARNING model.load: resident memory 187 MiB of 192 MiB\n"),
            (LogFormat::Python, _) => format!(
                "{clock} CRITICAL main: startup failed\nTraceback (most recent call last):\n  File \"/app/main.py\", line 71, in <module>\n    \
                 main()\n  File \"/app/main.py\", line 58, in main\n    model = load(os.environ[\"MODEL_PATH\"])\n  File \"/usr/lib/python3.13/os.py\", \
                 line 717, in __getitem__\n    raise KeyError(key) from None\nKeyError: 'MODEL_PATH'\n"
            ),
            _ => String::new(),
        }
    }
}

fn nginx(rng: &mut Rng, now: Timestamp) -> String {
    let path = if rng.u64(..2) == 0 {
        names::pick(rng, PATHS)
    } else {
        names::pick(rng, BROWSED)
    };
    format!(
        "203.0.113.{} - - [{}] \"{} {path} HTTP/1.1\" {} {} \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n",
        rng.u64(1..=254),
        now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        names::pick(rng, &["GET", "GET", "GET", "POST"]),
        names::pick(rng, &[200, 200, 200, 200, 304, 301, 404, 499, 502]),
        rng.u64(120..=48_000)
    )
}

fn json(rng: &mut Rng, clock: &str, logger: &str) -> String {
    let product = names::pick(rng, PRODUCTS);
    let (level, message) = match rng.u64(..20) {
        0 => ("error", "upstream timed out, will retry"),
        1 | 2 => ("warn", "slow query"),
        3 => ("debug", "cache miss"),
        _ => (
            "info",
            names::pick(
                rng,
                &[
                    "request served",
                    "order placed",
                    "stock reserved",
                    "price computed",
                    "event published",
                ],
            ),
        ),
    };
    format!(
        "{{\"ts\":\"{clock}\",\"level\":\"{level}\",\"logger\":\"{logger}\",\"msg\":\"{message}\",\"product\":\"{product}\",\"order\":{},\"ms\":{},\"trace\":\"{:016x}\"}}\n",
        rng.u64(100_000..=999_999),
        rng.u64(1..=1_200),
        rng.u64(..)
    )
}

fn dev_server(rng: &mut Rng) -> String {
    let path = names::pick(rng, PATHS);
    let ms = rng.u64(3..=240);
    match rng.u64(..12) {
        0 => format!(
            "\x1b[33mwarn\x1b[0m  - image for \x1b[1m{}\x1b[0m has no alt text\n",
            names::pick(rng, PRODUCTS)
        ),
        1 => format!("\x1b[31merror\x1b[0m - fetch failed: \x1b[2mcatalogue:8080\x1b[0m ECONNRESET ({path})\n"),
        _ => format!("\x1b[32m✓\x1b[0m \x1b[36mGET\x1b[0m {path} \x1b[32m200\x1b[0m in \x1b[35m{ms}ms\x1b[0m\n"),
    }
}

fn spring(rng: &mut Rng, now: Timestamp) -> String {
    let clock = now.strftime("%Y-%m-%d %H:%M:%S.%3f");
    let thread = rng.u64(1..=16);
    if rng.u64(..12) == 0 {
        return format!(
            "{clock} ERROR 1 --- [nio-8080-exec-{thread}] e.shop.orders.OrderService : could not reserve stock\n\
             java.util.concurrent.TimeoutException: no answer from redis-0.redis within 500 ms\n\
             \tat example.shop.orders.Stock.reserve(Stock.java:118)\n\
             \tat example.shop.orders.OrderService.place(OrderService.java:64)\n\
             \tat java.base/java.lang.Thread.run(Thread.java:1575)\n\
             Caused reporter: java.net.SocketTimeoutException: Read timed out\n\
             \t... 27 more\n"
        );
    }
    format!(
        "{clock}  INFO 1 --- [nio-8080-exec-{thread}] e.shop.orders.OrderService : {} order={} item=\"{}\"\n",
        names::pick(rng, &["accepted", "paid", "shipped", "indexed"]),
        rng.u64(100_000..=999_999),
        names::pick(rng, PRODUCTS)
    )
}

fn python(rng: &mut Rng, now: Timestamp) -> String {
    format!(
        "{} {} model.score: batch of {} in {} ms\n",
        now.strftime("%Y-%m-%d %H:%M:%S,%3f"),
        names::pick(rng, &["INFO", "INFO", "INFO", "WARNING"]),
        rng.u64(8..=512),
        rng.u64(20..=900)
    )
}

fn postgres(rng: &mut Rng, now: Timestamp) -> String {
    let clock = now.strftime("%Y-%m-%d %H:%M:%S.%3f UTC");
    let pid = rng.u64(40..=900);
    match rng.u64(..4) {
        0 => format!(
            "{clock} [{pid}] ERROR:  duplicate key value violates unique constraint \"entries_pkey\"\n{clock} [{pid}] DETAIL:  Key (id)=({}) already exists.\n",
            rng.u64(100_000..=999_999)
        ),
        1 => format!(
            "{clock} [{pid}] LOG:  duration: {}.412 ms  statement: SELECT sum(amount) FROM entries\n",
            rng.u64(500..=4_000)
        ),
        _ => format!(
            "{clock} [27] LOG:  checkpoint complete: wrote {} buffers (0.4%)\n",
            rng.u64(12..=900)
        ),
    }
}

fn redis(rng: &mut Rng, now: Timestamp) -> String {
    let text = names::pick(
        rng,
        &[
            "100 changes in 300 seconds. Saving...",
            "Background saving terminated with success",
            "DB saved on disk",
        ],
    );
    format!("1:M {} * {text}\n", now.strftime("%d %b %Y %H:%M:%S.%3f"))
}

fn logfmt(rng: &mut Rng, clock: &str, component: &str) -> String {
    let message = names::pick(
        rng,
        &[
            "request completed",
            "reload finished",
            "compaction done",
            "scrape ok",
            "lease renewed",
        ],
    );
    format!(
        "time={clock} level={} component={component} msg=\"{message}\" duration={}ms\n",
        names::pick(rng, &["info", "info", "info", "warn"]),
        rng.u64(1..=4_000)
    )
}
