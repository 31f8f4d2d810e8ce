//! The workloads of the shop's clusters.

use super::log_format::LogFormat;

/// The content of one of the shop's clusters.
pub(super) struct Plan {
    pub(super) nodes: &'static [&'static str],
    pub(super) workloads: Vec<Workload>,
}

/// A set of equal pods, and the kind of their owner.
#[derive(Clone, Debug)]
pub(super) struct Workload {
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    pub(super) owner: Owner,
    pub(super) replicas: usize,
    /// The version of the first container's image, which a roll-out raises.
    pub(super) version: u32,
    pub(super) init: &'static [ContainerTemplate],
    pub(super) containers: &'static [ContainerTemplate],
    pub(super) scenario: Scenario,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Owner {
    /// A Deployment with its `ReplicaSet`. `true` if it is rolled out from time to time.
    Deployment(bool),
    StatefulSet,
    /// A `DaemonSet`, with one pod on every node.
    DaemonSet,
    Job,
    /// A `CronJob` that starts a Job at an interval in seconds. The last three Jobs are kept.
    CronJob(u64),
}

/// The events in the life of a workload's pods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scenario {
    Runs,
    /// The first container crashes repeatedly, after this many seconds.
    Crashes {
        code: i32,
        reason: &'static str,
        after: u64,
    },
    /// The first container ends after this many seconds, for good.
    Ends {
        code: i32,
        after: u64,
    },
    /// The image can't be pulled.
    NoImage,
    /// The pods do not fit on any node, for this reason.
    Unschedulable(&'static str),
    /// The readiness probe of the first container fails.
    NotReady,
}

/// The part of a container that is the same in all pods of a workload.
#[derive(Debug)]
pub(super) struct ContainerTemplate {
    pub(super) name: &'static str,
    /// The image without its tag.
    pub(super) image: &'static str,
    /// The tag; in a first container `{}` stands for the workload's version.
    pub(super) tag: &'static str,
    pub(super) command: &'static [&'static str],
    pub(super) port: u16,
    pub(super) memory: &'static str,
    pub(super) log_format: LogFormat,
    /// Whether an init container keeps running with the others (`restartPolicy: Always`).
    pub(super) sidecar: bool,
}

const fn container(
    name: &'static str,
    image: &'static str,
    tag: &'static str,
    log_format: LogFormat,
) -> ContainerTemplate {
    ContainerTemplate {
        name,
        image,
        tag,
        command: &[],
        port: 8080,
        memory: "256Mi",
        log_format,
        sidecar: false,
    }
}

const MESH: ContainerTemplate = ContainerTemplate {
    port: 15090,
    memory: "128Mi",
    sidecar: true,
    ..container(
        "mesh-proxy",
        "registry.shop.example/mesh/envoy",
        "v1.33.2",
        LogFormat::Envoy,
    )
};

const MIGRATE: ContainerTemplate = ContainerTemplate {
    command: &["/app/migrate", "up"],
    ..container(
        "migrate",
        "registry.shop.example/shop/migrate",
        "4.2.0",
        LogFormat::Migration,
    )
};

const STOREFRONT: &[ContainerTemplate] = &[
    ContainerTemplate {
        port: 3000,
        ..container(
            "web",
            "registry.shop.example/shop/storefront",
            "2.14.{}",
            LogFormat::DevServer,
        )
    },
    ContainerTemplate {
        port: 8443,
        memory: "64Mi",
        ..container("nginx", "nginx", "1.29-alpine", LogFormat::Nginx)
    },
];

const CHECKOUT: &[ContainerTemplate] = &[container(
    "checkout",
    "registry.shop.example/shop/checkout",
    "1.8.{}",
    LogFormat::Json("checkout"),
)];
const CATALOGUE: &[ContainerTemplate] = &[container(
    "catalogue",
    "registry.shop.example/shop/catalogue",
    "3.0.{}",
    LogFormat::Json("catalogue"),
)];
const CART: &[ContainerTemplate] = &[container(
    "cart",
    "registry.shop.example/shop/cart",
    "1.3.{}",
    LogFormat::Json("cart"),
)];
const RECOMMENDATIONS: &[ContainerTemplate] = &[ContainerTemplate {
    memory: "192Mi",
    ..container(
        "recommendations",
        "registry.shop.example/shop/recommendations",
        "0.9.{}",
        LogFormat::Python,
    )
}];
const SEARCH: &[ContainerTemplate] = &[container(
    "search",
    "registry.shop.example/shop/search",
    "5.1.{}",
    LogFormat::Spring,
)];
const ORDERS: &[ContainerTemplate] = &[
    container(
        "orders",
        "registry.shop.example/shop/orders",
        "2.2.{}",
        LogFormat::Spring,
    ),
    ContainerTemplate {
        memory: "64Mi",
        ..container(
            "outbox",
            "registry.shop.example/shop/outbox",
            "0.4.1",
            LogFormat::Json("outbox"),
        )
    },
];
const CLEANUP: &[ContainerTemplate] = &[ContainerTemplate {
    command: &["/app/cleanup", "--older-than=30d"],
    ..container(
        "cleanup",
        "registry.shop.example/shop/cleanup",
        "1.0.{}",
        LogFormat::Batch,
    )
}];
const IMPORT: &[ContainerTemplate] = &[ContainerTemplate {
    command: &["/app/import", "--source=s3://catalogue/full.csv"],
    ..container(
        "import",
        "registry.shop.example/shop/import",
        "0.7.{}",
        LogFormat::Batch,
    )
}];
const PAYMENTS: &[ContainerTemplate] = &[container(
    "payments",
    "registry.shop.example/payments/api",
    "6.3.{}",
    LogFormat::Json("payments"),
)];
const FRAUD: &[ContainerTemplate] = &[ContainerTemplate {
    memory: "4Gi",
    ..container(
        "fraud",
        "registry.shop.example/payments/fraud",
        "0.3.{}",
        LogFormat::Python,
    )
}];
const VAULT: &[ContainerTemplate] = &[ContainerTemplate {
    command: &["/vault", "serve"],
    ..container(
        "vault",
        "gcr.io/distroless/vault",
        "1.20.{}",
        LogFormat::Logfmt("vault"),
    )
}];
const POSTGRES: &[ContainerTemplate] = &[
    ContainerTemplate {
        port: 5432,
        memory: "2Gi",
        ..container("postgres", "postgres", "17.{}", LogFormat::Postgres)
    },
    ContainerTemplate {
        port: 9187,
        memory: "32Mi",
        ..container(
            "exporter",
            "prometheuscommunity/postgres-exporter",
            "v0.17.1",
            LogFormat::Logfmt("exporter"),
        )
    },
];
const REDIS: &[ContainerTemplate] = &[ContainerTemplate {
    port: 6379,
    memory: "512Mi",
    ..container("redis", "redis", "8.0.{}", LogFormat::Redis)
}];
const PROMETHEUS: &[ContainerTemplate] = &[
    ContainerTemplate {
        port: 9090,
        memory: "2Gi",
        ..container("prometheus", "prom/prometheus", "v3.5.{}", LogFormat::Logfmt("tsdb"))
    },
    ContainerTemplate {
        memory: "32Mi",
        ..container(
            "reloader",
            "prometheus-operator/config-reloader",
            "v0.84.0",
            LogFormat::Logfmt("reloader"),
        )
    },
];
const GRAFANA: &[ContainerTemplate] = &[ContainerTemplate {
    port: 3000,
    ..container("grafana", "grafana/grafana", "12.1.{}", LogFormat::Logfmt("http"))
}];
const NODE_EXPORTER: &[ContainerTemplate] = &[ContainerTemplate {
    port: 9100,
    memory: "32Mi",
    ..container(
        "node-exporter",
        "prom/node-exporter",
        "v1.9.{}",
        LogFormat::Logfmt("collector"),
    )
}];
const COREDNS: &[ContainerTemplate] = &[ContainerTemplate {
    port: 53,
    memory: "70Mi",
    ..container(
        "coredns",
        "registry.k8s.io/coredns/coredns",
        "v1.12.{}",
        LogFormat::CoreDns,
    )
}];
const KUBE_PROXY: &[ContainerTemplate] = &[ContainerTemplate {
    port: 10249,
    ..container("kube-proxy", "registry.k8s.io/kube-proxy", "v1.36.{}", LogFormat::Klog)
}];
const METRICS: &[ContainerTemplate] = &[ContainerTemplate {
    port: 10250,
    ..container(
        "metrics-server",
        "registry.k8s.io/metrics-server/metrics-server",
        "v0.8.{}",
        LogFormat::Klog,
    )
}];

const ONLY_GPU: &str = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu. no new claims to deallocate, preemption: \
                        0/3 nodes are available: 3 No preemption victims found for incoming pod.";
const NO_MEMORY: &str = "0/2 nodes are available: 2 Insufficient memory. no new claims to deallocate, preemption: 0/2 nodes \
                         are available: 2 No preemption victims found for incoming pod.";

/// Makes a workload without init containers and without problems.
fn plain(
    namespace: &'static str,
    name: &'static str,
    owner: Owner,
    replicas: usize,
    containers: &'static [ContainerTemplate],
) -> Workload {
    Workload {
        namespace,
        name,
        owner,
        replicas,
        version: 4,
        init: &[],
        containers,
        scenario: Scenario::Runs,
    }
}

/// Returns the content of a cluster: `staging`, or for any other name `production`.
pub(super) fn plan(cluster: &str) -> Plan {
    use Owner::{CronJob, DaemonSet, Deployment, Job, StatefulSet};
    let staging = cluster == "staging";
    let few = |production: usize| if staging { 1 } else { production };
    let mut workloads = vec![
        Workload {
            init: &[MESH],
            ..plain("shop", "storefront", Deployment(true), few(3), STOREFRONT)
        },
        Workload {
            init: &[MESH, MIGRATE],
            ..plain("shop", "checkout", Deployment(true), few(3), CHECKOUT)
        },
        plain("shop", "catalogue", Deployment(true), few(2), CATALOGUE),
        plain("shop", "cart", Deployment(true), few(2), CART),
        Workload {
            init: &[MIGRATE],
            ..plain("shop", "orders", Deployment(false), few(2), ORDERS)
        },
        plain("shop", "redis", StatefulSet, few(3), REDIS),
        plain("shop", "cart-cleanup", CronJob(90), 1, CLEANUP),
        Workload {
            init: &[MESH],
            ..plain("payments", "payments", Deployment(true), few(3), PAYMENTS)
        },
        plain("payments", "vault", StatefulSet, 1, VAULT),
        plain("payments", "ledger", StatefulSet, few(2), POSTGRES),
        plain("monitoring", "prometheus", StatefulSet, 1, PROMETHEUS),
        plain("monitoring", "grafana", Deployment(false), 1, GRAFANA),
        plain("monitoring", "node-exporter", DaemonSet, 1, NODE_EXPORTER),
        plain("kube-system", "coredns", Deployment(false), few(2), COREDNS),
        plain("kube-system", "kube-proxy", DaemonSet, 1, KUBE_PROXY),
        plain("kube-system", "metrics-server", Deployment(false), 1, METRICS),
    ];
    let scenarios = if staging {
        vec![
            ("shop", "search", Deployment(false), SEARCH, Scenario::NoImage),
            (
                "shop",
                "recommendations",
                Deployment(false),
                RECOMMENDATIONS,
                Scenario::Crashes {
                    code: 1,
                    reason: "Error",
                    after: 6,
                },
            ),
            (
                "shop",
                "catalogue-import",
                Job,
                IMPORT,
                Scenario::Ends { code: 1, after: 8 },
            ),
            (
                "payments",
                "fraud",
                Deployment(false),
                FRAUD,
                Scenario::Unschedulable(NO_MEMORY),
            ),
        ]
    } else {
        vec![
            ("shop", "search", Deployment(false), SEARCH, Scenario::NotReady),
            (
                "shop",
                "recommendations",
                Deployment(false),
                RECOMMENDATIONS,
                Scenario::Crashes {
                    code: 137,
                    reason: "OOMKilled",
                    after: 25,
                },
            ),
            (
                "shop",
                "catalogue-import",
                Job,
                IMPORT,
                Scenario::Ends { code: 0, after: 20 },
            ),
            (
                "payments",
                "fraud",
                Deployment(false),
                FRAUD,
                Scenario::Unschedulable(ONLY_GPU),
            ),
        ]
    };
    workloads.extend(
        scenarios
            .into_iter()
            .map(|(namespace, name, owner, containers, scenario)| Workload {
                scenario,
                ..plain(namespace, name, owner, 1, containers)
            }),
    );
    for workload in &mut workloads {
        if let (Owner::CronJob(_), Scenario::Runs) = (workload.owner, workload.scenario) {
            workload.scenario = Scenario::Ends { code: 0, after: 12 };
        }
    }
    let nodes: &[&str] = if staging {
        &["staging-worker-1", "staging-worker-2"]
    } else {
        &["prod-worker-1", "prod-worker-2", "prod-worker-3"]
    };
    Plan { nodes, workloads }
}
