//! The table `sessions`.

use sea_orm::entity::prelude::*;

/// A row of `sessions`. The hashes are SHA-256 of the tokens.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: i64,
    #[sea_orm(unique)]
    pub token_hash: Vec<u8>,
    #[sea_orm(unique)]
    pub refresh_hash: Vec<u8>,
    /// `None` for a session that was last refreshed before families existed.
    pub refresh_family: Option<Vec<u8>>,
    /// The hash of the refresh token before the present one; `None` until the first refresh.
    pub refresh_before: Option<Vec<u8>>,
    pub rotated_at: i64,
    pub confirmed: bool,
    pub created_at: i64,
    pub last_used_at: i64,
    pub token_expires_at: i64,
    pub expires_at: i64,
}

/// The relations of a session.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id",
        on_delete = "Cascade"
    )]
    User,
}

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
