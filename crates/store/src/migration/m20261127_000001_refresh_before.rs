//! Adds the refresh token before the present one, so that a client whose answer was lost can ask
//! again.

// The trait's async methods omit the manager's lifetime, so these must too.
#![allow(elided_lifetimes_in_paths)]

use sea_orm_migration::prelude::*;

/// Adds the columns, and an index on the hash.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Sessions {
    Table,
    RefreshBefore,
    RotatedAt,
    Confirmed,
}

const BEFORE: &str = "sessions_refresh_before";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            ColumnDef::new(Sessions::RefreshBefore).blob().null().to_owned(),
            ColumnDef::new(Sessions::RotatedAt)
                .big_integer()
                .not_null()
                .default(0)
                .to_owned(),
            // A session from before this version has no token before the present one.
            ColumnDef::new(Sessions::Confirmed)
                .boolean()
                .not_null()
                .default(true)
                .to_owned(),
        ];
        // SQLite adds one column in a statement.
        for column in columns {
            let table = Table::alter().table(Sessions::Table).add_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        let index = Index::create()
            .name(BEFORE)
            .table(Sessions::Table)
            .col(Sessions::RefreshBefore)
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name(BEFORE).table(Sessions::Table).to_owned();
        manager.drop_index(index).await?;
        for column in [Sessions::RefreshBefore, Sessions::RotatedAt, Sessions::Confirmed] {
            let table = Table::alter().table(Sessions::Table).drop_column(column).to_owned();
            manager.alter_table(table).await?;
        }
        Ok(())
    }
}
