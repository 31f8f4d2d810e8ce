//! What can go wrong with the database and the keys.

use std::path::PathBuf;

use sea_orm::{DbErr, SqlErr};

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database URL is not one that we know.
    #[error(
        "the database URL must begin with `sqlite:`, `postgres://` or `postgresql://`, such as sqlite:/var/lib/podgate/podgate.db"
    )]
    Url,
    /// It begins as SQLite's do, and names no file. Quotes nothing of the URL: it may hold a password.
    #[error("the database URL is malformed: it looks like sqlite:/var/lib/podgate/podgate.db")]
    SqliteUrl,
    /// It begins as PostgreSQL's do, and is none. Quotes nothing of the URL: any part may be one of the password.
    #[error(
        "the database URL is malformed: it looks like postgres://user:password@host:5432/podgate?parameter=value, and other characters than \
         letters, digits and -._~ in user and password must be percent-encoded"
    )]
    PostgresUrl,
    /// The database can't be opened or migrated. The text holds no password.
    #[error("can't open the database {database}: {reason}")]
    Open {
        /// The database, without its credential.
        database: String,
        /// Why.
        reason: String,
    },
    /// A file or folder of ours can't be made or read.
    #[error("can't {action} {path}: {source}")]
    File {
        /// What was tried, such as `create the folder`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The key file is not fit for use; nothing is started with it.
    #[error("the key file {path} {reason}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// There is no key file, and the database holds credentials that were encrypted with one.
    #[error(
        "the key file {0} is missing, and the database holds credentials that are encrypted with it: restore it from a backup; if it is lost, make \
         a new one (head -c 32 /dev/urandom, mode 0600) and give the clusters their credentials again"
    )]
    KeyMissing(PathBuf),
    /// A folder of ours is not fit for use.
    #[error("the folder {path} {reason}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// A password that is not taken. The text is for the one who chose it.
    #[error("{0}")]
    Weak(String),
    /// A name that must be unique is taken.
    #[error("the name `{0}` is taken")]
    Taken(String),
    /// What is stored does not open with this key, or is not what it says it is.
    #[error(
        "the stored {0} can't be decrypted: the key file is not the one that it was stored with, or the database was altered"
    )]
    Unseal(&'static str),
    /// More log-ins are waiting than can be served.
    #[error("too many log-ins are being checked at once")]
    Busy,
    /// The hash function failed, or a stored hash is malformed.
    #[error("the password could not be hashed: {0}")]
    Password(String),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {0}")]
    Random(String),
    /// A row holds what no version of ours writes.
    #[error("the database holds a malformed {0}")]
    Malformed(&'static str),
    /// The database can't be reached, can't work, or did not answer within a second.
    #[error("the database is unavailable: {}", cut(&.0.to_string()))]
    Unavailable(DbErr),
    /// A statement failed.
    #[error("the database failed: {}", cut(&.0.to_string()))]
    Database(DbErr),
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if crate::db::is_away(&error) {
            Self::Unavailable(error)
        } else {
            Self::Database(error)
        }
    }
}

impl Error {
    /// Whether a unique constraint was violated.
    pub(crate) fn is_duplicate(error: &DbErr) -> bool {
        matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
    }
}

/// How many characters of a database's own words a message quotes.
const QUOTED: usize = 256;

/// Cuts what a database says, and takes out of it what moves a terminal's cursor or turns its text around.
pub(crate) fn cut(text: &str) -> String {
    let shown = |c: char| {
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns { ' ' } else { c }
    };
    let mut short: String = text.chars().take(QUOTED).map(shown).collect();
    if text.chars().nth(QUOTED).is_some() {
        short.push('…');
    }
    short
}

/// Shorthand.
pub type Result<T> = std::result::Result<T, Error>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_databases_words_are_cut_and_harmless() {
        let text = format!("FATAL:\n\u{202e}{}", "x".repeat(1000));
        let shown = Error::from(DbErr::Custom(text)).to_string();
        assert!(shown.contains("FATAL:  xxx") && shown.ends_with("x…"), "{shown}");
        assert!(shown.chars().count() < 300);
    }
}
