//! Requests as an API server understands them: verb, resource, object and parameters.

use std::sync::Arc;

use axum::body::Body;
use http::header::ACCEPT;
use percent_encoding::percent_decode_str;

use crate::auth::{Identity, User};
use crate::negotiate::{self, Form};
use crate::object::Kind;
use crate::state::State;
use crate::status::Failure;

/// The resource or object that a path names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Target {
    /// The API group; empty for the core group.
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) namespace: Option<String>,
    pub(crate) resource: String,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
}

/// One request, with everything that an endpoint needs to answer it.
pub(crate) struct Call {
    pub(crate) state: Arc<State>,
    pub(crate) identity: Identity,
    pub(crate) target: Target,
    pub(crate) query: Query,
    pub(crate) request: http::Request<Body>,
}

impl Call {
    /// Returns the namespace of the object; empty for a cluster-scoped one.
    pub(crate) fn namespace(&self) -> &str {
        self.target.namespace.as_deref().unwrap_or_default()
    }

    /// Returns the name of the object; empty for a list.
    pub(crate) fn name(&self) -> &str {
        self.target.name.as_deref().unwrap_or_default()
    }

    /// Returns the user that the request acts as.
    pub(crate) fn user(&self) -> &User {
        self.identity.effective()
    }

    /// Chooses the form of the answer for objects of a kind.
    ///
    /// # Errors
    ///
    /// 406 when the client accepts none of the forms that the kind has.
    pub(crate) fn form(&self, kind: Kind) -> Result<Form, Failure> {
        let protobuf = kind == Kind::Pod && !self.state.faults.protobuf_off();
        negotiate::form(self.header(ACCEPT), protobuf)
    }

    /// Returns a request header as text; empty if it is absent.
    pub(crate) fn header(&self, name: http::HeaderName) -> &str {
        self.request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// The decoded parameters of a query, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query(pub(crate) Vec<(String, String)>);

impl Query {
    /// Decodes `a=b&c=d`.
    pub(crate) fn parse(query: &str) -> Query {
        let decode = |text: &str| {
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        Query(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(key, value)| (decode(key), decode(value)))
                .collect(),
        )
    }

    /// Returns the first value of a parameter; `None` when it is absent or empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next().filter(|value| !value.is_empty())
    }

    /// Returns every value of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let name = name.to_owned();
        self.0
            .iter()
            .filter(move |(key, _)| *key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns whether a parameter is set to anything except 0 or false. Kubernetes converts
    /// booleans this way.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.all(name)
            .next()
            .is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"))
    }

    /// Returns a parameter as an integer.
    ///
    /// # Errors
    ///
    /// 400 when it is not an integer.
    pub(crate) fn number(&self, name: &str) -> Result<Option<i64>, Failure> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let parse = |error| Failure::bad_request(format!("strconv.ParseInt: parsing \"{text}\": {error}"));
        text.parse().map(Some).map_err(|_| parse("invalid syntax"))
    }
}

impl Target {
    /// Parses `/api/v1/…` or `/apis/GROUP/VERSION/…`; returns `None` for other paths.
    pub(crate) fn parse(path: &str) -> Option<Target> {
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let mut parts = path.trim_matches('/').split('/').map(decode);
        let group = match parts.next()?.as_str() {
            "api" => String::new(),
            "apis" => parts.next()?,
            _ => return None,
        };
        let version = parts.next()?;
        let mut parts: Vec<String> = parts.collect();
        let mut namespace = None;
        if parts.len() >= 2 && parts.first().is_some_and(|part| part == "namespaces") {
            namespace = parts.get(1).cloned();
            if parts.len() > 2 && !matches!(parts.get(2).map(String::as_str), Some("status" | "finalize")) {
                parts.drain(..2);
            }
        }
        let mut parts = parts.into_iter();
        let target = Target {
            group,
            version,
            namespace,
            resource: parts.next()?,
            name: parts.next(),
            subresource: parts.next(),
        };
        (parts.next().is_none() && !target.resource.is_empty()).then_some(target)
    }
}
