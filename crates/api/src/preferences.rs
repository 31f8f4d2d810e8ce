//! `GET` and `PUT /api/auth/me/preferences`: a JSON object that the server keeps for the web page
//! and does not interpret.

use axum::{
    extract::State as Extract,
    response::{IntoResponse, Response},
};
use podgate_access::action::OwnAccount;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::{Map, Value, value::RawValue};
use utoipa::ToSchema;

use crate::{
    ApiError, Authorized, Body, Data, Operation, Params, Schemas, State, Success,
    extract::body::SMALL_BODY,
    http::etag::{IfMatch, IfNoneMatch, Tag},
};

/// The most levels of objects and lists, with the outermost object as the first.
const LEVELS: usize = 8;

/// The preferences before they are first set.
const EMPTY: &str = "{}";

/// Preferences of an account: any object of at most 8 levels, as the client wrote it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = std::collections::BTreeMap<String, Value>)]
pub(crate) struct Preferences(Box<RawValue>);

impl<'de> Deserialize<'de> for Preferences {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        // A raw value may be other than an object, and may have escapes that are no characters.
        let object: Map<String, Value> = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        if 1 + levels(object.values()) > LEVELS {
            let message = format!("preferences are nested deeper than {LEVELS} levels: store less structure");
            return Err(D::Error::custom(message));
        }
        Ok(Self(text))
    }
}

/// Returns the number of levels of the deepest value. `serde_json` reads at most 128 levels.
fn levels<'a>(values: impl Iterator<Item = &'a Value>) -> usize {
    let levels = |value: &Value| match value {
        Value::Array(values) => 1 + levels(values.iter()),
        Value::Object(values) => 1 + levels(values.values()),
        _ => 0,
    };
    values.map(levels).max().unwrap_or_default()
}

pub(crate) const GET: Operation = Operation::new(
    "session.preferences",
    "Returns the preferences of the caller's account.",
    Success::Data(Schemas::of::<Preferences>),
);

/// `GET /api/auth/me/preferences`.
pub(crate) async fn get(
    Authorized(scoped): Authorized<OwnAccount>,
    Params(()): Params<()>,
    known: IfNoneMatch,
    Extract(state): Extract<State>,
) -> Result<Response, ApiError> {
    let stored = state.sessions().preferences(scoped.caller()).await?;
    let text = shown(&stored);
    let tag = Tag::of_text(text);
    if known.has(&tag) {
        return Ok(tag.unchanged());
    }
    let text = RawValue::from_string(text.to_owned())
        .map_err(|error| ApiError::Internal(format!("the stored preferences are not JSON: {error}")))?;
    Ok(answer(Preferences(text), &tag))
}

pub(crate) const SET: Operation = Operation::new(
    "session.setPreferences",
    "Replaces the preferences of the caller's account.",
    Success::Data(Schemas::of::<Preferences>),
)
.fails(&[409_001]);

/// `PUT /api/auth/me/preferences`. Answers with what is stored now.
pub(crate) async fn set(
    Authorized(scoped): Authorized<OwnAccount>,
    Params(()): Params<()>,
    known: IfMatch,
    Extract(state): Extract<State>,
    Body(preferences): Body<Preferences, SMALL_BODY>,
) -> Result<Response, ApiError> {
    let text = preferences.0.get();
    let admits = |before: &str| known.has(&Tag::of_text(shown(before)));
    let admits = known.is_given().then_some(&admits as &(dyn Fn(&str) -> bool + Sync));
    let (sessions, caller) = (state.sessions(), scoped.caller());
    sessions.replace_preferences(caller, text, admits).await?;
    let tag = Tag::of_text(text);
    Ok(answer(preferences, &tag))
}

/// Returns preferences as a client sees them: those never set are an empty object.
fn shown(text: &str) -> &str {
    if text.is_empty() { EMPTY } else { text }
}

fn answer(preferences: Preferences, tag: &Tag) -> Response {
    let mut response = Data(preferences).into_response();
    tag.put(response.headers_mut());
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn preferences_are_an_object_of_a_few_levels() {
        let read = |text: &str| serde_json::from_str::<Preferences>(text).map(|read| read.0.get().to_owned());
        for good in [
            "{}",
            r#"{"b":1.50,"a":18446744073709551616}"#,
            r#"{"a":[[[[[[[]]]]]]]}"#,
            r#"{"a":{"b":{"c":{"d":{"e":{"f":{"g":null}}}}}}}"#,
        ] {
            assert_eq!(read(good).unwrap(), good);
        }
        for bad in ["[]", "null", "1", r#""a""#, r#"{"a":"\ud800"}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
        for deep in [
            r#"{"a":[[[[[[[[]]]]]]]]}"#,
            r#"{"z":1,"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{}}}}}}}}}"#,
        ] {
            assert!(read(deep).unwrap_err().to_string().contains("8 levels"), "{deep}");
        }
    }
}
