//! The containers of one pod, as the API server has it now: the one that a caller means, and the
//! state of its runs.

mod parts;

use self::parts::{Container, ContainerStatus, Rule, Status, Terminated};
pub(crate) use self::parts::{LivePod, Metadata};
use crate::{
    Cluster, Error, client, detail,
    error::{Failure, Result},
    text::MAX_TEXT,
    wire::MAX_PARTS,
};

/// The most bytes of a container ID.
const MAX_ID: usize = 512;

/// The lists of containers in a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Init,
    Regular,
    Ephemeral,
}

/// One run of a container, from its start to its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// How many times the container had been restarted when the run began.
    pub(crate) restart_count: u32,
    /// The container ID, or empty.
    pub(crate) id: String,
}

impl Run {
    /// Returns whether both are the same run. If both have a container ID, the IDs decide, because
    /// the restart count begins at 0 again in a new sandbox.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        if self.id.is_empty() || other.id.is_empty() {
            return self.restart_count == other.restart_count;
        }
        self.id == other.id
    }
}

/// How a run of a container ended, as the pod's status says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunEnd {
    /// How many times the container had been restarted when the run began.
    pub restart_count: u32,
    /// When the run began, in RFC 3339; empty if the status does not say.
    pub started_at: String,
    /// When the run ended, in RFC 3339; empty if the status does not say.
    pub finished_at: String,
    /// The exit code.
    pub exit_code: i32,
    /// The signal that ended the run, or 0.
    pub signal: i32,
    /// The reason, such as `OOMKilled`, or empty.
    pub reason: String,
}

impl RunEnd {
    /// Returns the memory that it takes.
    pub(crate) fn memory_size(&self) -> usize {
        size_of::<Self>() + self.started_at.len() + self.finished_at.len() + self.reason.len()
    }
}

/// The state of a container's runs.
#[derive(Clone, Debug)]
pub(crate) enum RunState {
    /// It has never run.
    NotStarted {
        /// The reason why it waits, such as `ContainerCreating`, or empty.
        reason: String,
        /// Whether it never will run.
        terminal: bool,
    },
    /// It is running.
    Running(Run),
    /// Its last run has ended.
    Ended {
        /// That run.
        run: Run,
        /// Its exit code.
        code: i32,
        /// Whether it will not run again.
        terminal: bool,
    },
}

impl Cluster {
    /// Returns the pod as it is now.
    ///
    /// # Errors
    /// [`Error::PodNotFound`], those of every call, and [`Error::Upstream`] for a pod with more
    /// parts than the watch accepts.
    pub(crate) async fn live_pod(&self, namespace: &str, name: &str) -> Result<LivePod> {
        let client = self.client().await?;
        let uri = client::uri(&["api", "v1", "namespaces", namespace, "pods", name], &[])?;
        let mut pod: LivePod = client.json(client::get(&uri)?).await?;
        if pod.kind != "Pod" || !pod.keeps_to_lengths() {
            return Err(detail::not_a_pod(&client, namespace, name));
        }
        pod.cluster = client.cluster.clone();
        (pod.metadata.namespace, pod.metadata.name) = (namespace.to_owned(), name.to_owned());
        if pod.parts() > MAX_PARTS {
            let too_many = Failure::TooManyParts { most: MAX_PARTS };
            return Err(Error::upstream(pod.display_name(), too_many));
        }
        Ok(pod)
    }
}

impl LivePod {
    /// Returns the pod's name for messages, such as "pod `shop/web-1` on cluster `prod`".
    pub(crate) fn display_name(&self) -> String {
        let Metadata { namespace, name, .. } = &self.metadata;
        format!("pod `{namespace}/{name}` on cluster `{}`", self.cluster)
    }

    /// Returns whether the pod's texts are no longer than Kubernetes allows, so that a stream,
    /// which keeps the pod, takes little memory.
    fn keeps_to_lengths(&mut self) -> bool {
        // A longer name can't match any of the containers.
        self.metadata.default_container.take_if(|name| name.len() > MAX_TEXT);
        let Metadata {
            uid,
            deletion_timestamp,
            ..
        } = &self.metadata;
        let pod_texts = [uid, &self.spec.restart_policy, &self.status.phase]
            .into_iter()
            .chain(deletion_timestamp);
        let container_texts = self.all().flat_map(|(_, container)| {
            let rules = container.restart_policy_rules.iter();
            let operators = rules.filter_map(|rule| rule.exit_codes.as_ref().map(|codes| &codes.operator));
            [&container.name]
                .into_iter()
                .chain(&container.restart_policy)
                .chain(operators)
        });
        let Status {
            init_container_statuses,
            container_statuses,
            ephemeral_container_statuses,
            ..
        } = &self.status;
        let mut statuses = init_container_statuses
            .iter()
            .chain(container_statuses)
            .chain(ephemeral_container_statuses);
        pod_texts.chain(container_texts).all(|text| text.len() <= MAX_TEXT)
            && statuses.all(ContainerStatus::keeps_to_lengths)
    }

    /// Returns the number of the pod's containers, statuses and restart rules together.
    fn parts(&self) -> usize {
        let rule = |rule: &Rule| 1 + rule.exit_codes.as_ref().map_or(0, |codes| codes.values.len());
        let containers = self.all().map(|(_, container)| {
            let rules = container.restart_policy_rules.iter().map(rule);
            1 + rules.sum::<usize>()
        });
        let Status {
            init_container_statuses,
            container_statuses,
            ephemeral_container_statuses,
            ..
        } = &self.status;
        let statuses = init_container_statuses.len() + container_statuses.len() + ephemeral_container_statuses.len();
        containers.sum::<usize>() + statuses
    }

    /// Returns the names of all containers in the order of `kubectl logs --all-containers`: init,
    /// regular and ephemeral ones, each in the order of the specification.
    pub(crate) fn container_names(&self) -> Vec<String> {
        self.all().map(|(_, container)| container.name.clone()).collect()
    }

    /// Returns the container that a caller means: the named one, else the one that the
    /// `kubectl.kubernetes.io/default-container` annotation names, else the only regular one.
    ///
    /// # Errors
    /// [`Error::ContainerNotFound`], and [`Error::Invalid`] if no container is named and there are
    /// several. Both list the containers.
    pub(crate) fn container(&self, wanted: Option<&str>) -> Result<String> {
        if let Some(wanted) = wanted {
            self.find(wanted)?;
            return Ok(wanted.to_owned());
        }
        let annotated = self.metadata.default_container.as_ref();
        if let Some(name) = annotated.filter(|name| self.find(name).is_ok()) {
            return Ok(name.clone());
        }
        match self.spec.containers.as_slice() {
            [only] => Ok(only.name.clone()),
            _ => Err(Error::invalid(format!(
                "{} has several containers: name one of {}",
                self.display_name(),
                self.listed()
            ))),
        }
    }

    /// Returns the state of a container's runs.
    ///
    /// # Errors
    /// [`Error::ContainerNotFound`].
    pub(crate) fn run_state(&self, container: &str) -> Result<RunState> {
        let (kind, spec) = self.find(container)?;
        let terminal = self.metadata.deletion_timestamp.is_some() || self.is_finished();
        let Some(status) = self.container_status(kind, container) else {
            return Ok(RunState::NotStarted {
                reason: String::new(),
                terminal,
            });
        };
        if status.state.running.is_some() {
            return Ok(RunState::Running(status.run(&status.container_id)));
        }
        // If the latest run could not start, its termination has no container ID, and the log is
        // that of the run before.
        let ended = [&status.state.terminated, &status.last_state.terminated];
        let ended = ended.into_iter().flatten().find(|ended| !ended.container_id.is_empty());
        let ended = ended.or(status.state.terminated.as_ref());
        let Some(ended) = ended else {
            let reason = status.state.waiting.as_ref().map(|waiting| waiting.reason.clone());
            return Ok(RunState::NotStarted {
                reason: reason.unwrap_or_default(),
                terminal,
            });
        };
        Ok(RunState::Ended {
            run: status.run(&ended.container_id),
            code: ended.exit_code,
            terminal: terminal || (status.state.waiting.is_none() && !self.restarts(kind, spec, ended.exit_code)),
        })
    }

    /// Returns the run before the current one, if there was one.
    pub(crate) fn previous_run(&self, container: &str) -> Option<Run> {
        let (kind, _) = self.find(container).ok()?;
        let status = self.container_status(kind, container)?;
        let ended = status.last_state.terminated.as_ref()?;
        Some(Run {
            restart_count: status.restart_count.saturating_sub(1),
            id: ended.container_id.clone(),
        })
    }

    /// Returns how a run ended; `None` if it goes on, or if the pod's status no longer says.
    pub(crate) fn run_end(&self, container: &str, run: &Run) -> Option<RunEnd> {
        let (kind, _) = self.find(container).ok()?;
        let status = self.container_status(kind, container)?;
        let (state, last) = (&status.state, &status.last_state);
        let last = last.terminated.as_ref();
        // As in `run_state`: a termination without an ID is not that of the run before.
        let is_no_run = |ended: &&Terminated| ended.container_id.is_empty() && last.is_some();
        let now = state.terminated.as_ref();
        // While the container waits for its next run, and if that could not start, the count is
        // still that of its last run.
        let before = u32::from(state.waiting.is_none() && !now.is_some_and(|ended| is_no_run(&ended)));
        let ends = [(now.filter(|ended| !is_no_run(ended)), 0), (last, before)];
        ends.into_iter().find_map(|(ended, before)| {
            let ended = ended?;
            let of = Run {
                restart_count: status.restart_count.saturating_sub(before),
                id: ended.container_id.clone(),
            };
            of.is_same_as(run).then(|| RunEnd {
                restart_count: of.restart_count,
                started_at: ended.started_at.clone(),
                finished_at: ended.finished_at.clone(),
                exit_code: ended.exit_code,
                signal: ended.signal,
                reason: ended.reason.clone(),
            })
        })
    }

    /// Returns whether the pod has finished, so that none of its containers will run again.
    fn is_finished(&self) -> bool {
        matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }

    fn all(&self) -> impl Iterator<Item = (Kind, &Container)> {
        let init = self
            .spec
            .init_containers
            .iter()
            .map(|container| (Kind::Init, container));
        let regular = self.spec.containers.iter().map(|container| (Kind::Regular, container));
        let ephemeral = self.spec.ephemeral_containers.iter();
        init.chain(regular)
            .chain(ephemeral.map(|container| (Kind::Ephemeral, container)))
    }

    fn find(&self, name: &str) -> Result<(Kind, &Container)> {
        self.all().find(|(_, container)| container.name == name).ok_or_else(|| {
            Error::container_not_found(format!(
                "there is no container `{name}` in {}: it has {}",
                self.display_name(),
                self.listed()
            ))
        })
    }

    fn listed(&self) -> String {
        let names: Vec<_> = self
            .all()
            .map(|(_, container)| format!("`{}`", container.name))
            .collect();
        names.join(", ")
    }

    fn container_status(&self, kind: Kind, name: &str) -> Option<&ContainerStatus> {
        let statuses = match kind {
            Kind::Init => &self.status.init_container_statuses,
            Kind::Regular => &self.status.container_statuses,
            Kind::Ephemeral => &self.status.ephemeral_container_statuses,
        };
        statuses.iter().find(|status| status.name == name)
    }

    /// Returns whether the kubelet restarts a container that ended with this code
    /// (`ShouldContainerBeRestarted`).
    fn restarts(&self, kind: Kind, container: &Container, code: i32) -> bool {
        let own = container.restart_policy.as_deref();
        let policy = own.unwrap_or(&self.spec.restart_policy);
        match kind {
            Kind::Ephemeral => false,
            _ if container.restart_policy_rules.iter().any(|rule| rule.matches(code)) => true,
            // An init container is restarted until it succeeds once, even if the pod's policy is
            // `Always`.
            Kind::Init if own != Some("Always") => code != 0 && policy != "Never",
            _ => match policy {
                "Never" => false,
                "OnFailure" => code != 0,
                _ => true,
            },
        }
    }
}

impl ContainerStatus {
    fn keeps_to_lengths(&self) -> bool {
        let states = [&self.state, &self.last_state];
        let reasons = states.into_iter().filter_map(|state| state.waiting.as_ref());
        let ended = states.into_iter().filter_map(|state| state.terminated.as_ref());
        let ends = ended
            .clone()
            .flat_map(|ended| [&ended.reason, &ended.started_at, &ended.finished_at]);
        let mut texts = reasons.map(|waiting| &waiting.reason).chain([&self.name]).chain(ends);
        let mut ids = ended.map(|ended| &ended.container_id).chain([&self.container_id]);
        texts.all(|text| text.len() <= MAX_TEXT) && ids.all(|id| id.len() <= MAX_ID)
    }

    fn run(&self, id: &str) -> Run {
        Run {
            restart_count: self.restart_count,
            id: id.to_owned(),
        }
    }
}

impl Rule {
    fn matches(&self, code: i32) -> bool {
        self.exit_codes
            .as_ref()
            .is_some_and(|codes| match codes.operator.as_str() {
                "In" => codes.values.contains(&code),
                "NotIn" => !codes.values.contains(&code),
                _ => false,
            })
    }
}

#[cfg(test)]
mod tests;
