//! Why a call was not carried out.

/// A refusal or failure below the API. Each variant's text is a whole sentence for the caller.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Denied {
    /// Wrong user name or password (401001).
    #[error("wrong user name or password")]
    WrongPassword,
    /// The session is over (401002).
    #[error("the session has expired: log in again")]
    SessionExpired,
    /// No credential, or an unknown one (401003).
    #[error("{0}")]
    NoCredential(String),
    /// The account is locked or disabled (401004).
    #[error("{0}")]
    AccountLocked(String),
    /// The caller lacks the permission (403001).
    #[error("{0}")]
    Forbidden(String),
    /// Too many attempts (429001).
    #[error("too many attempts: try again in {retry_after} s")]
    TooMany {
        /// Seconds after which to try again.
        retry_after: u64,
    },
    /// A body that is not valid (400002).
    #[error("{0}")]
    Invalid(String),
    /// No such cluster (404002).
    #[error("{0}")]
    ClusterNotFound(String),
    /// The name is taken, or the cluster is read-only (409001).
    #[error("{0}")]
    Conflict(String),
    /// The pods of the cluster are still being synced for the first time (503001).
    #[error("{0}")]
    Syncing(String),
    /// The database is unavailable (503002). The reason is in the log.
    #[error("the database is unavailable: try again in a moment; lists continue for sessions in use")]
    Unavailable,
    /// The cluster refused or failed.
    #[error(transparent)]
    Cluster(#[from] podgate_cluster::Error),
    /// A fault of Podgate (500001). The text is for the log only.
    #[error("{0}")]
    Internal(String),
}

impl From<podgate_store::Error> for Denied {
    fn from(error: podgate_store::Error) -> Self {
        match error {
            podgate_store::Error::Busy => Self::TooMany { retry_after: 1 },
            podgate_store::Error::Unavailable(reason) => {
                tracing::debug!(%reason, "a call failed because the database is unavailable");
                Self::Unavailable
            }
            podgate_store::Error::Weak(reason) => Self::Invalid(reason),
            podgate_store::Error::Taken(name) => Self::Conflict(format!("the name `{name}` is taken: choose another")),
            other => Self::Internal(other.to_string()),
        }
    }
}

/// A result whose error is [`Denied`].
pub type Result<T> = std::result::Result<T, Denied>;
