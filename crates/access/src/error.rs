//! Why a call is not carried out.

/// A refusal or failure on this side of the API. Each variant's text is a whole sentence for the
/// caller.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Denied {
    /// Wrong user name or password (401001).
    #[error("wrong user name or password")]
    WrongPassword,
    /// The session is over (401002).
    #[error("the session has expired: log in again")]
    SessionExpired,
    /// No credential, or one we do not know (401003).
    #[error("{0}")]
    NoCredential(String),
    /// The account is locked or disabled (401004).
    #[error("{0}")]
    AccountLocked(String),
    /// The caller may not (403001).
    #[error("{0}")]
    Forbidden(String),
    /// Too many tries; wait this many seconds (429001).
    #[error("too many tries: try again in {retry_after} s")]
    TooMany {
        /// Seconds.
        retry_after: u64,
    },
    /// A body that is not valid (400002).
    #[error("{0}")]
    Invalid(String),
    /// No such cluster (404002).
    #[error("{0}")]
    ClusterNotFound(String),
    /// Taken, or read-only (409001).
    #[error("{0}")]
    Conflict(String),
    /// The pods of the cluster are still being synced for the first time (503001).
    #[error("{0}")]
    Syncing(String),
    /// The database is away (503002). Why is in the log.
    #[error("the database is unavailable: try again in a moment; lists of sessions in use go on without it")]
    Unavailable,
    /// What the cluster said.
    #[error(transparent)]
    Cluster(#[from] podgate_cluster::Error),
    /// Our fault (500001); the text is for the log only.
    #[error("{0}")]
    Internal(String),
}

impl From<podgate_store::Error> for Denied {
    fn from(error: podgate_store::Error) -> Self {
        match error {
            podgate_store::Error::Busy => Self::TooMany { retry_after: 1 },
            podgate_store::Error::Unavailable(reason) => {
                tracing::debug!(%reason, "a call failed for want of the database");
                Self::Unavailable
            }
            podgate_store::Error::Weak(reason) => Self::Invalid(reason),
            podgate_store::Error::Taken(name) => Self::Conflict(format!("the name `{name}` is taken: choose another")),
            other => Self::Internal(other.to_string()),
        }
    }
}

/// Shorthand.
pub type Result<T> = std::result::Result<T, Denied>;
