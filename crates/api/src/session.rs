//! Log-in, log-out and one's own account.

use podgate_access::{User, action::OwnAccount};
use serde::Serialize;

use crate::{Data, Opened};

/// An account as the API shows it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct UserView {
    id: i64,
    username: String,
    email: String,
    role: String,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            username: user.username,
            email: user.email,
            role: user.role,
        }
    }
}

/// `GET /api/auth/me`.
pub(crate) async fn me(Opened(scoped): Opened<OwnAccount>) -> Data<UserView> {
    Data(scoped.caller().user.clone().into())
}
