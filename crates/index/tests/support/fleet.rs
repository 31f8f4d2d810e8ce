//! A fleet of pods as clusters have them.
//!
//! Each pod has two containers and eight labels and belongs to a `Deployment`, a `StatefulSet` or a
//! Job. Every hundredth is unwell.

use podgate_index::{Container, Owner, Pod, Reason, ReasonCode};

const APPS: [&str; 12] = [
    "checkout",
    "catalog",
    "payment-gateway",
    "user-profile",
    "search-indexer",
    "notification",
    "inventory",
    "recommendation",
    "billing",
    "session-cache",
    "image-resizer",
    "audit-log",
];

/// Digits that look like those of a real hash.
fn hash(n: usize) -> u64 {
    (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Returns the pod of a number in a fleet. Another round has the same shape and new names
/// throughout.
pub(crate) fn pod(n: usize, fleet: usize, round: usize) -> Pod {
    let namespaces = (fleet / 500).max(4);
    let (app, of_round) = (APPS[(n / 10) % APPS.len()], format!("{:x}", round + 10));
    let workload = format!("{app}-{}-{of_round}", n / 10);
    let id = hash(n + round * fleet);
    let (kind, owner, name) = match n / 10 % 10 {
        0..7 => {
            let owner = format!("{workload}-{:010x}", hash(n / 10) >> 24);
            let name = format!("{owner}-{:05x}", id >> 44);
            ("ReplicaSet", owner, name)
        }
        7..9 => ("StatefulSet", workload.clone(), format!("{workload}-{}", n % 10)),
        _ => {
            let owner = format!("{workload}-{}", 29_000_000 + n);
            let name = format!("{owner}-{:05x}", id >> 44);
            ("Job", owner, name)
        }
    };
    let (status, phase, reason) = match (n % 100, kind) {
        (57, _) => (
            "CrashLoopBackOff",
            "Running",
            "Container app was killed for using more memory than its limit.",
        ),
        (_, "Job") => ("Completed", "Succeeded", ""),
        _ => ("Running", "Running", ""),
    };
    let node = n * 7 % (fleet / 50).max(3);
    let container = |name: &str, image: String| Container {
        name: name.to_owned(),
        image,
        ready: phase == "Running",
        restart_count: u32::from(n % 100 == 57) * 12,
    };
    Pod {
        uid: format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            id >> 32,
            id >> 16 & 0xffff,
            id & 0xfff,
            n & 0xfff,
            id >> 16
        ),
        namespace: format!("team-{}", n / 10 % namespaces),
        status: status.to_owned(),
        phase: phase.to_owned(),
        qos_class: match kind {
            "StatefulSet" => "Guaranteed",
            "Job" => "BestEffort",
            _ => "Burstable",
        }
        .to_owned(),
        reason: (!reason.is_empty()).then(|| Reason {
            code: ReasonCode::OutOfMemory,
            text: reason.to_owned(),
            args: r#"{"container":"app","restarts":12,"role":"regular"}"#.to_owned(),
        }),
        node: format!("worker-{node:04}.eu-west-1.compute.internal"),
        pod_ip: format!("10.{}.{}.{}", n >> 16 & 255, n >> 8 & 255, n & 255),
        host_ip: format!("192.168.{}.{}", node >> 8 & 255, node & 255),
        restarts: u32::from(n % 100 == 57) * 12,
        last_restart_at: (n % 100 == 57).then_some(1_767_225_600),
        created_at: Some(1_760_000_000 + (id >> 40) as i64 % 7_000_000),
        ready: 2 * u32::from(phase == "Running"),
        ready_total: 2,
        owner: Some(Owner {
            kind: kind.to_owned(),
            name: owner.clone(),
        }),
        containers: vec![
            container("app", format!("registry.example.com/{app}:1.{}.0", n / 10 % 40)),
            container("proxy", "registry.example.com/mesh/proxy:1.29.2".to_owned()),
        ],
        labels: labels(kind, &workload, &owner, &name, n),
        name,
        ..Pod::default()
    }
}

fn labels(kind: &str, workload: &str, owner: &str, name: &str, n: usize) -> Vec<(String, String)> {
    let own = match kind {
        "ReplicaSet" => [
            "pod-template-hash".to_owned(),
            owner.rsplit('-').next().unwrap_or_default().to_owned(),
        ],
        "StatefulSet" => ["statefulset.kubernetes.io/pod-name".to_owned(), name.to_owned()],
        _ => ["batch.kubernetes.io/job-name".to_owned(), owner.to_owned()],
    };
    let common = [
        ("app.kubernetes.io/component", APPS[n / 10 % 5]),
        ("app.kubernetes.io/instance", workload),
        ("app.kubernetes.io/managed-by", "Helm"),
        ("app.kubernetes.io/name", APPS[(n / 10) % APPS.len()]),
        ("app.kubernetes.io/part-of", "shop"),
        ("environment", ["production", "staging"][n / 10 % 2]),
        ("team", APPS[n / 100 % 9]),
    ];
    let [key, value] = own;
    let common = common.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut labels: Vec<_> = common.into_iter().chain([(key, value)]).collect();
    labels.sort_unstable();
    labels
}
