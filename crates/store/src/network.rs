//! The networks that accounts have logged in from.
//!
//! They are stored as keyed hashes, so that the database alone does not reveal where anyone was.

use std::net::IpAddr;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};

use crate::{
    Store, User,
    entity::known_network::{ActiveModel, Column, Entity},
    error::Result,
};

/// The purpose of the hash.
const PURPOSE: &str = "known network";

/// The number of networks that are remembered for an account: those used last.
const KEPT: u64 = 20;

impl Store {
    /// Returns whether an account has logged in from a network after a time.
    ///
    /// An unknown account has never logged in; finding that out takes the same work.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`], [`crate::Error::Database`].
    pub async fn knows_network(&self, username: &str, network: IpAddr, after: i64) -> Result<bool> {
        let row = Entity::find()
            .filter(Column::Hash.eq(self.network_hash(username, network)?.as_slice()))
            .one(&self.db)
            .await?;
        Ok(row.is_some_and(|row| row.last_used_at > after))
    }

    /// Records that a user has logged in from a network. Beyond 20 networks, forgets those unused
    /// for longest.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`], [`crate::Error::Database`].
    pub async fn record_network(&self, user: &User, network: IpAddr, now: i64) -> Result<()> {
        let row = ActiveModel {
            user_id: Set(user.id),
            hash: Set(self.network_hash(&user.username, network)?.to_vec()),
            last_used_at: Set(now),
            ..Default::default()
        };
        Entity::insert(row)
            .on_conflict(
                OnConflict::column(Column::Hash)
                    .update_column(Column::LastUsedAt)
                    .to_owned(),
            )
            .exec_without_returning(&self.db)
            .await?;
        let beyond: Vec<i64> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::UserId.eq(user.id))
            .order_by_desc(Column::LastUsedAt)
            .order_by_desc(Column::Id)
            .offset(KEPT)
            .limit(KEPT)
            .into_tuple()
            .all(&self.db)
            .await?;
        if !beyond.is_empty() {
            Entity::delete_many()
                .filter(Column::Id.is_in(beyond))
                .exec(&self.db)
                .await?;
        }
        Ok(())
    }

    /// Forgets the networks that nobody has logged in from after a time. Returns how many.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`], [`crate::Error::Database`].
    pub async fn forget_networks(&self, after: i64) -> Result<u64> {
        let deleted = Entity::delete_many()
            .filter(Column::LastUsedAt.lte(after))
            .exec(&self.db)
            .await?;
        Ok(deleted.rows_affected)
    }

    fn network_hash(&self, username: &str, network: IpAddr) -> Result<[u8; 32]> {
        let account = username.to_lowercase();
        match network {
            IpAddr::V4(v4) => self.key.keyed_hash(PURPOSE, &[account.as_bytes(), &v4.octets()]),
            IpAddr::V6(v6) => self.key.keyed_hash(PURPOSE, &[account.as_bytes(), &v6.octets()]),
        }
    }
}
