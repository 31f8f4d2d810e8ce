//! Sessions: the hashes of their tokens, and when they end.

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    Store, User,
    entity::{
        session::{ActiveModel, Column, Entity, Model},
        user,
    },
    error::{Error, Result},
};

/// How many rows a statement names at most. SQLite allows 32,766 parameters.
const CHUNK: usize = 500;

/// The SHA-256 of a token.
pub type TokenHash = [u8; 32];

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its number, which is never reused.
    pub id: i64,
    /// The number of its user.
    pub user_id: i64,
    /// The hash of its access token.
    pub token_hash: TokenHash,
    /// When it began.
    pub created_at: i64,
    /// When it was last used, as recorded by [`Store::touch_session`].
    pub last_used_at: i64,
    /// When the access token must be refreshed.
    pub token_expires_at: i64,
    /// When the session ends at the latest.
    pub expires_at: i64,
    /// When it last got new tokens; 0 if it never did.
    pub rotated_at: i64,
    /// Whether one of its present tokens was used, as recorded by [`Store::touch_session`].
    pub confirmed: bool,
}

/// A new session.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// As in [`Session`].
    pub user_id: i64,
    /// As in [`Session`].
    pub token_hash: TokenHash,
    /// The hash of the refresh token.
    pub refresh_hash: TokenHash,
    /// The hash of the part that all refresh tokens of the session share.
    pub refresh_family: TokenHash,
    /// As in [`Session`].
    pub token_expires_at: i64,
    /// As in [`Session`].
    pub expires_at: i64,
}

/// The refresh token that a rotation uses up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// The present one.
    Present,
    /// The one before, if neither of the present tokens was used.
    Before,
}

/// New tokens of a session.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The refresh token that is used up.
    pub used: Used,
    /// Its hash.
    pub used_refresh_hash: TokenHash,
    /// The hash of the new access token.
    pub token_hash: TokenHash,
    /// The hash of the new refresh token.
    pub refresh_hash: TokenHash,
    /// As in [`NewSession`].
    pub refresh_family: TokenHash,
    /// When the new access token must be refreshed.
    pub token_expires_at: i64,
}

impl TryFrom<Model> for Session {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: row.id,
            user_id: row.user_id,
            token_hash: row.token_hash.try_into().map_err(|_| Error::Malformed("token hash"))?,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            token_expires_at: row.token_expires_at,
            expires_at: row.expires_at,
            rotated_at: row.rotated_at,
            confirmed: row.confirmed,
        })
    }
}

impl Store {
    /// Adds a session.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn insert_session(&self, new: NewSession, now: i64) -> Result<Session> {
        let row = ActiveModel {
            user_id: Set(new.user_id),
            token_hash: Set(new.token_hash.to_vec()),
            refresh_hash: Set(new.refresh_hash.to_vec()),
            refresh_family: Set(Some(new.refresh_family.to_vec())),
            refresh_before: Set(None),
            rotated_at: Set(0),
            confirmed: Set(false),
            created_at: Set(now),
            last_used_at: Set(now),
            token_expires_at: Set(new.token_expires_at),
            expires_at: Set(new.expires_at),
            ..Default::default()
        };
        row.insert(&self.db).await?.try_into()
    }

    /// Returns the session of an access token, with its user.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn session_by_token(&self, hash: &TokenHash) -> Result<Option<(Session, User)>> {
        self.session_with_user(Column::TokenHash, hash).await
    }

    /// Returns the session of a refresh token, with its user.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn session_by_refresh(&self, hash: &TokenHash) -> Result<Option<(Session, User)>> {
        self.session_with_user(Column::RefreshHash, hash).await
    }

    /// Returns the session whose refresh token before the present one this is, with its user.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn session_by_refresh_before(&self, hash: &TokenHash) -> Result<Option<(Session, User)>> {
        self.session_with_user(Column::RefreshBefore, hash).await
    }

    /// Returns the session whose refresh tokens share a part, whether they are used up or not, with
    /// its user.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn session_by_refresh_family(&self, hash: &TokenHash) -> Result<Option<(Session, User)>> {
        self.session_with_user(Column::RefreshFamily, hash).await
    }

    async fn session_with_user(&self, column: Column, hash: &TokenHash) -> Result<Option<(Session, User)>> {
        let row = Entity::find()
            .filter(column.eq(hash.as_slice()))
            .find_also_related(user::Entity)
            .one(&self.db)
            .await?;
        row.map(with_user).transpose()
    }

    /// Returns those of the numbered sessions that still exist, with their users, in no particular
    /// order.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn sessions_by_ids(&self, ids: &[i64]) -> Result<Vec<(Session, User)>> {
        let mut found = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let rows = Entity::find()
                .filter(Column::Id.is_in(chunk.iter().copied()))
                .find_also_related(user::Entity)
                .all(&self.db)
                .await?;
            for row in rows {
                found.push(with_user(row)?);
            }
        }
        Ok(found)
    }

    /// Gives a session new tokens if the used refresh token is still what [`Rotation::used`] says.
    /// Returns `false` if another call was faster.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn rotate_session(&self, id: i64, rotation: &Rotation, now: i64) -> Result<bool> {
        let used = rotation.used_refresh_hash.to_vec();
        let is_current = match rotation.used {
            Used::Present => Column::RefreshHash.eq(used.clone()),
            Used::Before => Column::RefreshBefore.eq(used.clone()).and(Column::Confirmed.eq(false)),
        };
        let updated = Entity::update_many()
            .col_expr(Column::TokenHash, Expr::value(rotation.token_hash.to_vec()))
            .col_expr(Column::RefreshHash, Expr::value(rotation.refresh_hash.to_vec()))
            .col_expr(Column::RefreshFamily, Expr::value(rotation.refresh_family.to_vec()))
            .col_expr(Column::TokenExpiresAt, Expr::value(rotation.token_expires_at))
            .col_expr(Column::RefreshBefore, Expr::value(used))
            .col_expr(Column::RotatedAt, Expr::value(now))
            .col_expr(Column::Confirmed, Expr::value(false))
            .col_expr(Column::LastUsedAt, Expr::value(now))
            .filter(Column::Id.eq(id))
            .filter(is_current)
            .exec(&self.db)
            .await?;
        Ok(updated.rows_affected > 0)
    }

    /// Records that a session was used with an access token. A time before the recorded one changes
    /// nothing. A use of the present access token confirms that the client has it.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn touch_session(&self, id: i64, token: &TokenHash, now: i64) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::LastUsedAt, Expr::value(now))
            .col_expr(
                Column::Confirmed,
                Expr::col(Column::Confirmed).or(Expr::col(Column::TokenHash).eq(token.to_vec())),
            )
            .filter(Column::Id.eq(id))
            .filter(Column::LastUsedAt.lte(now))
            .exec(&self.db)
            .await?;
        Ok(())
    }

    /// Removes a session. Returns whether it existed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn delete_session(&self, id: i64) -> Result<bool> {
        Ok(Entity::delete_by_id(id).exec(&self.db).await?.rows_affected > 0)
    }

    /// Removes the longest unused sessions of a user, so that `keep` remain. Returns the numbers of
    /// those removed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn trim_sessions(&self, user: i64, keep: u64) -> Result<Vec<i64>> {
        let ids: Vec<i64> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::UserId.eq(user))
            .order_by_desc(Column::LastUsedAt)
            .order_by_desc(Column::Id)
            .offset(keep)
            .limit(CHUNK as u64)
            .into_tuple()
            .all(&self.db)
            .await?;
        if !ids.is_empty() {
            Entity::delete_many()
                .filter(Column::Id.is_in(ids.iter().copied()))
                .exec(&self.db)
                .await?;
        }
        Ok(ids)
    }

    /// Removes the sessions that ended, or were last used, at or before the given times. Returns
    /// how many.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn delete_expired_sessions(&self, ended: i64, last_used: i64) -> Result<u64> {
        let deleted = Entity::delete_many()
            .filter(
                Condition::any()
                    .add(Column::ExpiresAt.lte(ended))
                    .add(Column::LastUsedAt.lte(last_used)),
            )
            .exec(&self.db)
            .await?;
        Ok(deleted.rows_affected)
    }
}

fn with_user((session, user): (Model, Option<user::Model>)) -> Result<(Session, User)> {
    let user = user.ok_or(Error::Malformed("session without a user"))?;
    Ok((session.try_into()?, user.into()))
}
