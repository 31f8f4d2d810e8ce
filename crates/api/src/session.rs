//! The endpoints of sessions: log-in, log-out, the caller's own account, and WebSocket tickets.

use axum::{
    extract::State as Extract,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, header};
use podgate_access::{
    User,
    action::OwnAccount,
    sessions::{Login, RefreshedBy},
    tickets,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    ApiError, Authorized, Body, Data, Message, Operation, Schemas, State, Success,
    extract::{
        auth::{Tried, cookie_name, refresh_cookie, refresh_cookie_name, without_base, without_ticket},
        body::{MaybeBody, SMALL_BODY},
    },
    http::client_info::ClientInfo,
    time,
};

const LOGGED_OUT: &str = "Logged out";
const PASSWORD_CHANGED: &str = "Password changed; all other sessions have ended";

/// An account.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserView {
    /// The account's number.
    id: i64,
    /// The account's name.
    username: String,
    /// The mail address; may be empty.
    email: String,
    /// The role. The only one is `admin`.
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

/// The caller's account, and when its session ends.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Account)]
pub(crate) struct AccountView {
    #[serde(flatten)]
    user: UserView,
    /// The time at which the access token expires.
    expire: String,
    /// The time at which the session ends at the latest.
    session_expire: String,
}

/// A session as its owner receives it. It has no `Debug` because it holds tokens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub(crate) struct LoginView {
    /// The access token, for `Authorization: Bearer`.
    token: String,
    /// The refresh token, which works once; empty if it came in a cookie, and stays in one.
    refresh_token: String,
    /// The time at which the access token expires.
    #[schema(format = DateTime)]
    expire: String,
    /// The account that the session belongs to.
    user: UserView,
}

/// The body of a log-in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    /// The account's name.
    username: String,
    /// The account's password.
    password: String,
}

/// The body of a refresh.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Refresh {
    /// The refresh token of the last log-in or refresh. A browser leaves it out: its cookie has it.
    refresh_token: Option<String>,
}

/// The body of a log-out: a refresh token, instead of a live access token or together with it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Logout {
    /// The refresh token of the session to end.
    refresh_token: Option<String>,
}

/// The body of a change of password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct PasswordChange {
    /// The current password.
    old_password: String,
    /// The new password: at least 8 characters and at most 1,024 bytes. It must not contain the
    /// user name or be one of the commonly guessed passwords.
    #[schema(min_length = 8)]
    new_password: String,
}

/// The body of a request for a ticket.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TicketRequest {
    /// Path and query of the WebSocket, exactly as it will be opened but without `ticket`.
    #[schema(
        pattern = r#"^/ws/[!"$-~]*$"#,
        max_length = 8192,
        example = "/ws/clusters/1/namespaces/default/pods/nginx-abc123/exec?container=nginx"
    )]
    path: String,
}

/// A ticket that opens one WebSocket.
#[derive(Serialize, ToSchema)]
#[schema(as = Ticket)]
pub(crate) struct TicketView {
    /// The value for `?ticket=`, which works once.
    ticket: String,
    /// The time at which the ticket expires.
    #[schema(format = DateTime)]
    expire: String,
}

pub(crate) const LOGIN: Operation = Operation::new(
    "session.login",
    "Opens a session.",
    Success::Data(Schemas::of::<LoginView>),
)
.fails(&[401_001, 401_004, 429_001, 503_002]);

/// `POST /api/auth/login`.
pub(crate) async fn login(
    Extract(state): Extract<State>,
    seen: ClientInfo,
    headers: HeaderMap,
    Body(credentials): Body<Credentials, SMALL_BODY>,
) -> Result<Response, ApiError> {
    let Credentials { username, password } = credentials;
    let login = state.sessions().login(&username, &password, seen.peer).await?;
    opened(login, RefreshedBy::Body, &state, &seen, &headers)
}

pub(crate) const REFRESH: Operation = Operation::new(
    "session.refresh",
    "Exchanges a refresh token for new tokens.",
    Success::Data(Schemas::of::<LoginView>),
)
.fails(&[401_002, 401_003, 401_004, 503_002]);

/// `POST /api/auth/refresh`.
pub(crate) async fn refresh(
    Extract(state): Extract<State>,
    seen: ClientInfo,
    headers: HeaderMap,
    Body(refresh): Body<Refresh, SMALL_BODY>,
) -> Result<Response, ApiError> {
    if let Some(token) = refresh.refresh_token {
        let login = state.sessions().refresh(&token, RefreshedBy::Body).await?;
        return opened(login, RefreshedBy::Body, &state, &seen, &headers);
    }
    let token = refresh_cookie(&headers, &seen, state.options()).ok_or_else(|| {
        ApiError::NoCredential("there is no refresh token: send `refreshToken`, or log in again".into())
    })?;
    let login = state.sessions().refresh(token, RefreshedBy::Cookie).await?;
    opened(login, RefreshedBy::Cookie, &state, &seen, &headers)
}

pub(crate) const LOGOUT: Operation = Operation::new(
    "session.logout",
    "Ends the session of the access token or of the refresh token, at once.",
    Success::Message(LOGGED_OUT),
)
.fails(&[401_002, 401_003, 401_004, 503_002]);

/// `POST /api/auth/logout`. It is public, because a refresh token can end a session whose access
/// token has expired.
pub(crate) async fn logout(
    Extract(state): Extract<State>,
    Tried(caller): Tried,
    seen: ClientInfo,
    headers: HeaderMap,
    MaybeBody(logout): MaybeBody<Logout>,
) -> Result<Response, ApiError> {
    let mut failure = match caller {
        Ok(caller) => {
            state.sessions().logout(&caller).await?;
            None
        }
        Err(error) => Some(error),
    };
    if let Some(token) = logout.and_then(|logout| logout.refresh_token) {
        if state.sessions().logout_by_refresh(&token).await? {
            failure = None;
        } else if let Some(ApiError::NoCredential(_)) = failure {
            let text = "neither the access token nor the refresh token belongs to a session: it may have ended already";
            failure = Some(ApiError::NoCredential(text.to_owned()));
        }
    }
    if let Some(error) = failure {
        return Err(error);
    }
    let mut response = Message(LOGGED_OUT).into_response();
    let secure = seen.secure(&headers, state.options());
    for cookie in [session_cookie(&state, secure), refresh_cookie_of(&state, secure)] {
        set_cookie(&mut response, &cookie, "", Some(0))?;
    }
    Ok(response)
}

pub(crate) const ME: Operation = Operation::new(
    "session.me",
    "Returns the caller's account.",
    Success::Data(Schemas::of::<AccountView>),
);

/// `GET /api/auth/me`.
pub(crate) async fn me(Authorized(scoped): Authorized<OwnAccount>) -> Data<AccountView> {
    let caller = scoped.caller();
    Data(AccountView {
        user: User::clone(&caller.user).into(),
        expire: time::from_millis(caller.token_expires_at),
        session_expire: time::from_millis(caller.expires_at),
    })
}

pub(crate) const CHANGE_PASSWORD: Operation = Operation::new(
    "session.changePassword",
    "Changes the caller's password and ends the account's other sessions.",
    Success::Message(PASSWORD_CHANGED),
)
.fails(&[401_001, 429_001]);

/// `POST /api/auth/change-password`.
pub(crate) async fn change_password(
    Authorized(scoped): Authorized<OwnAccount>,
    Extract(state): Extract<State>,
    Body(change): Body<PasswordChange>,
) -> Result<Message, ApiError> {
    let PasswordChange {
        old_password,
        new_password,
    } = change;
    let sessions = state.sessions();
    sessions
        .change_password(scoped.caller(), &old_password, &new_password)
        .await?;
    Ok(Message(PASSWORD_CHANGED))
}

pub(crate) const TICKET: Operation = Operation::new(
    "session.ticket",
    "Makes a ticket that opens one WebSocket.",
    Success::Data(Schemas::of::<TicketView>),
)
.fails(&[429_001]);

/// `POST /api/ws-tickets`.
pub(crate) async fn ticket(
    Authorized(scoped): Authorized<OwnAccount>,
    Extract(state): Extract<State>,
    Body(request): Body<TicketRequest>,
) -> Result<Data<TicketView>, ApiError> {
    let path = without_base(&request.path, &state.options().base_path);
    let target = match path.split_once('?') {
        None => path.to_owned(),
        Some((path, query)) => match without_ticket(query) {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        },
    };
    let ticket = state.tickets().issue(scoped.caller(), &target)?;
    let expire = jiff::Timestamp::now().as_second() + tickets::LIFETIME;
    Ok(Data(TicketView {
        ticket,
        expire: time::from_seconds(expire),
    }))
}

/// Builds the answer to a log-in or refresh: the tokens, and for a browser the cookies.
fn opened(
    login: Login,
    by: RefreshedBy,
    state: &State,
    seen: &ClientInfo,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let Login {
        token,
        refresh_token,
        expires_at,
        session_expires_at,
        user,
    } = login;
    let by_cookie = by == RefreshedBy::Cookie;
    let view = LoginView {
        token: token.clone(),
        refresh_token: if by_cookie {
            String::new()
        } else {
            refresh_token.clone()
        },
        expire: time::from_millis(expires_at),
        user: user.into(),
    };
    let mut response = Data(view).into_response();
    if token.is_empty() {
        // Another tab has set both cookies just now.
        return Ok(response);
    }
    let secure = seen.secure(headers, state.options());
    set_cookie(&mut response, &session_cookie(state, secure), &token, None)?;
    if by_cookie || headers.contains_key(header::ORIGIN) {
        let left = session_expires_at.saturating_sub(jiff::Timestamp::now().as_millisecond()) / 1000;
        set_cookie(
            &mut response,
            &refresh_cookie_of(state, secure),
            &refresh_token,
            Some(left.max(0)),
        )?;
    }
    Ok(response)
}

/// A cookie without its value.
struct Cookie {
    name: String,
    path: String,
    secure: bool,
}

fn session_cookie(state: &State, secure: bool) -> Cookie {
    let path = match state.options().base_path.as_str() {
        "" => "/",
        base => base,
    };
    Cookie {
        name: cookie_name(secure, state.options()),
        path: path.to_owned(),
        secure,
    }
}

fn refresh_cookie_of(state: &State, secure: bool) -> Cookie {
    Cookie {
        name: refresh_cookie_name(secure),
        path: format!("{}/api/auth/refresh", state.options().base_path),
        secure,
    }
}

/// Sets a cookie for `age` seconds, or until the browser is closed.
fn set_cookie(response: &mut Response, cookie: &Cookie, value: &str, age: Option<i64>) -> Result<(), ApiError> {
    let Cookie { name, path, secure } = cookie;
    let age = age.map_or(String::new(), |age| format!("; Max-Age={age}"));
    let secure = if *secure { "; Secure" } else { "" };
    let cookie = format!("{name}={value}; Path={path}; HttpOnly; SameSite=Strict{secure}{age}");
    let cookie = HeaderValue::from_str(&cookie).map_err(|error| ApiError::Internal(format!("a cookie: {error}")))?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(())
}
