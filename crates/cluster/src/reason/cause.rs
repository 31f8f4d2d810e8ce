//! Causes: what is wrong with a pod, as data. The sentence is the [`Display`](fmt::Display) of a
//! cause, so that both say the same.

use std::fmt;

use podgate_index::ReasonCode;

/// What is wrong with a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    OutOfMemory(Subject),
    /// `cause`: in a few words; the runtime's reason if it gave none.
    CannotStart {
        subject: Subject,
        cause: String,
    },
    /// `image`: without its digest, cut at the front; empty if the status has none.
    Image {
        subject: Subject,
        image: String,
        problem: ImageProblem,
        cause: String,
    },
    /// `said`: the container's termination message if it is one line, else empty.
    Crash {
        subject: Subject,
        how: How,
        said: String,
    },
    PodFailed {
        reason: String,
        message: String,
    },
    Unscheduled {
        message: String,
    },
    Warning {
        reason: String,
        message: String,
    },
    NodeLost(LostNode),
    Waiting {
        subject: Subject,
        reason: String,
        message: String,
    },
    /// `last`: how the run before ended, or empty. `probe`: the probe's result, or empty.
    NotStarted {
        subject: Subject,
        last: String,
        probe: String,
    },
    /// As `NotStarted`.
    NotReady {
        subject: Subject,
        last: String,
        probe: String,
    },
    Gate {
        message: String,
    },
    ContainersReady,
}

/// The list in the pod's specification that a container belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Regular,
    Init,
    /// A restartable init container.
    Sidecar,
}

/// The container that a cause is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    pub(super) container: String,
    pub(super) role: Role,
    pub(super) restarts: i32,
    /// Whether no other container has this role, so that the sentence needs no name.
    pub(super) alone: bool,
}

/// Why an image is not available.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ImageProblem {
    Pull,
    /// It is not on the node, and must not be pulled.
    Never,
    /// Its name is not valid.
    Name,
    Inspect,
}

/// How a container fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    Failed(Exit),
    /// It ends with success again and again.
    Ending(Exit),
    /// `None`: the status does not have the run's end.
    Crashing(Option<Exit>),
    /// The kubelet could no longer find it.
    Lost,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exit {
    pub(super) code: i32,
    pub(super) signal: i32,
    /// The code's meaning, or the runtime's reason if it adds to the fact that the run failed; else
    /// empty.
    pub(super) word: String,
}

/// What is known of a node that may be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LostNode {
    /// Kubernetes says so.
    Lost,
    /// The pod's phase is unknown.
    Unknown,
    /// The pod is being deleted, and Kubernetes says that the node is lost.
    LostWhileDeleting,
    /// The pod is being deleted because of a taint.
    Tainted,
}

/// An argument of a cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Argument {
    Text(String),
    Number(i64),
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i32> for Argument {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

/// Arguments by name, in the order of docs/api.md.
type Arguments = Vec<(&'static str, Argument)>;

impl Cause {
    pub(super) fn code(&self) -> ReasonCode {
        match self {
            Self::OutOfMemory(_) => ReasonCode::OutOfMemory,
            Self::CannotStart { .. } => ReasonCode::CannotStart,
            Self::Image { .. } => ReasonCode::Image,
            Self::Crash { .. } => ReasonCode::Crash,
            Self::PodFailed { .. } => ReasonCode::PodFailed,
            Self::Unscheduled { .. } => ReasonCode::Unscheduled,
            Self::Warning { .. } => ReasonCode::Warning,
            Self::NodeLost(_) => ReasonCode::NodeLost,
            Self::Waiting { .. } => ReasonCode::Waiting,
            Self::NotStarted { .. } => ReasonCode::NotStarted,
            Self::NotReady { .. } => ReasonCode::NotReady,
            Self::Gate { .. } => ReasonCode::Gate,
            Self::ContainersReady => ReasonCode::ContainersReady,
        }
    }

    /// Returns what the sentence says, by name.
    pub(super) fn arguments(&self) -> Arguments {
        match self {
            Self::OutOfMemory(subject) => subject.arguments(),
            Self::CannotStart { subject, cause } => with(subject.arguments(), &[("cause", cause)]),
            Self::Image {
                subject,
                image,
                problem,
                cause,
            } => {
                let more = [("image", image.as_str()), ("problem", problem.word()), ("cause", cause)];
                with(subject.named(), &more)
            }
            Self::Crash { subject, how, said } => {
                let mut arguments = subject.arguments();
                arguments.push(("how", how.word().into()));
                if let Some(Exit { code, signal, word }) = how.exit() {
                    arguments.push(("exitCode", (*code).into()));
                    arguments.push(("signal", (*signal).into()));
                    arguments.push(("word", word.as_str().into()));
                }
                with(arguments, &[("said", said)])
            }
            Self::PodFailed { reason, message } | Self::Warning { reason, message } => {
                with(Vec::new(), &[("reason", reason), ("message", message)])
            }
            Self::Unscheduled { message } | Self::Gate { message } => with(Vec::new(), &[("message", message)]),
            Self::NodeLost(node) => vec![("deleting", i32::from(node.is_deleting()).into())],
            Self::Waiting {
                subject,
                reason,
                message,
            } => with(subject.named(), &[("reason", reason), ("message", message)]),
            Self::NotStarted { subject, last, probe } | Self::NotReady { subject, last, probe } => {
                with(subject.arguments(), &[("last", last), ("probe", probe)])
            }
            Self::ContainersReady => with(Vec::new(), &[("message", SILENT_NODE)]),
        }
    }
}

/// Why a pod may not be ready though its containers are.
const SILENT_NODE: &str = "its node may have stopped answering";

fn with(mut arguments: Arguments, more: &[(&'static str, &str)]) -> Arguments {
    arguments.extend(more.iter().map(|&(name, text)| (name, text.into())));
    arguments
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfMemory(subject) => {
                write!(
                    f,
                    "{subject} ran out of memory and was killed (OOMKilled){}",
                    subject.restarts()
                )
            }
            Self::CannotStart { subject, cause } => {
                write!(f, "{subject} can't be started: {cause}{}", subject.restarts())
            }
            Self::Image {
                subject,
                image,
                problem,
                cause,
            } => write_image(f, subject, image, *problem, cause),
            Self::Crash { subject, how, said } => write_crash(f, subject, how, said),
            Self::PodFailed { reason, message } if reason.is_empty() && message.is_empty() => {
                f.write_str("The pod failed, and its status does not say why")
            }
            Self::PodFailed { reason, message } | Self::Warning { reason, message } => match message.as_str() {
                "" => write!(f, "The pod's status says {reason}, and nothing more"),
                message => write!(f, "{reason}: {message}"),
            },
            Self::Unscheduled { message } => write!(f, "Not scheduled{}", because(message)),
            Self::NodeLost(node) => f.write_str(node.sentence()),
            Self::Waiting {
                subject,
                reason,
                message,
            } => write!(f, "{subject} waits: {reason}{}", because(message)),
            Self::NotStarted { subject, last, probe } => {
                let inside = subject.inside();
                write!(f, "Not started up: {inside} has not passed its startup probe")?;
                write_probe(f, subject, last, probe)
            }
            Self::NotReady { subject, last, probe } => {
                let inside = subject.inside();
                write!(f, "Not ready: {inside} does not pass its readiness probe")?;
                write_probe(f, subject, last, probe)
            }
            Self::Gate { message } => write!(f, "Not ready{}", because(message)),
            Self::ContainersReady => write!(f, "Not ready, though its containers are: {SILENT_NODE}"),
        }
    }
}

fn write_image(
    f: &mut fmt::Formatter<'_>,
    subject: &Subject,
    image: &str,
    problem: ImageProblem,
    cause: &str,
) -> fmt::Result {
    match image {
        "" => f.write_str("Image (unnamed)")?,
        image => write!(f, "Image `{image}`")?,
    }
    if !(subject.alone && subject.role == Role::Regular) {
        write!(f, " of {}", subject.inside())?;
    }
    let (what, cause) = match problem {
        ImageProblem::Pull => ("can't be pulled", cause),
        ImageProblem::Never => ("is not on the node, and its pull policy is Never", ""),
        ImageProblem::Name => ("can't be pulled", "its name is not valid"),
        ImageProblem::Inspect => ("can't be inspected", cause),
    };
    write!(f, " {what}{}", because(cause))
}

fn write_crash(f: &mut fmt::Formatter<'_>, subject: &Subject, how: &How, said: &str) -> fmt::Result {
    let restarts = subject.restarts();
    let (verb, exit) = match how {
        How::Lost => return write!(f, "{subject} was lost: the kubelet could no longer find it{restarts}"),
        How::Crashing(None) => return write!(f, "{subject} keeps crashing{restarts}"),
        How::Crashing(Some(exit)) => ("keeps crashing", exit),
        How::Failed(exit) => ("failed", exit),
        How::Ending(exit) => ("keeps ending", exit),
    };
    write!(f, "{subject} {verb}: {exit}{restarts}")?;
    if said.is_empty() {
        return Ok(());
    }
    write!(f, ", saying \"{said}\"")
}

fn write_probe(f: &mut fmt::Formatter<'_>, subject: &Subject, last: &str, probe: &str) -> fmt::Result {
    f.write_str(&subject.restarts())?;
    if !last.is_empty() {
        write!(f, " (last: {last})")?;
    }
    f.write_str(&because(probe))
}

impl Subject {
    fn named(&self) -> Arguments {
        let role = match self.role {
            Role::Regular => "regular",
            Role::Init => "init",
            Role::Sidecar => "sidecar",
        };
        vec![("container", self.container.as_str().into()), ("role", role.into())]
    }

    fn arguments(&self) -> Arguments {
        let mut arguments = self.named();
        arguments.push(("restarts", self.restarts.max(0).into()));
        arguments
    }

    /// Returns `, 7 restarts`, or an empty text without restarts.
    fn restarts(&self) -> String {
        match self.restarts {
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
            format!("{kind} `{}`", self.container)
        }
    }
}

/// Writes the container's name for the beginning of a sentence.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inside = self.inside();
        let mut letters = inside.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        f.write_str(&first.into_iter().chain(letters).collect::<String>())
    }
}

impl ImageProblem {
    fn word(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Never => "never",
            Self::Name => "name",
            Self::Inspect => "inspect",
        }
    }
}

impl How {
    fn word(&self) -> &'static str {
        match self {
            Self::Failed(_) => "failed",
            Self::Ending(_) => "ending",
            Self::Crashing(_) => "crashing",
            Self::Lost => "lost",
        }
    }

    fn exit(&self) -> Option<&Exit> {
        match self {
            Self::Failed(exit) | Self::Ending(exit) | Self::Crashing(Some(exit)) => Some(exit),
            Self::Crashing(None) | Self::Lost => None,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, signal, word } = self;
        match (signal, word.as_str()) {
            (0, "") => write!(f, "exit code {code}"),
            (0, word) => write!(f, "exit code {code} ({word})"),
            (signal, _) => write!(f, "signal {signal}"),
        }
    }
}

impl LostNode {
    fn is_deleting(self) -> bool {
        matches!(self, Self::LostWhileDeleting | Self::Tainted)
    }

    fn sentence(self) -> &'static str {
        match self {
            Self::Lost => "The pod's node has stopped answering (NodeLost)",
            Self::Unknown => "The pod's state is unknown: its node may have stopped answering",
            Self::LostWhileDeleting => "Being deleted, but its node has stopped answering (NodeLost)",
            Self::Tainted => "Being deleted because of a taint on its node, which may have stopped answering",
        }
    }
}

/// Returns `: CAUSE`, or an empty text without a cause.
fn because(cause: &str) -> String {
    if cause.is_empty() {
        String::new()
    } else {
        format!(": {cause}")
    }
}
