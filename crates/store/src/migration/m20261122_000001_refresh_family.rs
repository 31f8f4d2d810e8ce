//! What all refresh tokens of a session share, in place of the last one that was used up.

// The trait's async methods leave the manager's lifetime out, and so must we.
#![allow(elided_lifetimes_in_paths)]

use sea_orm_migration::prelude::*;

/// See the module.
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

/// The hash of a used-up token that a row may hold is no family's, and matches none.
fn renamed(from: Sessions, to: Sessions) -> TableAlterStatement {
    Table::alter().table(Sessions::Table).rename_column(from, to).to_owned()
}

fn index(name: &str, column: Sessions) -> IndexCreateStatement {
    Index::create().name(name).table(Sessions::Table).col(column).to_owned()
}

fn index_to_drop(name: &str) -> IndexDropStatement {
    Index::drop().name(name).table(Sessions::Table).to_owned()
}
