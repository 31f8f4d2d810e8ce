//! What can go wrong between Podgate and a cluster.

/// A failed call to a cluster. Each variant's text is a whole sentence for the caller: what failed, on which object, what to do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No such pod.
    #[error("{0}")]
    PodNotFound(String),
    /// No such container in the pod; the text lists those there are.
    #[error("{0}")]
    ContainerNotFound(String),
    /// Another resource is not there.
    #[error("{0}")]
    NotFound(String),
    /// The cluster refuses: its own words, with verb, resource and namespace.
    #[error("{0}")]
    Forbidden(String),
    /// A parameter that the cluster or we refuse (several containers and none named, say).
    #[error("{0}")]
    Invalid(String),
    /// A precondition failed, the container has not started, or it has no previous run.
    #[error("{0}")]
    Conflict(String),
    /// The container has no such executable.
    #[error("{0}")]
    NoExecutable(String),
    /// The cluster refused us (401 included), broke off, or answered what is not Kubernetes.
    #[error("{0}")]
    Upstream(String),
    /// The cluster did not answer in time.
    #[error("{0}")]
    Timeout(String),
}

/// Shorthand.
pub type Result<T> = std::result::Result<T, Error>;
