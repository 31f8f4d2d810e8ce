//! The objects of a list: its version and its pages.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::call::{Call, Query};
use crate::object::{Kind, Object};
use crate::selectors::Selectors;
use crate::status::Failure;
use crate::store::{Range, Snapshot};

const CONTINUE_EXPIRED: &str = "The provided continue parameter is too old to display a consistent list result. You can \
    start a new list without the continue parameter, or use the continue token in this response to retrieve the \
    remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were \
    created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

/// One page, with the list's metadata.
pub(super) struct Page {
    pub(super) metadata: Value,
    pub(super) objects: Vec<Arc<Object>>,
}

/// A continue token. On the wire it is the base64 of its JSON.
struct Token {
    /// The version of the list; `None` for the current one.
    version: Option<u64>,
    /// The last key of the previous page.
    after: (String, String),
    /// The number of previous pages.
    pages: u64,
}

impl Token {
    fn encode(&self) -> String {
        let version = self.version.map_or_else(|| json!(-1), |version| json!(version));
        let start = format!("{}/{}\0", self.after.0, self.after.1);
        let token = json!({"v": "meta.k8s.io/v1", "rv": version, "start": start, "pages": self.pages});
        URL_SAFE_NO_PAD.encode(token.to_string())
    }

    fn decode(text: &str) -> Result<Token, Failure> {
        let invalid =
            |why: &str| Failure::bad_request(format!("invalid continue token: continue key is not valid: {why}"));
        let bytes = URL_SAFE_NO_PAD
            .decode(text.trim_end_matches('='))
            .map_err(|error| invalid(&error.to_string()))?;
        let token: Value = serde_json::from_slice(&bytes).map_err(|error| invalid(&error.to_string()))?;
        if token["v"] != "meta.k8s.io/v1" {
            return Err(invalid(&format!(
                "server does not recognize this encoded version {}",
                token["v"]
            )));
        }
        let start = token["start"].as_str().unwrap_or_default();
        let after = start
            .trim_end_matches('\0')
            .split_once('/')
            .ok_or_else(|| invalid("the start has no namespace"))?;
        let after = (after.0.to_owned(), after.1.to_owned());
        Ok(Token {
            version: token["rv"].as_u64(),
            after,
            pages: token["pages"].as_u64().unwrap_or(1),
        })
    }
}

/// Reads the page that a query asks for.
pub(super) fn read(call: &Call, kind: Kind, selectors: &Selectors) -> Result<Page, Failure> {
    check(&call.query)?;
    call.query.number("timeoutSeconds")?;
    let limit = call
        .query
        .number("limit")?
        .and_then(|limit| usize::try_from(limit).ok())
        .filter(|limit| *limit > 0);
    let token = call.query.get("continue").map(Token::decode).transpose()?;
    // With selectors, the limit counts matching objects, so all objects must be read.
    let range_limit = limit.filter(|_| selectors.is_empty());
    let snapshot = match &token {
        Some(token) => next_page(call, kind, token, range_limit)?,
        None => first_page(call, kind, range_limit)?,
    };
    let mut objects = snapshot.objects;
    objects.retain(|object| selectors.matches(object));
    let mut metadata = json!({"resourceVersion": snapshot.version.to_string()});
    let limit = limit.unwrap_or(usize::MAX);
    let remaining = objects.len().saturating_sub(limit) + snapshot.more;
    if remaining > 0 {
        objects.truncate(limit);
        if let Some(last) = objects.last() {
            let after = (last.namespace.clone(), last.name.clone());
            let pages = token.map_or(0, |token| token.pages) + 1;
            metadata["continue"] = Token {
                version: Some(snapshot.version),
                after,
                pages,
            }
            .encode()
            .into();
        }
        if selectors.is_empty() {
            metadata["remainingItemCount"] = remaining.into();
        }
    }
    Ok(Page { metadata, objects })
}

fn first_page(call: &Call, kind: Kind, limit: Option<usize>) -> Result<Snapshot, Failure> {
    let range = Range {
        namespace: call.target.namespace.as_deref(),
        after: None,
        limit,
    };
    let snapshot = call.state.store.page(kind, range);
    let Some(asked) = version(&call.query)?.filter(|version| *version > 0) else {
        return Ok(snapshot);
    };
    if asked > snapshot.version {
        return Err(too_large(asked, snapshot.version));
    }
    // A limited list at a version reads exactly that version, as in Kubernetes' older semantics.
    let exact = match call.query.get("resourceVersionMatch") {
        None => call.query.get("limit").is_some_and(|limit| limit != "0"),
        Some(rule) => rule == "Exact",
    };
    if !exact {
        return Ok(snapshot);
    }
    let old = call.state.store.at(kind, range, asked);
    old.map_err(|_| Failure::expired("The resourceVersion for the provided list is too old."))
}

fn next_page(call: &Call, kind: Kind, token: &Token, limit: Option<usize>) -> Result<Snapshot, Failure> {
    let store = &call.state.store;
    let range = Range {
        namespace: call.target.namespace.as_deref(),
        after: Some(&token.after),
        limit,
    };
    let Some(version) = token.version else {
        return Ok(store.page(kind, range));
    };
    let limit = call
        .state
        .faults
        .page_limit()
        .and_then(|pages| u64::try_from(pages).ok());
    let allowed = limit.is_none_or(|limit| token.pages < limit);
    let snapshot = allowed.then(|| store.at(kind, range, version).ok()).flatten();
    snapshot.ok_or_else(|| {
        let mut failure = Failure::expired(CONTINUE_EXPIRED);
        let fresh = Token {
            version: None,
            after: token.after.clone(),
            pages: token.pages,
        };
        failure.continue_token = Some(fresh.encode());
        failure
    })
}

/// Reads the `resourceVersion` of a query.
///
/// # Errors
///
/// 400 when it is not a number.
pub(crate) fn version(query: &Query) -> Result<Option<u64>, Failure> {
    let Some(text) = query.get("resourceVersion") else {
        return Ok(None);
    };
    let refuse = |_| {
        Failure::bad_request(format!(
            "invalid resource version: resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": \
             invalid syntax"
        ))
    };
    text.parse().map(Some).map_err(refuse)
}

/// Builds the 504 for a version that has not been reached.
pub(crate) fn too_large(asked: u64, current: u64) -> Failure {
    let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
    Failure::new(
        504,
        format!("Timeout: Too large resource version: {asked}, current: {current}"),
    )
    .with_details(json!({"causes": [cause], "retryAfterSeconds": 1}))
}

/// Checks the options of a list, as Kubernetes' `ValidateListOptions` does.
fn check(query: &Query) -> Result<(), Failure> {
    let rule = query.get("resourceVersionMatch");
    if rule.is_some() && query.get("resourceVersion").is_none() {
        let why = "resourceVersionMatch is forbidden unless resourceVersion is provided";
        return Err(invalid_option("resourceVersionMatch", why));
    }
    if rule.is_some() && query.get("continue").is_some() {
        let why = "resourceVersionMatch is forbidden when continue is provided";
        return Err(invalid_option("resourceVersionMatch", why));
    }
    if rule == Some("Exact") && query.get("resourceVersion") == Some("0") {
        let why = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
        return Err(invalid_option("resourceVersionMatch", why));
    }
    if let Some(rule) = rule.filter(|rule| !matches!(*rule, "Exact" | "NotOlderThan")) {
        let why = format!("Unsupported value: \"{rule}\": supported values: \"Exact\", \"NotOlderThan\", \"\"");
        return Err(invalid("resourceVersionMatch", "FieldValueNotSupported", &why));
    }
    if query.get("sendInitialEvents").is_some() {
        return Err(invalid_option(
            "sendInitialEvents",
            "sendInitialEvents is forbidden for list",
        ));
    }
    Ok(())
}

/// Builds the 422 for a forbidden option of `ListOptions`.
pub(crate) fn invalid_option(field: &str, why: &str) -> Failure {
    invalid(field, "FieldValueForbidden", &format!("Forbidden: {why}"))
}

fn invalid(field: &str, reason: &str, why: &str) -> Failure {
    let cause = json!({"reason": reason, "message": why, "field": field});
    let details = json!({"group": "meta.k8s.io", "kind": "ListOptions", "causes": [cause]});
    Failure::new(422, format!("ListOptions.meta.k8s.io \"\" is invalid: {field}: {why}")).with_details(details)
}
