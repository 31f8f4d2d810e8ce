//! Authentication: bearer tokens and impersonation.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::faults::Faults;
use crate::status::Failure;

/// The users that every simulated cluster has, each with its group. The token of a user is
/// `<user>-token`.
const USERS: [(&str, &str); 4] = [
    ("admin", "system:masters"),
    ("editor", "shop-editors"),
    ("viewer", "staging-viewers"),
    ("nobody", ""),
];

/// A user and its groups, as authorisation needs them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
}

/// The user whose token a request has, and the user that it impersonates.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The user whose token it is.
    pub(crate) user: User,
    /// The impersonated user, if any.
    pub(crate) impersonated: Option<User>,
}

impl Identity {
    /// Returns the user whose permissions apply.
    pub(crate) fn effective(&self) -> &User {
        self.impersonated.as_ref().unwrap_or(&self.user)
    }
}

/// Authenticates a request by its headers.
///
/// # Errors
///
/// 401 without a known token, 403 for impersonation by anybody but the administrator, 400 for
/// impersonated groups without a user.
pub(crate) fn identify(headers: &HeaderMap, faults: &Faults) -> Result<Identity, Failure> {
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let token = token.strip_prefix("Bearer ").unwrap_or_default().trim();
    let known = USERS
        .iter()
        .find(|(name, _)| token.strip_suffix("-token") == Some(name));
    let Some((name, group)) = known.filter(|(name, _)| !faults.is_revoked(name)) else {
        return Err(Failure::new(401, "Unauthorized"));
    };
    let user = user(
        name,
        [*group]
            .into_iter()
            .filter(|group| !group.is_empty())
            .map(str::to_owned)
            .collect(),
    );
    let impersonated = impersonated(headers, &user)?;
    Ok(Identity { user, impersonated })
}

fn user(name: &str, mut groups: Vec<String>) -> User {
    if !groups.iter().any(|group| group == "system:authenticated") {
        groups.push("system:authenticated".to_owned());
    }
    User {
        name: name.to_owned(),
        groups,
    }
}

fn impersonated(headers: &HeaderMap, user: &User) -> Result<Option<User>, Failure> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let groups: Vec<String> = headers.get_all("impersonate-group").iter().map(text).collect();
    let Some(name) = headers
        .get("impersonate-user")
        .map(text)
        .filter(|name| !name.is_empty())
    else {
        if groups.is_empty() {
            return Ok(None);
        }
        let message = "requested impersonation of groups without impersonating a user name";
        return Err(Failure::bad_request(message));
    };
    if !user.groups.iter().any(|group| group == "system:masters") {
        let message = format!(
            "users \"{name}\" is forbidden: User \"{}\" cannot impersonate resource \"users\" in API group \"\" at the \
             cluster scope",
            user.name
        );
        return Err(Failure::new(403, message).with_details(serde_json::json!({"name": name, "kind": "users"})));
    }
    Ok(Some(self::user(&name, groups)))
}
