//! The database: users, sessions and clusters, in SQLite or PostgreSQL. Credentials of clusters are encrypted before they get
//! there, tokens and passwords are there as hashes only. No SQL and no entity leaves this crate.
//!
//! Times are milliseconds since the epoch; the caller says what time it is.

mod cluster;
mod connect;
mod entity;
mod error;
mod migration;
mod password;
mod private;
mod seal;
mod session;
mod user;

use sea_orm::DatabaseConnection;

pub use cluster::{Cluster, ClusterEdit, NewCluster, Origin};
pub use error::{Error, Result};
pub use password::{PasswordHash, Passwords, Turn};
pub use private::create_private_dir;
pub use seal::Key;
pub use session::{NewSession, Rotation, Session, TokenHash};
pub use user::{NewUser, User};

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    db: DatabaseConnection,
    key: Key,
    passwords: Passwords,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Where passwords are hashed and verified: one at a time in the whole process.
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }
}
