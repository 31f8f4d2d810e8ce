//! The table `known_networks`.

use sea_orm::entity::prelude::*;

/// A row of `known_networks`. The hash is keyed and covers account and network.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "known_networks")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    #[sea_orm(unique)]
    pub hash: Vec<u8>,
    pub last_used_at: i64,
}

/// No relation is used: the database removes the rows of a user that is removed.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
