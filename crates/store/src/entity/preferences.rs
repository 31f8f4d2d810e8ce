//! The column `preferences` of the table `users`.

use sea_orm::entity::prelude::*;

/// The preferences in a row of `users`.
///
/// They are an entity of their own, so that a session's check, which reads the account, does not
/// read them too.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(column_type = "Text")]
    pub preferences: String,
}

/// No relation is used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub(crate) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
