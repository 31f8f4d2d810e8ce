//! The database: users, sessions and clusters, in SQLite or PostgreSQL. Credentials of clusters are encrypted before they get here.

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {}
