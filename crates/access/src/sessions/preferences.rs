//! The preferences of accounts.

use super::Sessions;
use crate::{
    caller::Caller,
    error::{Denied, Result},
};

impl Sessions {
    /// Returns the preferences of the caller's account, as they were last set; empty before that.
    ///
    /// # Errors
    /// `SessionExpired` if the account no longer exists; `Unavailable`, `Internal`.
    pub async fn preferences(&self, caller: &Caller) -> Result<String> {
        let preferences = self.store.preferences(caller.user.id).await?;
        preferences.ok_or(Denied::SessionExpired)
    }

    /// Replaces the preferences of the caller's account, if `admits` returns `true` for those
    /// stored; in any case if there is no `admits`.
    ///
    /// # Errors
    /// `Conflict` if it returns `false`, or if they change meanwhile; `SessionExpired` if the
    /// account no longer exists; `Unavailable`, `Internal`.
    pub async fn replace_preferences(
        &self,
        caller: &Caller,
        preferences: &str,
        admits: Option<&(dyn Fn(&str) -> bool + Sync)>,
    ) -> Result<()> {
        let user = caller.user.id;
        let Some(admits) = admits else {
            let replaced = self.store.set_preferences(user, preferences, None).await?;
            return if replaced { Ok(()) } else { Err(Denied::SessionExpired) };
        };
        let before = self.preferences(caller).await?;
        // The statement compares them again, because another process may have replaced them since.
        if admits(&before) && self.store.set_preferences(user, preferences, Some(&before)).await? {
            return Ok(());
        }
        let message = "the preferences were changed elsewhere: read them again and repeat the change";
        Err(Denied::Conflict(message.to_owned()))
    }
}
