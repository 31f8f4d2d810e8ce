//! Replaces the hash of the last used-up refresh token by the hash of the part that all refresh
//! tokens of a session share.

// The trait's async methods omit the manager's lifetime, so these must too.
#![allow(elided_lifetimes_in_paths)]

use sea_orm_migration::prelude::*;

/// Renames the column, and its index.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Sessions {
    Table,
    PreviousRefreshHash,
    RefreshFamily,
}

const PREVIOUS: &str = "sessions_previous_refresh_hash";
const FAMILY: &str = "sessions_refresh_family";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(index_to_drop(PREVIOUS)).await?;
        manager
            .alter_table(renamed(Sessions::PreviousRefreshHash, Sessions::RefreshFamily))
            .await?;
        manager.create_index(index(FAMILY, Sessions::RefreshFamily)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(index_to_drop(FAMILY)).await?;
        manager
            .alter_table(renamed(Sessions::RefreshFamily, Sessions::PreviousRefreshHash))
            .await?;
        manager
            .create_index(index(PREVIOUS, Sessions::PreviousRefreshHash))
            .await
    }
}

/// Renames a column. A row may still hold the hash of a used-up token, which is never equal to the
/// hash of a family.
fn renamed(from: Sessions, to: Sessions) -> TableAlterStatement {
    Table::alter().table(Sessions::Table).rename_column(from, to).to_owned()
}

fn index(name: &str, column: Sessions) -> IndexCreateStatement {
    Index::create().name(name).table(Sessions::Table).col(column).to_owned()
}

fn index_to_drop(name: &str) -> IndexDropStatement {
    Index::drop().name(name).table(Sessions::Table).to_owned()
}
