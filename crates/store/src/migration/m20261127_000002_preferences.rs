//! Adds the preferences of each user, which the web page keeps for itself.

// The trait's async methods omit the manager's lifetime, so these must too.
#![allow(elided_lifetimes_in_paths)]

use sea_orm_migration::prelude::*;

/// Adds the column.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Preferences,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = ColumnDef::new(Users::Preferences)
            .text()
            .not_null()
            .default("")
            .to_owned();
        let table = Table::alter().table(Users::Table).add_column(column).to_owned();
        manager.alter_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::alter()
            .table(Users::Table)
            .drop_column(Users::Preferences)
            .to_owned();
        manager.alter_table(table).await
    }
}
