//! Users' preferences: a text each, which only the web page understands.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{
    Store,
    entity::preferences::{Column, Entity},
    error::Result,
};

impl Store {
    /// Returns a user's preferences: empty before the first [`Store::set_preferences`], `None` if
    /// there is no such user.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn preferences(&self, user: i64) -> Result<Option<String>> {
        let row = Entity::find_by_id(user).one(&self.db).await?;
        Ok(row.map(|row| row.preferences))
    }

    /// Replaces a user's preferences, in one statement, if they are `expected`; in any case if that
    /// is `None`. Returns whether they were replaced.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn set_preferences(&self, user: i64, preferences: &str, expected: Option<&str>) -> Result<bool> {
        let mut update = Entity::update_many()
            .col_expr(Column::Preferences, Expr::value(preferences))
            .filter(Column::Id.eq(user));
        if let Some(expected) = expected {
            update = update.filter(Column::Preferences.eq(expected));
        }
        Ok(update.exec(&self.db).await?.rows_affected > 0)
    }
}
