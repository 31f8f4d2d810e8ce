//! The table `clusters`.

use sea_orm::entity::prelude::*;

/// A row of `clusters`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "clusters")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sea_orm(unique)]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub description: String,
    #[sea_orm(column_type = "Text")]
    pub api_server: String,
    #[sea_orm(column_type = "Text")]
    pub namespaces: String,
    pub origin: String,
    #[sea_orm(unique)]
    pub fixed_key: Option<String>,
    pub credential: Option<Vec<u8>>,
    pub created_at: i64,
    pub updated_at: i64,
}

/// The table has no relations.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
