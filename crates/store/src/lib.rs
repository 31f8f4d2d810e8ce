//! The database: users, sessions and clusters, in SQLite or PostgreSQL.
//!
//! Credentials of clusters are encrypted before they are stored; tokens and passwords are stored as
//! hashes only. No SQL and no entity leaves this crate.
//!
//! Times are milliseconds since the epoch. The caller passes the current time.

mod cluster;
mod connect;
mod db;
mod entity;
mod error;
mod migration;
mod network;
mod password;
mod preferences;
mod private;
mod seal;
mod session;
mod strength;
mod url;
mod user;

pub use cluster::{Cluster, ClusterEdit, NewCluster, Origin};
pub use error::{Error, Result};
pub use password::{PasswordHash, Passwords, Priority, Turn};
pub use private::create_data_dir;
pub use session::{NewSession, Rotation, Session, TokenHash, Used};
pub use user::{NewUser, User};

/// The database. Cheap to clone.
///
/// A call fails with [`Error::Unavailable`] if a statement has no answer within a second, including
/// the wait for a connection.
#[derive(Clone)]
pub struct Store {
    db: db::Db,
    key: seal::Key,
    passwords: Passwords,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Returns the hasher of passwords, which works on one at a time in the whole process.
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }
}
