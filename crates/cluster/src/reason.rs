//! The reason why a pod is not well: a code with arguments, and the same in one plain sentence.
//!
//! The reason is derived from the pod's statuses alone, by fixed rules and without a clock, so the
//! same pod always has the same reason. A pod has none while it is in transition (being created,
//! pulled, started for the first time or deleted) or after it has done its work. The first rule
//! that applies decides:
//!
//! 1. A pod that is being deleted has a reason only if its node is lost.
//! 2. A completed pod has no reason. A pod that has failed as a whole has the cause: it was
//!    evicted, exceeded its deadline, was refused by its node, or was disrupted.
//! 3. A ready pod has no reason.
//! 4. The worst container decides, in the order of [`container::Rank`]: out of memory; can't be
//!    started; image not available; crashes; waits for anything else; has not started up after a
//!    restart.
//! 5. An unscheduled pod has the scheduler's reason, or none if scheduling gates hold it back.
//! 6. A pod none of whose containers has started has the cause in its Warning event, if one is
//!    known.
//! 7. Otherwise: a container that runs but is not ready, a readiness gate, or a silent node.

use podgate_index::Reason;
use serde_json::{Map, Value};

use crate::{
    text::{MAX_TEXT, truncate},
    wire::{self, Condition, Pod},
};

mod cause;
mod container;
mod image;
mod text;

use cause::{Argument, Cause, LostNode, Role};
use container::{Container, Finding, Rank};

/// A Warning event of the pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Warning {
    /// The reason in one word, such as `FailedMount`.
    pub(crate) reason: String,
    /// In words.
    pub(crate) message: String,
    /// The container that the event is about, or empty.
    pub(crate) container: String,
}

impl Warning {
    /// Returns whether a Warning with this reason says why a pod does not come up. Other Warnings
    /// repeat a status or report something harmless.
    pub(crate) fn explains(reason: &str) -> bool {
        !matches!(
            reason,
            "BackOff"
                | "DNSConfigForming"
                | "Failed"
                | "FailedKillPod"
                | "FailedPreStopHook"
                | "FailedToRetrieveImagePullSecret"
                | "MissingClusterDNS"
                | "ProbeWarning"
        )
    }
}

/// Returns why a pod is not well. `None` for a pod that is well, in transition, or done.
///
/// The text is one sentence of at most 200 characters and [`MAX_TEXT`] bytes on one line, without a
/// full stop; the texts among the arguments are as long at most. None of them contains the pod's
/// own name, UID or IP, or a time, so pods that fail alike have the same reason.
pub(crate) fn reason(pod: &Pod, warning: Option<&Warning>) -> Option<Reason> {
    let cause = explain(pod, warning.filter(|_| heeds_warnings(pod)))?;
    let bounded = |text: &str| truncate(text::scrub(text, pod), MAX_TEXT);
    let arguments = cause.arguments().into_iter().map(|(name, argument)| {
        let value = match argument {
            Argument::Text(text) => bounded(&text).into(),
            Argument::Number(number) => number.into(),
        };
        (name.to_owned(), value)
    });
    Some(Reason {
        code: cause.code(),
        args: Value::Object(arguments.collect::<Map<_, _>>()).to_string(),
        text: bounded(&cause.to_string()),
    })
}

/// Returns whether a Warning may explain a pod, that is, whether the pod should run and is not
/// ready.
pub(crate) fn heeds_warnings(pod: &Pod) -> bool {
    let Pod { metadata, status, .. } = pod;
    metadata.deletion_timestamp.is_none()
        && !is_true(status, "Ready")
        && !matches!(status.phase.as_str(), "Succeeded" | "Failed")
}

fn explain(pod: &Pod, warning: Option<&Warning>) -> Option<Cause> {
    let status = &pod.status;
    if pod.metadata.deletion_timestamp.is_some() {
        return deleting(status);
    }
    if status.phase == "Succeeded" {
        return None;
    }
    if status.reason == "NodeLost" {
        return Some(Cause::NodeLost(LostNode::Lost));
    }
    if status.phase == "Failed" {
        return Some(failed(pod));
    }
    if is_true(status, "Ready") {
        return None;
    }
    let (specific, running) = match worst(pod) {
        Some(finding) if finding.rank < Rank::Startup => (Some(finding.cause), None),
        other => (None, other),
    };
    if specific.is_some() {
        return specific;
    }
    if let Some(scheduled) = condition(status, "PodScheduled").filter(|condition| condition.status == "False") {
        return unscheduled(scheduled, warning);
    }
    if !status.reason.is_empty() {
        return Some(pod_failed(&status.reason, &status.message));
    }
    if status.phase == "Unknown" {
        return Some(Cause::NodeLost(LostNode::Unknown));
    }
    match running {
        Some(finding) => with_probe(finding, warning),
        None => coming_up(pod, warning).or_else(|| not_ready(pod)),
    }
}

/// Returns the reason of a pod that is being deleted. Such a pod ends by itself unless its node is
/// gone; Kubernetes reports a node that may be gone as a `NoExecute` taint.
fn deleting(status: &wire::Status) -> Option<Cause> {
    let disrupted = condition(status, "DisruptionTarget").filter(|condition| condition.status == "True");
    if status.reason == "NodeLost" {
        return Some(Cause::NodeLost(LostNode::LostWhileDeleting));
    }
    disrupted
        .filter(|condition| condition.reason == "DeletionByTaintManager")
        .map(|_| Cause::NodeLost(LostNode::Tainted))
}

/// Returns the reason of a pod that has failed for good.
fn failed(pod: &Pod) -> Cause {
    let status = &pod.status;
    if !status.reason.is_empty() {
        let message = match status.reason.as_str() {
            // The later sentences are measurements of that moment.
            "Evicted" => text::first_sentence(&status.message),
            _ => status.message.clone(),
        };
        return pod_failed(&status.reason, &message);
    }
    // A disruption ends the containers too, so it explains more than their codes.
    if let Some(disrupted) = condition(status, "DisruptionTarget").filter(|condition| condition.status == "True") {
        return pod_failed(&disrupted.reason, &disrupted.message);
    }
    match worst(pod).filter(|finding| finding.rank < Rank::Startup) {
        Some(finding) => finding.cause,
        None if status.message.is_empty() => pod_failed("", ""),
        None => pod_failed("Failed", &status.message),
    }
}

fn pod_failed(reason: &str, message: &str) -> Cause {
    let (reason, message) = (reason.to_owned(), said(message));
    Cause::PodFailed { reason, message }
}

/// Returns what a message about a pod says.
fn said(message: &str) -> String {
    let cause = text::cause(message);
    cause.strip_prefix("Pod was rejected: ").unwrap_or(&cause).to_owned()
}

/// Returns the worst finding among the containers. Of equal ones, it is the first; init containers
/// come before the others.
fn worst(pod: &Pod) -> Option<Finding> {
    let initialising = initialising(pod);
    let inits = pod.status.init_container_statuses.iter();
    let inits = inits.take(initialising.map_or(usize::MAX, |at| at + 1));
    // The condition outlives the init containers' statuses, as in `print_pod`.
    let regular = pod.status.container_statuses.iter();
    let regular = regular.filter(|_| initialising.is_none() || is_true(&pod.status, "Initialized"));
    let findings = inits
        .map(|status| (true, status))
        .chain(regular.map(|status| (false, status)));
    findings
        .filter_map(|(init, status)| container(pod, init, status).finding())
        .min_by_key(|finding| finding.rank)
}

/// Returns the index of the current init container; `None` when initialisation is over.
fn initialising(pod: &Pod) -> Option<usize> {
    pod.status.init_container_statuses.iter().position(|status| {
        let over = status
            .state
            .terminated
            .as_ref()
            .is_some_and(|ended| ended.exit_code == 0);
        let runs_on = status.started && is_sidecar(pod, &status.name);
        !(over || runs_on)
    })
}

fn container<'a>(pod: &'a Pod, init: bool, status: &'a wire::ContainerStatus) -> Container<'a> {
    let (specs, role) = match init {
        false => (&pod.spec.containers, Role::Regular),
        true if is_sidecar(pod, &status.name) => (&pod.spec.init_containers, Role::Sidecar),
        true => (&pod.spec.init_containers, Role::Init),
    };
    let spec = specs.iter().find(|spec| spec.name == status.name);
    Container {
        pod,
        role,
        status,
        image: spec.map_or("", |spec| &spec.image),
        alone: specs.len() < 2,
    }
}

fn is_sidecar(pod: &Pod, name: &str) -> bool {
    let mut specs = pod.spec.init_containers.iter();
    specs.any(|spec| spec.name == name && spec.restart_policy == "Always")
}

/// Returns the reason of a pod without a node. A pod that scheduling gates hold back has none,
/// because it waits for whoever set them.
fn unscheduled(scheduled: &Condition, warning: Option<&Warning>) -> Option<Cause> {
    if scheduled.reason == "SchedulingGated" {
        return None;
    }
    let message = match warning.filter(|_| scheduled.message.is_empty()) {
        Some(warning) => &warning.message,
        None => &scheduled.message,
    };
    let line = text::one_line(message);
    // Cut off what preemption could achieve, which follows the reason why no node fits.
    let why = [" preemption: ", " no new claims to deallocate"]
        .iter()
        .filter_map(|rest| line.find(rest))
        .min()
        .map_or(line.as_str(), |end| &line[..end]);
    let message = why.trim_end_matches(['.', ',', ' ']).to_owned();
    Some(Cause::Unscheduled { message })
}

/// Returns the message of a Warning about a pod none of whose containers has ever started, because
/// it has no node yet or its node can't prepare it.
fn coming_up(pod: &Pod, warning: Option<&Warning>) -> Option<Cause> {
    let warning = warning?;
    let status = &pod.status;
    let mut containers = status.init_container_statuses.iter().chain(&status.container_statuses);
    let begun = containers.any(|container| {
        let state = &container.state;
        state.running.is_some() || state.terminated.is_some() || container.restart_count > 0
    });
    let fits = match warning.reason.as_str() {
        "FailedScheduling" => pod.spec.node_name.is_empty(),
        "Unhealthy" | "NodeNotReady" => false,
        _ => true,
    };
    (!begun && fits).then(|| Cause::Warning {
        reason: warning.reason.clone(),
        message: said(&warning.message),
    })
}

/// Adds the probe's result to the finding of a container that runs but is not ready.
fn with_probe(finding: Finding, warning: Option<&Warning>) -> Option<Cause> {
    let Finding { rank, mut cause } = finding;
    let found = match &mut cause {
        Cause::NotReady { subject, probe, .. } => Some(("Readiness", subject, probe)),
        Cause::NotStarted { subject, probe, .. } => Some(("Startup", subject, probe)),
        _ => None,
    };
    if let Some((kind, subject, result)) = found
        && let Some(said) = warning.and_then(|warning| probe(warning, kind, &subject.container))
    {
        *result = said;
        return Some(cause);
    }
    (rank != Rank::Starting).then_some(cause)
}

/// Returns the result of a container's probe, if the Warning reports one.
fn probe(warning: &Warning, kind: &str, container: &str) -> Option<String> {
    if warning.reason != "Unhealthy" || !(warning.container.is_empty() || warning.container == container) {
        return None;
    }
    let rest = warning.message.strip_prefix(kind)?.strip_prefix(" probe ")?;
    let (_, found) = rest.split_once(':')?;
    Some(text::cause(found))
}

/// Returns the reason of a pod that is not ready although none of its containers says why.
fn not_ready(pod: &Pod) -> Option<Cause> {
    let status = &pod.status;
    let ready = condition(status, "Ready").filter(|condition| condition.status != "True")?;
    if ready.reason == "ReadinessGatesNotReady" {
        let message = text::cause(&ready.message);
        return Some(Cause::Gate { message });
    }
    let is_ready = |name: &str| {
        let mut known = status.container_statuses.iter();
        known.any(|container| container.name == name && container.ready)
    };
    // A container without a status has not begun, which explains why the pod is not ready.
    let containers = &pod.spec.containers;
    let silent = status.phase == "Running"
        && !containers.is_empty()
        && containers.iter().all(|container| is_ready(&container.name));
    silent.then_some(Cause::ContainersReady)
}

/// Returns whether the first condition of a type is true.
fn is_true(status: &wire::Status, kind: &str) -> bool {
    condition(status, kind).is_some_and(|condition| condition.status == "True")
}

/// Returns the first condition of a type.
fn condition<'a>(status: &'a wire::Status, kind: &str) -> Option<&'a Condition> {
    status.conditions.iter().find(|condition| condition.kind == kind)
}

#[cfg(test)]
mod tests;
