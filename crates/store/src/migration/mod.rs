//! The tables, version by version. A released migration never changes; later ones follow it.

mod m20260101_000001_users_sessions_clusters;
mod m20261122_000001_refresh_family;
mod m20261126_000001_known_networks;
mod m20261127_000001_refresh_before;
mod m20261127_000002_preferences;

use sea_orm_migration::prelude::*;

/// All migrations, in order.
pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20260101_000001_users_sessions_clusters::Migration),
            Box::new(m20261122_000001_refresh_family::Migration),
            Box::new(m20261126_000001_known_networks::Migration),
            Box::new(m20261127_000001_refresh_before::Migration),
            Box::new(m20261127_000002_preferences::Migration),
        ]
    }
}
