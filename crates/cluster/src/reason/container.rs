//! Findings: what is wrong with one container of a pod.

use super::{
    cause::{Cause, Exit, How, ImageProblem, Role, Subject},
    image, text,
};
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
    pub(super) cause: Cause,
}

/// A container with its status and specification.
#[derive(Clone, Copy, Debug)]
pub(super) struct Container<'a> {
    pub(super) pod: &'a wire::Pod,
    pub(super) role: Role,
    pub(super) status: &'a ContainerStatus,
    /// Its image as the specification names it, or empty.
    pub(super) image: &'a str,
    /// Whether no other container has this role.
    pub(super) alone: bool,
}

impl Container<'_> {
    /// Returns what is wrong with the container, if anything.
    pub(super) fn finding(&self) -> Option<Finding> {
        let state = &self.status.state;
        let waiting = state.waiting.as_ref().filter(|waiting| !waiting.reason.is_empty());
        let (rank, cause) = match (waiting, &state.terminated) {
            (Some(waiting), _) => self.waits(waiting)?,
            (None, Some(ended)) if ended.is_success() => return None,
            (None, Some(ended)) => self.ended(ended),
            (None, None) if state.running.is_some() => self.runs()?,
            (None, None) => return None,
        };
        Some(Finding { rank, cause })
    }

    fn subject(&self) -> Subject {
        Subject {
            container: self.status.name.clone(),
            role: self.role,
            restarts: self.status.restart_count,
            alone: self.alone,
        }
    }

    /// Describes a waiting container. The reasons are those of the kubelet
    /// (`pkg/kubelet/container/sync_result.go`, `pkg/kubelet/images/types.go`).
    fn waits(&self, waiting: &wire::Waiting) -> Option<(Rank, Cause)> {
        let wire::Waiting { reason, message } = waiting;
        let image_cause = || image::cause(message, self.image);
        let found = match reason.as_str() {
            "ContainerCreating" | "PodInitializing" => return None,
            "CrashLoopBackOff" => match &self.status.last_state.terminated {
                Some(ended) => self.ended(ended),
                None => self.crash(How::Crashing(None), ""),
            },
            "ErrImagePull" | "ImagePullBackOff" => self.no_image(ImageProblem::Pull, image_cause()),
            "ErrImageNeverPull" => self.no_image(ImageProblem::Never, String::new()),
            "InvalidImageName" => self.no_image(ImageProblem::Name, String::new()),
            "ImageInspectError" => self.no_image(ImageProblem::Inspect, image_cause()),
            "RegistryUnavailable" => self.no_image(ImageProblem::Pull, "the registry does not answer".to_owned()),
            "SignatureValidationFailed" => self.no_image(ImageProblem::Pull, "its signature is not valid".to_owned()),
            "CreateContainerConfigError"
            | "CreateContainerError"
            | "RunContainerError"
            | "PreCreateHookError"
            | "PreStartHookError"
            | "PostStartHookError" => self.no_start(reason, message),
            _ => {
                let cause = Cause::Waiting {
                    subject: self.subject(),
                    reason: reason.clone(),
                    message: text::cause(message),
                };
                (Rank::Waiting, cause)
            }
        };
        Some(found)
    }

    /// Describes a container whose last run failed, or that was restarted repeatedly.
    fn ended(&self, ended: &Terminated) -> (Rank, Cause) {
        match ended.reason.as_str() {
            "OOMKilled" => (Rank::Memory, Cause::OutOfMemory(self.subject())),
            "StartError" | "ContainerCannotRun" => self.no_start(&ended.reason, &ended.message),
            "ContainerStatusUnknown" => self.crash(How::Lost, ""),
            _ => {
                let again = |waiting: &wire::Waiting| waiting.reason == "CrashLoopBackOff";
                let waits = self.status.state.waiting.as_ref().is_some_and(again);
                let again = waits || self.status.restart_count > 0;
                let exit = exit(ended);
                let how = if self.pod.status.phase == "Failed" || !again {
                    How::Failed(exit)
                } else if ended.is_success() {
                    How::Ending(exit)
                } else {
                    How::Crashing(Some(exit))
                };
                self.crash(how, &ended.message)
            }
        }
    }

    /// Describes a running container. An init container is never ready while it runs.
    fn runs(&self) -> Option<(Rank, Cause)> {
        if self.status.ready || self.role == Role::Init {
            return None;
        }
        let last = self.status.last_state.terminated.as_ref();
        let last = last
            .filter(|_| self.status.restart_count > 0)
            .map(|ended| match ended.reason.as_str() {
                "OOMKilled" => "OOMKilled".to_owned(),
                _ => exit(ended).to_string(),
            })
            .unwrap_or_default();
        let (subject, probe) = (self.subject(), String::new());
        // In its first run it may just be slow, and the kubelet restarts it if it is too slow.
        let found = match self.status.restart_count {
            _ if self.status.started => (Rank::Unready, Cause::NotReady { subject, last, probe }),
            ..=0 => (Rank::Starting, Cause::NotStarted { subject, last, probe }),
            _ => (Rank::Startup, Cause::NotStarted { subject, last, probe }),
        };
        Some(found)
    }

    fn no_start(&self, reason: &str, message: &str) -> (Rank, Cause) {
        let cause = match text::cause(message) {
            cause if cause.is_empty() => reason.to_owned(),
            cause => cause,
        };
        let subject = self.subject();
        (Rank::Start, Cause::CannotStart { subject, cause })
    }

    fn no_image(&self, problem: ImageProblem, cause: String) -> (Rank, Cause) {
        let cause = Cause::Image {
            subject: self.subject(),
            image: image::short(&text::impersonal(self.image, self.pod)),
            problem,
            cause,
        };
        (Rank::Image, cause)
    }

    fn crash(&self, how: How, message: &str) -> (Rank, Cause) {
        let (subject, said) = (self.subject(), self.said(message));
        (Rank::Crash, Cause::Crash { subject, how, said })
    }

    /// Returns the container's termination message if it is one line. A message of several lines is
    /// the end of the container's log.
    fn said(&self, message: &str) -> String {
        let message = message.trim();
        if message.is_empty() || message.contains(['\n', '\r']) {
            return String::new();
        }
        // Remove names before shortening the text, because half a name would not be recognised.
        let said = text::impersonal(message, self.pod);
        text::shorten(&said, text::MAX_CHARS / 2)
    }
}

impl Terminated {
    /// Returns whether the container ended like a program that has done its work.
    fn is_success(&self) -> bool {
        self.exit_code == 0 && self.signal == 0 && self.reason != "OOMKilled"
    }
}

/// Describes how a container ended: the exit code, and its meaning or the runtime's reason if they
/// add to the fact that it failed. Shells use 126 and 127; codes from 129 to 159 mean a signal.
fn exit(ended: &Terminated) -> Exit {
    let Terminated {
        exit_code,
        signal,
        reason,
        ..
    } = ended;
    let word = match exit_code {
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
        _ if matches!(reason.as_str(), "" | "Error" | "Completed") => "",
        _ => reason,
    };
    Exit {
        code: *exit_code,
        signal: *signal,
        word: word.to_owned(),
    }
}
