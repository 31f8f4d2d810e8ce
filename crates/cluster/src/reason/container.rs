//! Findings: what is wrong with one container of a pod.

use super::{image, text};
use crate::wire::{self, ContainerStatus, Terminated};

/// How serious and informative a finding is. The finding that is first in this order is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// The container ran out of memory.
    Memory,
    /// The runtime can't start it: configuration, command, hooks.
    Start,
    /// Its image is not available.
    Image,
    /// It keeps failing, or has failed.
    Crash,
    /// It waits for something that has no rule here.
    Waiting,
    /// It was restarted and has not started up since.
    Startup,
    /// It runs but is not ready.
    Unready,
    /// It is starting up for the first time, which is normal unless its startup probe is known to
    /// fail.
    Starting,
}

/// A problem of one container.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) rank: Rank,
    pub(super) text: String,
    /// The container's name.
    pub(super) container: String,
}

/// The list in the pod's specification that a container belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Regular,
    Init,
    /// A restartable init container.
    Sidecar,
}

/// A container with its status and specification.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) pod: &'a wire::Pod,
    pub(super) role: Role,
    pub(super) status: &'a ContainerStatus,
    /// Its image as the specification names it, or empty.
    pub(super) image: &'a str,
    /// Whether no other container has this role, so that the sentence needs no name.
    pub(super) alone: bool,
}

impl<'a> Subject<'a> {
    /// Returns what is wrong with the container, if anything.
    pub(super) fn finding(&self) -> Option<Finding> {
        let state = &self.status.state;
        let waiting = state.waiting.as_ref().filter(|waiting| !waiting.reason.is_empty());
        let (rank, text) = match (waiting, &state.terminated) {
            (Some(waiting), _) => self.waits(waiting)?,
            (None, Some(ended)) if ended.is_success() => return None,
            (None, Some(ended)) => self.ended(ended),
            (None, None) if state.running.is_some() => self.runs()?,
            (None, None) => return None,
        };
        Some(Finding {
            rank,
            text,
            container: self.status.name.clone(),
        })
    }

    /// Describes a waiting container. The reasons are those of the kubelet
    /// (`pkg/kubelet/container/sync_result.go`, `pkg/kubelet/images/types.go`).
    fn waits(&self, waiting: &wire::Waiting) -> Option<(Rank, String)> {
        let wire::Waiting { reason, message } = waiting;
        let found = match reason.as_str() {
            "ContainerCreating" | "PodInitializing" => return None,
            "CrashLoopBackOff" => match &self.status.last_state.terminated {
                Some(ended) => self.ended(ended),
                None => (Rank::Crash, format!("{self} keeps crashing{}", self.restarts())),
            },
            "ErrImagePull" | "ImagePullBackOff" => self.image("can't be pulled", &image::cause(message, self.image)),
            "ErrImageNeverPull" => self.image("is not on the node, and its pull policy is Never", ""),
            "InvalidImageName" => self.image("can't be pulled", "its name is not valid"),
            "ImageInspectError" => self.image("can't be inspected", &image::cause(message, self.image)),
            "RegistryUnavailable" => self.image("can't be pulled", "the registry does not answer"),
            "SignatureValidationFailed" => self.image("can't be pulled", "its signature is not valid"),
            "CreateContainerConfigError"
            | "CreateContainerError"
            | "RunContainerError"
            | "PreCreateHookError"
            | "PreStartHookError"
            | "PostStartHookError" => (Rank::Start, self.start(reason, message)),
            _ => {
                let because = because(&text::cause(message));
                (Rank::Waiting, format!("{self} waits: {reason}{because}"))
            }
        };
        Some(found)
    }

    /// Describes a container whose last run failed, or that was restarted repeatedly.
    fn ended(&self, ended: &Terminated) -> (Rank, String) {
        let restarts = self.restarts();
        match ended.reason.as_str() {
            "OOMKilled" => (
                Rank::Memory,
                format!("{self} ran out of memory and was killed (OOMKilled){restarts}"),
            ),
            "StartError" | "ContainerCannotRun" => (Rank::Start, self.start(&ended.reason, &ended.message)),
            "ContainerStatusUnknown" => (
                Rank::Crash,
                format!("{self} was lost: the kubelet could no longer find it{restarts}"),
            ),
            _ => {
                let again = |waiting: &wire::Waiting| waiting.reason == "CrashLoopBackOff";
                let again = self.status.state.waiting.as_ref().is_some_and(again) || !restarts.is_empty();
                let how = if self.pod.status.phase == "Failed" || !again {
                    "failed"
                } else if ended.is_success() {
                    "keeps ending"
                } else {
                    "keeps crashing"
                };
                let (code, said) = (exit(ended), self.said(&ended.message));
                (Rank::Crash, format!("{self} {how}: {code}{restarts}{said}"))
            }
        }
    }

    /// Describes a running container. An init container is never ready while it runs.
    fn runs(&self) -> Option<(Rank, String)> {
        if self.status.ready || self.role == Role::Init {
            return None;
        }
        let last = self.status.last_state.terminated.as_ref();
        let last = last
            .filter(|_| self.status.restart_count > 0)
            .map(|ended| match ended.reason.as_str() {
                "OOMKilled" => " (last: OOMKilled)".to_owned(),
                _ => format!(" (last: {})", exit(ended)),
            });
        let after = format!("{}{}", self.restarts(), last.unwrap_or_default());
        let container = self.inside();
        let probe = if self.status.started {
            format!("Not ready: {container} does not pass its readiness probe{after}")
        } else {
            format!("Not started up: {container} has not passed its startup probe{after}")
        };
        // In its first run it may just be slow, and the kubelet restarts it if it is too slow.
        let rank = match self.status.restart_count {
            _ if self.status.started => Rank::Unready,
            ..=0 => Rank::Starting,
            _ => Rank::Startup,
        };
        Some((rank, probe))
    }

    fn start(&self, reason: &str, message: &str) -> String {
        let cause = text::cause(message);
        let cause = if cause.is_empty() { reason } else { &cause };
        format!("{self} can't be started: {cause}{}", self.restarts())
    }

    fn image(&self, what: &str, cause: &str) -> (Rank, String) {
        let image = image::short(&text::impersonal(self.image, self.pod));
        let of = if self.alone && self.role == Role::Regular {
            String::new()
        } else {
            format!(" of {}", self.inside())
        };
        (Rank::Image, format!("Image {image}{of} {what}{}", because(cause)))
    }

    /// Quotes the container's termination message if it is one line. A message of several lines is
    /// the end of the container's log.
    fn said(&self, message: &str) -> String {
        let message = message.trim();
        if message.is_empty() || message.contains(['\n', '\r']) {
            return String::new();
        }
        // Remove names before shortening the text, because half a name would not be recognised.
        let said = text::impersonal(message, self.pod);
        format!(", saying \"{}\"", text::shorten(&said, text::MAX_CHARS / 2))
    }

    /// Returns `, 7 restarts`, or an empty text without restarts.
    fn restarts(&self) -> String {
        match self.status.restart_count {
            ..=0 => String::new(),
            1 => ", 1 restart".to_owned(),
            number => format!(", {number} restarts"),
        }
    }

    /// Returns the container's name for use within a sentence.
    fn inside(&self) -> String {
        let kind = match self.role {
            Role::Regular => "container",
            Role::Init => "init container",
            Role::Sidecar => "sidecar",
        };
        if self.alone {
            format!("the {kind}")
        } else {
            format!("{kind} `{}`", self.status.name)
        }
    }
}

/// Writes the container's name for the beginning of a sentence.
impl std::fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let inside = self.inside();
        let mut letters = inside.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        f.write_str(&first.into_iter().chain(letters).collect::<String>())
    }
}

impl Terminated {
    /// Returns whether the container ended like a program that has done its work.
    fn is_success(&self) -> bool {
        self.exit_code == 0 && self.signal == 0 && self.reason != "OOMKilled"
    }
}

/// Returns `: CAUSE`, or an empty text without a cause.
pub(super) fn because(cause: &str) -> String {
    if cause.is_empty() {
        String::new()
    } else {
        format!(": {cause}")
    }
}

/// Describes how a container ended: the exit code, and its meaning or the runtime's reason if they
/// add to the fact that it failed. Shells use 126 and 127; codes from 129 to 159 mean a signal.
fn exit(ended: &Terminated) -> String {
    let Terminated {
        exit_code: code,
        signal,
        reason,
        ..
    } = ended;
    if *signal != 0 {
        return format!("signal {signal}");
    }
    let known = match code {
        126 => "the command can't be executed",
        127 => "command not found",
        129 => "SIGHUP",
        130 => "SIGINT",
        131 => "SIGQUIT",
        132 => "SIGILL, illegal instruction",
        134 => "SIGABRT, aborted",
        135 => "SIGBUS",
        136 => "SIGFPE",
        137 => "SIGKILL, killed",
        139 => "SIGSEGV, invalid memory access",
        141 => "SIGPIPE",
        143 => "SIGTERM, asked to end",
        _ if matches!(reason.as_str(), "" | "Error" | "Completed") => return format!("exit code {code}"),
        _ => reason,
    };
    format!("exit code {code} ({known})")
}
