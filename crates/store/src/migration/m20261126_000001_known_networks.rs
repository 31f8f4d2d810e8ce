//! The networks that accounts have logged in from.

// The trait's async methods omit the manager's lifetime, so these must too.
#![allow(elided_lifetimes_in_paths)]

use sea_orm_migration::prelude::*;

/// Creates the table of known networks.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum KnownNetworks {
    Table,
    Id,
    UserId,
    Hash,
    LastUsedAt,
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(known_networks()).await?;
        for column in [KnownNetworks::UserId, KnownNetworks::LastUsedAt] {
            let name = format!("known_networks_{}", column.to_string());
            let index = Index::create()
                .name(name)
                .table(KnownNetworks::Table)
                .col(column)
                .to_owned();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(KnownNetworks::Table).to_owned())
            .await
    }
}

fn known_networks() -> TableCreateStatement {
    Table::create()
        .table(KnownNetworks::Table)
        .col(
            ColumnDef::new(KnownNetworks::Id)
                .big_integer()
                .not_null()
                .auto_increment()
                .primary_key(),
        )
        .col(ColumnDef::new(KnownNetworks::UserId).big_integer().not_null())
        .col(ColumnDef::new(KnownNetworks::Hash).blob().not_null().unique_key())
        .col(ColumnDef::new(KnownNetworks::LastUsedAt).big_integer().not_null())
        .foreign_key(
            ForeignKey::create()
                .name("known_networks_user")
                .from(KnownNetworks::Table, KnownNetworks::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}
