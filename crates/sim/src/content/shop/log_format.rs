//! What the shop's containers write into their logs.

use jiff::Timestamp;

use crate::content::random::Random;

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

/// The way a container writes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum LogFormat {
    /// nginx's combined format.
    Nginx,
    /// Lines of JSON, by this logger.
    Json(&'static str),
    /// A development server with ANSI colours.
    DevServer,
    /// Spring's format, with stack traces.
    Spring,
    Python,
    Postgres,
    Redis,
    /// `level=info msg=…`, by this component.
    Logfmt(&'static str),
    CoreDns,
    Klog,
    /// Envoy's access log.
    Envoy,
    /// The steps of a batch job.
    Batch,
    Migration,
}

impl LogFormat {
    /// Milliseconds between two entries, on average.
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

    /// One entry with its line feed; some span several lines. `count` is how many came before.
    pub(super) fn entry(self, random: &mut Random, now: Timestamp, count: u64) -> String {
        let clock = now.strftime("%Y-%m-%dT%H:%M:%S.%3fZ");
        match self {
            LogFormat::Nginx => nginx(random, now),
            LogFormat::Json(logger) => json(random, &clock.to_string(), logger),
            LogFormat::DevServer => dev_server(random),
            LogFormat::Spring => spring(random, now),
            LogFormat::Python => python(random, now),
            LogFormat::Postgres => postgres(random, now),
            LogFormat::Redis => redis(random, now),
            LogFormat::Logfmt(component) => logfmt(random, &clock.to_string(), component),
            LogFormat::CoreDns => format!(
                "[INFO] 10.244.{}.{}:{} - {} \"A IN {}.shop.svc.cluster.local. udp 62 false 512\" NOERROR qr,aa,rd 122 0.000{}s\n",
                random.below(3),
                random.between(2, 250),
                random.between(32_768, 60_999),
                random.below(65_536),
                random.pick(&["redis", "payments", "ledger", "catalogue"]),
                random.between(10_000, 99_999)
            ),
            LogFormat::Klog => format!(
                "I{}       1 {}\n",
                now.strftime("%m%d %H:%M:%S.%6f"),
                random.pick(&[
                    "proxier.go:828] \"Syncing iptables rules\" ipFamily=\"IPv4\"",
                    "reflector.go:436] \"Caches populated\" type=\"*v1.EndpointSlice\"",
                    "trace.go:236] Trace[1298498081]: \"Scraping nodes\" (total time: 214ms)",
                ])
            ),
            LogFormat::Envoy => format!(
                "{{\"start_time\":\"{clock}\",\"method\":\"{}\",\"path\":\"{}\",\"response_code\":{},\"duration\":{},\"upstream_cluster\":\"inbound|8080||\",\"request_id\":\"{}\"}}\n",
                random.pick(&["GET", "GET", "POST"]),
                random.pick(PATHS),
                random.pick(&[200, 200, 200, 204, 404, 503]),
                random.between(1, 900),
                random.uid()
            ),
            LogFormat::Batch => format!(
                "{clock} processed {} rows ({} skipped)\n",
                (count + 1) * 5_000,
                random.below(12)
            ),
            LogFormat::Migration => format!("{clock} applying migration {:04} ... ok\n", count + 41),
        }
    }

    /// What comes before the container ends with this code.
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

fn nginx(random: &mut Random, now: Timestamp) -> String {
    let path = if random.once_in(2) {
        random.pick(PATHS)
    } else {
        random.pick(BROWSED)
    };
    format!(
        "203.0.113.{} - - [{}] \"{} {path} HTTP/1.1\" {} {} \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n",
        random.between(1, 254),
        now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        random.pick(&["GET", "GET", "GET", "POST"]),
        random.pick(&[200, 200, 200, 200, 304, 301, 404, 499, 502]),
        random.between(120, 48_000)
    )
}

fn json(random: &mut Random, clock: &str, logger: &str) -> String {
    let product = random.pick(PRODUCTS);
    let (level, message) = match random.below(20) {
        0 => ("error", "upstream timed out, will retry"),
        1 | 2 => ("warn", "slow query"),
        3 => ("debug", "cache miss"),
        _ => (
            "info",
            random.pick(&[
                "request served",
                "order placed",
                "stock reserved",
                "price computed",
                "event published",
            ]),
        ),
    };
    format!(
        "{{\"ts\":\"{clock}\",\"level\":\"{level}\",\"logger\":\"{logger}\",\"msg\":\"{message}\",\"product\":\"{product}\",\"order\":{},\"ms\":{},\"trace\":\"{:016x}\"}}\n",
        random.between(100_000, 999_999),
        random.between(1, 1_200),
        random.next()
    )
}

fn dev_server(random: &mut Random) -> String {
    let path = random.pick(PATHS);
    let ms = random.between(3, 240);
    match random.below(12) {
        0 => format!(
            "\x1b[33mwarn\x1b[0m  - image for \x1b[1m{}\x1b[0m has no alt text\n",
            random.pick(PRODUCTS)
        ),
        1 => format!("\x1b[31merror\x1b[0m - fetch failed: \x1b[2mcatalogue:8080\x1b[0m ECONNRESET ({path})\n"),
        _ => format!("\x1b[32m✓\x1b[0m \x1b[36mGET\x1b[0m {path} \x1b[32m200\x1b[0m in \x1b[35m{ms}ms\x1b[0m\n"),
    }
}

fn spring(random: &mut Random, now: Timestamp) -> String {
    let clock = now.strftime("%Y-%m-%d %H:%M:%S.%3f");
    let thread = random.between(1, 16);
    if random.once_in(12) {
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
        random.pick(&["accepted", "paid", "shipped", "indexed"]),
        random.between(100_000, 999_999),
        random.pick(PRODUCTS)
    )
}

fn python(random: &mut Random, now: Timestamp) -> String {
    format!(
        "{} {} model.score: batch of {} in {} ms\n",
        now.strftime("%Y-%m-%d %H:%M:%S,%3f"),
        random.pick(&["INFO", "INFO", "INFO", "WARNING"]),
        random.between(8, 512),
        random.between(20, 900)
    )
}

fn postgres(random: &mut Random, now: Timestamp) -> String {
    let clock = now.strftime("%Y-%m-%d %H:%M:%S.%3f UTC");
    let pid = random.between(40, 900);
    match random.below(4) {
        0 => format!(
            "{clock} [{pid}] ERROR:  duplicate key value violates unique constraint \"entries_pkey\"\n{clock} [{pid}] DETAIL:  Key (id)=({}) already exists.\n",
            random.between(100_000, 999_999)
        ),
        1 => format!(
            "{clock} [{pid}] LOG:  duration: {}.412 ms  statement: SELECT sum(amount) FROM entries\n",
            random.between(500, 4_000)
        ),
        _ => format!(
            "{clock} [27] LOG:  checkpoint complete: wrote {} buffers (0.4%)\n",
            random.between(12, 900)
        ),
    }
}

fn redis(random: &mut Random, now: Timestamp) -> String {
    let text = random.pick(&[
        "100 changes in 300 seconds. Saving...",
        "Background saving terminated with success",
        "DB saved on disk",
    ]);
    format!("1:M {} * {text}\n", now.strftime("%d %b %Y %H:%M:%S.%3f"))
}

fn logfmt(random: &mut Random, clock: &str, component: &str) -> String {
    let message = random.pick(&[
        "request completed",
        "reload finished",
        "compaction done",
        "scrape ok",
        "lease renewed",
    ]);
    format!(
        "time={clock} level={} component={component} msg=\"{message}\" duration={}ms\n",
        random.pick(&["info", "info", "info", "warn"]),
        random.between(1, 4_000)
    )
}
