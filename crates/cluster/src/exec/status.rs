//! The meaning of the `Status` with which a process ends or an upgrade is refused.

use super::Output;
use crate::{Error, error::Failure, text::excerpt, wire::status::Status};

/// The program and its container, for messages.
#[derive(Clone, Debug)]
pub(super) struct ExecTarget {
    /// The container's name.
    pub(super) container: String,
    /// The pod and its cluster.
    pub(super) pod_name: String,
    /// The program.
    pub(super) program: String,
}

impl ExecTarget {
    /// Returns how the process ended, given the whole text of the error channel.
    pub(super) fn outcome(&self, body: &[u8]) -> Output {
        let Ok(exit_status) = serde_json::from_slice::<Status>(body) else {
            let text = String::from_utf8_lossy(body);
            return Output::Failed(self.failure(&text));
        };
        if exit_status.status == "Success" {
            return Output::Exit(0);
        }
        match exit_code(&exit_status) {
            // Some runtimes report a missing program as an exit code, and explain it only in the
            // message.
            Some(126 | 127) if is_missing(&exit_status.message) => Output::Failed(self.failure(&exit_status.message)),
            Some(code) => Output::Exit(code),
            None => Output::Failed(self.failure(&exit_status.message)),
        }
    }

    /// Returns the error for a refused upgrade. `said` is the cluster's message.
    pub(super) fn refused(&self, error: Error, said: &str) -> Error {
        match error {
            Error::Upstream { .. } | Error::Invalid(_) | Error::Rejected(_) | Error::Conflict(_)
                if is_missing(said) || is_not_running(said) =>
            {
                self.failure(said)
            }
            other => other,
        }
    }

    /// Returns the connection's name for messages.
    pub(super) fn connection(&self) -> String {
        format!("the connection to container `{}` of {}", self.container, self.pod_name)
    }

    /// Returns the error for a connection that ended before the process did.
    pub(super) fn broken(&self, why: &str) -> Error {
        Error::upstream(self.connection(), Failure::BrokeOff { why: why.into() })
    }

    fn failure(&self, said: &str) -> Error {
        let Self {
            container,
            pod_name,
            program,
        } = self;
        let excerpt = excerpt(said);
        if is_missing(said) {
            return Error::no_executable(format!(
                "container `{container}` of {pod_name} can't run `{program}`: run a program that the container has, or use a \
                 debug container ({excerpt})"
            ));
        }
        if is_not_running(said) {
            return Error::conflict(format!(
                "container `{container}` of {pod_name} is not running: {excerpt}"
            ));
        }
        let what = format!("running `{program}` in container `{container}` of {pod_name}");
        Error::upstream(what, Failure::Other(excerpt.into()))
    }
}

/// Returns the cause `ExitCode` of a `NonZeroExitCode` (`apimachinery/pkg/util/remotecommand`).
fn exit_code(status: &Status) -> Option<i32> {
    if status.reason != "NonZeroExitCode" {
        return None;
    }
    status.cause("ExitCode")?.message.parse().ok()
}

/// Returns whether a runtime's message says that the program does not exist or can't be executed.
///
/// The phrases are those of runc and youki under containerd, CRI-O or Docker, of crun, of gVisor
/// and of Windows, none of which reports a code.
fn is_missing(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let has = |part: &str| text.contains(part);
    let starting = has("exec: \"") || has("container process") || has("executable");
    let no_file = has("no such file or directory")
        || has("permission denied")
        || has("is a directory")
        || has("exec format error");
    (has("executable") && has("not found"))
        || has("error finding executable")
        || has("cannot find the file specified")
        || (starting && no_file && !has("chdir to cwd") && !has("fifo"))
}

/// Returns whether a message of a kubelet or a runtime says that the container does not exist or is
/// not running. Neither reports a code.
fn is_not_running(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    [
        "container not found",
        "not in running state",
        "container is not running",
        "container not running",
        "is not created or running",
    ]
    .iter()
    .any(|words| text.contains(words))
        || (text.contains("task ") && text.contains("not found"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use serde_json::json;

    use super::*;

    fn target() -> ExecTarget {
        ExecTarget {
            container: "web".into(),
            pod_name: "pod `shop/web-1` on cluster `prod`".into(),
            program: "/bin/sh".into(),
        }
    }

    fn failure(message: &str) -> Output {
        target().outcome(
            json!({"status": "Failure", "reason": "InternalError", "message": message, "code": 500})
                .to_string()
                .as_bytes(),
        )
    }

    #[test]
    fn success_and_exit_codes_are_read() {
        assert!(matches!(
            target().outcome(br#"{"metadata":{},"status":"Success"}"#),
            Output::Exit(0)
        ));
        let body = json!({"status": "Failure", "reason": "NonZeroExitCode", "message": "command terminated with non-zero exit code",
            "details": {"causes": [{"reason": "ExitCode", "message": "137"}]}});
        assert!(matches!(
            target().outcome(body.to_string().as_bytes()),
            Output::Exit(137)
        ));
    }

    #[test]
    fn a_missing_program_is_recognised_in_the_words_of_every_runtime() {
        for words in [
            "error executing command in container: failed to exec in container: failed to start exec \"8f\": OCI runtime exec failed: exec failed: \
             unable to start container process: exec: \"/bin/bash\": stat /bin/bash: no such file or directory",
            "OCI runtime exec failed: exec failed: unable to start container process: exec: \"bash\": executable file not found in $PATH: unknown",
            "OCI runtime exec failed: exec failed: container_linux.go:380: starting container process caused: exec: \"/etc/passwd\": permission denied: unknown",
            "OCI runtime exec failed: exec failed: unable to start container process: exec /data/x: exec format error",
            "exec failed: cannot exec in a stopped container: executable file `bash` not found in $PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found",
            "failed to exec in container: OCI runtime exec failed: error finding executable \"bash\" in PATH [/bin]: no such file or directory",
            "hcs::System::CreateProcess: The system cannot find the file specified.",
        ] {
            match failure(words) {
                Output::Failed(Error::NoExecutable(text)) => {
                    assert!(text.contains("`/bin/sh`") && text.contains("`web`"), "{text}")
                }
                other => panic!("{words}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_missing_program_reported_as_an_exit_code_is_recognised() {
        let body = json!({"status": "Failure", "reason": "NonZeroExitCode",
            "message": "command terminated with non-zero exit code: OCI runtime exec failed: exec: \"bash\": executable file not found in $PATH",
            "details": {"causes": [{"reason": "ExitCode", "message": "126"}]}});
        assert!(matches!(
            target().outcome(body.to_string().as_bytes()),
            Output::Failed(Error::NoExecutable(_))
        ));
    }

    #[test]
    fn other_failures_are_not_taken_for_a_missing_program() {
        let conflict = |words: &str| matches!(failure(words), Output::Failed(Error::Conflict(_)));
        assert!(conflict("unable to upgrade connection: container not found (\"web\")"));
        assert!(conflict(
            "failed to exec in container: failed to load task: no running task found: task 5f not found"
        ));
        assert!(conflict(
            "container is in CONTAINER_EXITED state: container not running"
        ));
        let upstream = |words: &str| matches!(failure(words), Output::Failed(Error::Upstream { .. }));
        assert!(upstream(
            "error dialing backend: dial tcp 10.0.0.1:10250: connect: connection refused"
        ));
        assert!(upstream(
            "unable to start container process: chdir to cwd (\"/gone\") set in config.json failed: no such file or directory"
        ));
        assert!(
            matches!(target().outcome(b"not json"), Output::Failed(Error::Upstream { failure: Failure::Other(said), .. }) if *said == *"not json")
        );
    }
}
