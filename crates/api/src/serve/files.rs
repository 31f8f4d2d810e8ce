//! The limit on open files, sockets included.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit on open files to the hard limit. Returns the limit that holds then; `None`
/// if there is none.
///
/// Many systems keep the soft limit at 1,024 for programs that use `select`, and expect a service
/// to raise it.
pub fn raise_limit() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return current;
    }
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, ?current, "cannot raise the limit on open files");
            current
        }
    }
}
