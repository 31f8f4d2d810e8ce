//! Users, their sessions, and clusters. Times are milliseconds since the epoch.

// The trait's async methods omit the manager's lifetime, so these must too.
#![allow(elided_lifetimes_in_paths)]

use sea_orm_migration::prelude::*;

/// Creates the tables of users, sessions and clusters.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    Username,
    Email,
    Role,
    PasswordHash,
    Disabled,
    LockedUntil,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum Sessions {
    Table,
    Id,
    UserId,
    TokenHash,
    RefreshHash,
    PreviousRefreshHash,
    CreatedAt,
    LastUsedAt,
    TokenExpiresAt,
    ExpiresAt,
}

#[derive(DeriveIden)]
enum Clusters {
    Table,
    Id,
    Name,
    Description,
    ApiServer,
    Namespaces,
    Origin,
    FixedKey,
    Credential,
    CreatedAt,
    UpdatedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(users()).await?;
        manager.create_table(sessions()).await?;
        for column in [Sessions::UserId, Sessions::PreviousRefreshHash, Sessions::ExpiresAt] {
            let name = format!("sessions_{}", column.to_string());
            manager
                .create_index(Index::create().name(name).table(Sessions::Table).col(column).to_owned())
                .await?;
        }
        manager.create_table(clusters()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(Clusters::Table).to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table(Sessions::Table).to_owned())
            .await?;
        manager.drop_table(Table::drop().table(Users::Table).to_owned()).await
    }
}

fn users() -> TableCreateStatement {
    Table::create()
        .table(Users::Table)
        .col(
            ColumnDef::new(Users::Id)
                .big_integer()
                .not_null()
                .auto_increment()
                .primary_key(),
        )
        .col(ColumnDef::new(Users::Username).string().not_null().unique_key())
        .col(ColumnDef::new(Users::Email).string().not_null())
        .col(ColumnDef::new(Users::Role).string().not_null())
        .col(ColumnDef::new(Users::PasswordHash).text().not_null())
        .col(ColumnDef::new(Users::Disabled).boolean().not_null())
        .col(ColumnDef::new(Users::LockedUntil).big_integer())
        .col(ColumnDef::new(Users::CreatedAt).big_integer().not_null())
        .col(ColumnDef::new(Users::UpdatedAt).big_integer().not_null())
        .to_owned()
}

fn sessions() -> TableCreateStatement {
    Table::create()
        .table(Sessions::Table)
        .col(
            ColumnDef::new(Sessions::Id)
                .big_integer()
                .not_null()
                .auto_increment()
                .primary_key(),
        )
        .col(ColumnDef::new(Sessions::UserId).big_integer().not_null())
        .col(ColumnDef::new(Sessions::TokenHash).blob().not_null().unique_key())
        .col(ColumnDef::new(Sessions::RefreshHash).blob().not_null().unique_key())
        .col(ColumnDef::new(Sessions::PreviousRefreshHash).blob())
        .col(ColumnDef::new(Sessions::CreatedAt).big_integer().not_null())
        .col(ColumnDef::new(Sessions::LastUsedAt).big_integer().not_null())
        .col(ColumnDef::new(Sessions::TokenExpiresAt).big_integer().not_null())
        .col(ColumnDef::new(Sessions::ExpiresAt).big_integer().not_null())
        .foreign_key(
            ForeignKey::create()
                .name("sessions_user")
                .from(Sessions::Table, Sessions::UserId)
                .to(Users::Table, Users::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn clusters() -> TableCreateStatement {
    Table::create()
        .table(Clusters::Table)
        .col(
            ColumnDef::new(Clusters::Id)
                .integer()
                .not_null()
                .auto_increment()
                .primary_key(),
        )
        .col(ColumnDef::new(Clusters::Name).string().not_null().unique_key())
        .col(ColumnDef::new(Clusters::Description).text().not_null())
        .col(ColumnDef::new(Clusters::ApiServer).text().not_null())
        .col(ColumnDef::new(Clusters::Namespaces).text().not_null())
        .col(ColumnDef::new(Clusters::Origin).string().not_null())
        .col(ColumnDef::new(Clusters::FixedKey).text().unique_key())
        .col(ColumnDef::new(Clusters::Credential).blob())
        .col(ColumnDef::new(Clusters::CreatedAt).big_integer().not_null())
        .col(ColumnDef::new(Clusters::UpdatedAt).big_integer().not_null())
        .to_owned()
}
