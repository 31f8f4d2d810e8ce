//! How many files the process may open, sockets included.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit on open files to the most that the system allows this process. Returns the
/// limit that holds then; `None` if there is none.
///
/// The soft limit is 1,024 on many systems for the sake of programs that use `select`, and a
/// service is expected to raise it by itself.
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
            tracing::warn!(%error, ?current, "the limit on open files can't be raised");
            current
        }
    }
}
