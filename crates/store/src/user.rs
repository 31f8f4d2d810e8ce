//! Users: the accounts that may log in.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr,
};

use crate::{
    Store,
    entity::{
        session,
        user::{ActiveModel, Column, Entity, Model},
    },
    error::{Error, Result},
    password::PasswordHash,
};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its number, which is never reused.
    pub id: i64,
    /// Its name. It is unique and stored in lower case, so that names that differ only in case are
    /// the same.
    pub username: String,
    /// Its mail address, or empty.
    pub email: String,
    /// Its role.
    pub role: String,
    /// Its password's hash.
    pub password: PasswordHash,
    /// Whether it may not log in.
    pub disabled: bool,
    /// Until when it may not log in, if it is locked.
    pub locked_until: Option<i64>,
    /// When it was created.
    pub created_at: i64,
    /// When it was last changed.
    pub updated_at: i64,
}

/// A new account.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// As in [`User`], in any case.
    pub username: String,
    /// As in [`User`].
    pub email: String,
    /// As in [`User`].
    pub role: String,
    /// As in [`User`].
    pub password: PasswordHash,
}

impl From<Model> for User {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            username: row.username,
            email: row.email,
            role: row.role,
            password: PasswordHash(row.password_hash),
            disabled: row.disabled,
            locked_until: row.locked_until,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl User {
    /// Returns whether it may neither log in nor keep using a session.
    pub fn is_barred(&self, now: i64) -> bool {
        self.disabled || self.locked_until.is_some_and(|until| now < until)
    }
}

impl Store {
    /// Returns the number of users.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn count_users(&self) -> Result<u64> {
        Ok(Entity::find().count(&self.db).await?)
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`Error::Taken`], [`Error::Database`].
    pub async fn create_user(&self, new: NewUser, now: i64) -> Result<User> {
        let username = new.username.to_lowercase();
        let row = ActiveModel {
            username: Set(username.clone()),
            email: Set(new.email),
            role: Set(new.role),
            password_hash: Set(new.password.0),
            disabled: Set(false),
            locked_until: Set(None),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        match row.insert(&self.db).await {
            Ok(row) => Ok(row.into()),
            Err(error) if Error::is_duplicate(&error) => Err(Error::Taken(username)),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the user with a name, in any case.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn user_by_name(&self, username: &str) -> Result<Option<User>> {
        let row = Entity::find()
            .filter(Column::Username.eq(username.to_lowercase()))
            .one(&self.db)
            .await?;
        Ok(row.map(Into::into))
    }

    /// Returns the user with a number.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn user_by_id(&self, id: i64) -> Result<Option<User>> {
        Ok(Entity::find_by_id(id).one(&self.db).await?.map(Into::into))
    }

    /// Replaces a user's password and ends all its sessions but one, in one transaction. Returns
    /// whether the user exists.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn set_password(&self, id: i64, password: PasswordHash, kept_session: i64, now: i64) -> Result<bool> {
        self.db
            .transaction(async |transaction| {
                let updated = Entity::update_many()
                    .col_expr(Column::PasswordHash, Expr::value(password.0))
                    .col_expr(Column::UpdatedAt, Expr::value(now))
                    .filter(Column::Id.eq(id))
                    .exec(&transaction)
                    .await?;
                session::Entity::delete_many()
                    .filter(session::Column::UserId.eq(id))
                    .filter(session::Column::Id.ne(kept_session))
                    .exec(&transaction)
                    .await?;
                transaction.commit().await?;
                Ok(updated.rows_affected > 0)
            })
            .await
    }

    /// Bars a user from logging in, or lifts the bar. Returns whether the user exists.
    ///
    /// The sessions of a barred user end at their next check.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn set_disabled(&self, id: i64, disabled: bool, now: i64) -> Result<bool> {
        self.update_user(id, Column::Disabled, Expr::value(disabled), now).await
    }

    /// Bars a user from logging in until a time; `None` lifts the bar. Returns whether the user
    /// exists.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn set_locked_until(&self, id: i64, until: Option<i64>, now: i64) -> Result<bool> {
        self.update_user(id, Column::LockedUntil, Expr::value(until), now).await
    }

    async fn update_user(&self, id: i64, column: Column, value: Expr, now: i64) -> Result<bool> {
        let updated = Entity::update_many()
            .col_expr(column, value)
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .filter(Column::Id.eq(id))
            .exec(&self.db)
            .await?;
        Ok(updated.rows_affected > 0)
    }
}
