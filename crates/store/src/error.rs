//! The failures of the database and of the key file.

use std::path::PathBuf;

use sea_orm::{DbErr, SqlErr};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database URL has an unknown scheme.
    #[error(
        "the database URL must begin with `sqlite:`, `postgres://` or `postgresql://`, such as sqlite:/var/lib/podgate/podgate.db"
    )]
    Url,
    /// The URL begins as a SQLite URL but does not name a file. The text quotes no part of it: it
    /// may hold a password.
    #[error("the database URL is malformed: it must look like sqlite:/var/lib/podgate/podgate.db")]
    SqliteUrl,
    /// The URL begins as a PostgreSQL URL but is malformed. The text quotes no part of it: any part
    /// may belong to the password.
    #[error(
        "the database URL is malformed: it must look like postgres://user:password@host:5432/podgate?parameter=value, and every character \
         of user and password except letters, digits and -._~ must be percent-encoded"
    )]
    PostgresUrl,
    /// The database can't be opened or migrated. The text holds no password.
    #[error("can't open the database {database}: {reason}")]
    Open {
        /// The database, without its credential.
        database: String,
        /// The reason.
        reason: String,
    },
    /// A file or folder of Podgate's can't be created or read.
    #[error("can't {action} {path}: {source}")]
    File {
        /// The action, such as `create the folder`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// The key file is unfit for use, and Podgate does not start with it.
    #[error("the key file {path} {reason}")]
    Key {
        /// The file.
        path: PathBuf,
        /// The fault, and what to do about it.
        reason: String,
    },
    /// The key file is missing, and the database holds credentials that were encrypted with it.
    #[error(
        "the key file {0} is missing, and the database holds credentials that are encrypted with it: restore it from a backup; if it is lost, \
         create a new one (head -c 32 /dev/urandom, mode 0600) and supply the clusters' credentials again"
    )]
    KeyMissing(PathBuf),
    /// A folder of Podgate's is unfit for use.
    #[error("the folder {path} {reason}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The fault, and what to do about it.
        reason: String,
    },
    /// A password that the rules refuse. The text is for the person who chose it.
    #[error("{0}")]
    Weak(String),
    /// A name that must be unique is taken.
    #[error("the name `{0}` is taken")]
    Taken(String),
    /// A stored secret can't be decrypted with this key, or was altered.
    #[error(
        "the stored {0} can't be decrypted: the key file is not the one that it was stored with, or the database was altered"
    )]
    Unseal(&'static str),
    /// More log-ins are waiting than can be served.
    #[error("too many log-ins are being checked at once: try again in a moment")]
    Busy,
    /// The hash function failed, or a stored hash is malformed.
    #[error("the password could not be hashed: {0}")]
    Password(String),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {0}")]
    Random(String),
    /// A row holds a value that no version of Podgate writes.
    #[error("the database holds a malformed {0}")]
    Malformed(&'static str),
    /// The database can't be reached, can't work, or did not answer within a second.
    #[error("the database is unavailable: {}", excerpt(&.0.to_string()))]
    Unavailable(DbErr),
    /// A statement failed.
    #[error("a statement failed in the database: {}", excerpt(&.0.to_string()))]
    Database(DbErr),
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if crate::db::is_unavailable(&error) {
            Self::Unavailable(error)
        } else {
            Self::Database(error)
        }
    }
}

impl Error {
    /// Returns whether a unique constraint was violated.
    pub(crate) fn is_duplicate(error: &DbErr) -> bool {
        matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
    }
}

/// How many characters of a database's message are quoted.
const QUOTED: usize = 256;

/// Truncates a database's message and replaces the characters that move a terminal's cursor or
/// reverse its text.
pub(crate) fn excerpt(text: &str) -> String {
    let harmless = |c: char| {
        let reverses = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || reverses { ' ' } else { c }
    };
    let mut short: String = text.chars().take(QUOTED).map(harmless).collect();
    if text.chars().nth(QUOTED).is_some() {
        short.push('…');
    }
    short
}

/// The result of a call to the store.
pub type Result<T> = std::result::Result<T, Error>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_databases_message_is_truncated_and_harmless() {
        let text = format!("FATAL:\n\u{202e}{}", "x".repeat(1000));
        let shown = Error::from(DbErr::Custom(text)).to_string();
        assert!(shown.contains("FATAL:  xxx") && shown.ends_with("x…"), "{shown}");
        assert!(shown.chars().count() < 300);
    }
}
