//! The parts of a pod's JSON that logs and terminals need.

use std::{fmt, marker::PhantomData, sync::Arc};

use serde::{Deserialize, Deserializer, de};

use crate::wire::{self, MAX_PARTS};

/// The annotation that names the container to use if the caller names none.
pub(super) const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// The parts of a live pod that logs and terminals need.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LivePod {
    pub(super) kind: String,
    pub(crate) metadata: Metadata,
    pub(super) spec: Spec,
    pub(super) status: Status,
    /// The cluster's name, for messages.
    #[serde(skip)]
    pub(super) cluster: Arc<str>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) uid: String,
    #[serde(rename = "annotations", deserialize_with = "default_container")]
    pub(super) default_container: Option<String>,
    pub(super) deletion_timestamp: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Spec {
    pub(super) restart_policy: String,
    #[serde(deserialize_with = "leading_items")]
    pub(super) init_containers: Vec<Container>,
    #[serde(deserialize_with = "leading_items")]
    pub(super) containers: Vec<Container>,
    #[serde(deserialize_with = "leading_items")]
    pub(super) ephemeral_containers: Vec<Container>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Container {
    pub(super) name: String,
    /// The container's own policy, which replaces the pod's (KEP-5307). `Always` on an init
    /// container makes it a sidecar.
    pub(super) restart_policy: Option<String>,
    #[serde(deserialize_with = "leading_items")]
    pub(super) restart_policy_rules: Vec<Rule>,
}

/// A rule by which a container is restarted in spite of its policy (`ContainerRestartRule`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Rule {
    pub(super) exit_codes: Option<ExitCodes>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExitCodes {
    pub(super) operator: String,
    #[serde(deserialize_with = "leading_items")]
    pub(super) values: Vec<i32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Status {
    pub(super) phase: String,
    #[serde(deserialize_with = "leading_items")]
    pub(super) init_container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "leading_items")]
    pub(super) container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "leading_items")]
    pub(super) ephemeral_container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContainerStatus {
    pub(super) name: String,
    pub(super) restart_count: u32,
    #[serde(rename = "containerID")]
    pub(super) container_id: String,
    pub(super) state: State,
    pub(super) last_state: State,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct State {
    pub(super) waiting: Option<Waiting>,
    pub(super) running: Option<serde::de::IgnoredAny>,
    pub(super) terminated: Option<Terminated>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Waiting {
    pub(super) reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Terminated {
    pub(super) exit_code: i32,
    pub(super) signal: i32,
    pub(super) reason: String,
    pub(super) started_at: String,
    pub(super) finished_at: String,
    #[serde(rename = "containerID")]
    pub(super) container_id: String,
}

/// Reads a list; `null` as an empty one.
///
/// Items beyond the bound are skipped. They are not an error here, as they are in [`wire`], so that
/// the pod can then be refused with a message that names it and the bound.
fn leading_items<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> std::result::Result<Vec<T>, D::Error> {
    struct Visitor<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> de::Visitor<'de> for Visitor<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_unit<E: de::Error>(self) -> std::result::Result<Vec<T>, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Vec<T>, A::Error> {
            let mut leading = Vec::new();
            while leading.len() <= MAX_PARTS {
                let Some(item) = items.next_element()? else {
                    return Ok(leading);
                };
                leading.push(item);
            }
            while items.next_element::<de::IgnoredAny>()?.is_some() {}
            Ok(leading)
        }
    }

    deserializer.deserialize_any(Visitor(PhantomData))
}

fn default_container<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<String>, D::Error> {
    wire::annotation(deserializer, DEFAULT_CONTAINER)
}
