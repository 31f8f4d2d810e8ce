//! The container that a log or exec request is about, its state, and the errors of the API server
//! and the kubelet.

use std::sync::Arc;

use serde_json::Value;

use crate::call::Call;
use crate::object::Kind;
use crate::runtime::{Run, Runs};
use crate::state::State;
use crate::status::Failure;

/// A container that a request names, with its pod.
#[derive(Debug)]
pub(crate) struct Container {
    pub(crate) pod: Value,
    pub(crate) name: String,
}

/// Returns the pod of a request.
///
/// # Errors
///
/// 404 when it does not exist.
pub(crate) fn pod(call: &Call) -> Result<Value, Failure> {
    let pod = call.state.store.get(Kind::Pod, call.namespace(), call.name());
    pod.map(|pod| pod.value())
        .ok_or_else(|| Failure::not_found(Kind::Pod, call.name()))
}

/// Returns the container of a request: the named one, or the only one.
///
/// # Errors
///
/// 400 when the pod has no such container, or several and the request names none.
pub(crate) fn choose(pod: Value, asked: Option<&str>) -> Result<Container, Failure> {
    let names = |list: &str| -> Vec<String> {
        let containers = pod.pointer(&format!("/spec/{list}")).and_then(Value::as_array);
        containers
            .into_iter()
            .flatten()
            .filter_map(|it| it.get("name")?.as_str().map(str::to_owned))
            .collect()
    };
    let regular = names("containers");
    let all = [names("initContainers"), regular.clone(), names("ephemeralContainers")].concat();
    let of = text(&pod, "/metadata/name");
    let name = match (asked, regular.as_slice()) {
        (Some(asked), _) if all.iter().any(|name| name == asked) => asked.to_owned(),
        (Some(asked), _) => {
            return Err(Failure::bad_request(format!(
                "container {asked} is not valid for pod {of}"
            )));
        }
        (None, [only]) => only.clone(),
        (None, []) => {
            return Err(Failure::bad_request(format!(
                "a container name must be specified for pod {of}"
            )));
        }
        (None, _) => {
            let choice = all.join(" ");
            let message = format!("a container name must be specified for pod {of}, choose one of: [{choice}]");
            return Err(Failure::bad_request(message));
        }
    };
    Ok(Container { pod, name })
}

impl Container {
    /// Returns the name of the node; empty for a pod that is not scheduled.
    pub(crate) fn node(&self) -> &str {
        text(&self.pod, "/spec/nodeName")
    }

    pub(crate) fn pod_name(&self) -> &str {
        text(&self.pod, "/metadata/name")
    }

    /// Returns the container's entry in the spec.
    pub(crate) fn spec(&self) -> Option<&Value> {
        self.entry("/spec", ["containers", "initContainers", "ephemeralContainers"])
    }

    fn status(&self) -> Option<&Value> {
        self.entry(
            "/status",
            [
                "containerStatuses",
                "initContainerStatuses",
                "ephemeralContainerStatuses",
            ],
        )
    }

    fn entry(&self, at: &str, lists: [&str; 3]) -> Option<&Value> {
        let mut lists = lists
            .into_iter()
            .filter_map(|list| self.pod.pointer(&format!("{at}/{list}"))?.as_array());
        lists.find_map(|list| {
            list.iter()
                .find(|it| it.get("name").and_then(Value::as_str) == Some(&self.name))
        })
    }

    /// Returns the current run, if the container is running.
    pub(crate) fn running_run(&self, state: &State) -> Option<Arc<Run>> {
        self.status()?.pointer("/state/running")?;
        self.runs(state)?.current.filter(|run| run.exit().is_none())
    }

    /// Returns the run whose log is asked for, by the rules of the kubelet's
    /// `validateContainerLogStatus`.
    ///
    /// # Errors
    ///
    /// 400 when the container has not started, or has no previous run.
    pub(crate) fn log_run(&self, state: &State, previous: bool) -> Result<Arc<Run>, Failure> {
        let (container, pod) = (&self.name, self.pod_name());
        let refuse = |what: &str| {
            Err(Failure::bad_request(format!(
                "container \"{container}\" in pod \"{pod}\" {what}"
            )))
        };
        let Some(status) = self.status() else {
            return refuse("is not available");
        };
        let has = |pointer: &str| status.pointer(pointer).is_some_and(Value::is_object);
        let started = has("/state/running") || has("/state/terminated");
        let runs = self.runs(state);
        let current = runs.as_ref().and_then(|runs| runs.current.clone());
        if previous {
            // While the container waits for its next run, its last run counts as the previous run.
            let run = if started {
                runs.and_then(|runs| runs.previous)
            } else {
                current
            };
            return match run.filter(|_| has("/lastState/terminated")) {
                Some(run) => Ok(run),
                None => Err(Failure::bad_request(format!(
                    "previous terminated container \"{container}\" in pod \"{pod}\" not found"
                ))),
            };
        }
        match current.filter(|_| started || has("/lastState/terminated")) {
            Some(run) => Ok(run),
            None => match text(status, "/state/waiting/reason") {
                "ErrImagePull" => refuse("is waiting to start: image can't be pulled"),
                "ImagePullBackOff" => refuse("is waiting to start: trying and failing to pull image"),
                "" => refuse("is waiting to start - no logs yet"),
                reason => refuse(&format!("is waiting to start: {reason}")),
            },
        }
    }

    fn runs(&self, state: &State) -> Option<Runs> {
        state.runtime.runs(text(&self.pod, "/metadata/uid"), &self.name)
    }
}

/// Returns the text at a JSON pointer; empty if there is none.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
