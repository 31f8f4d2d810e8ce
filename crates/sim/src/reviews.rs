//! The reviews, which tell a user its own permissions and identity.

use http::StatusCode;
use serde_json::{Value, json};

use crate::auth::User;
use crate::body;
use crate::call::Call;
use crate::rbac::{self, Attributes};
use crate::status::{Answer, Failure, json_response};
use crate::time;

/// The reviews that can be created: API group, plural and kind.
pub(crate) const REVIEWS: [(&str, &str, &str); 3] = [
    (
        "authorization.k8s.io",
        "selfsubjectaccessreviews",
        "SelfSubjectAccessReview",
    ),
    (
        "authorization.k8s.io",
        "selfsubjectrulesreviews",
        "SelfSubjectRulesReview",
    ),
    ("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview"),
];

/// Answers a review.
///
/// # Errors
///
/// 404 for any other resource, 405 for a verb other than create, 400 and 422 for an invalid body.
pub(crate) async fn answer(mut call: Call) -> Answer {
    let target = &call.target;
    let known = REVIEWS
        .iter()
        .find(|(group, resource, _)| *group == target.group && *resource == target.resource);
    let Some((group, _, kind)) = known.filter(|_| target.version == "v1" && target.name.is_none()) else {
        return Err(Failure::no_route());
    };
    if call.request.method() != http::Method::POST {
        return Err(Failure::no_method());
    }
    let mut review = body::object(&mut call, kind).await?;
    let spec = review.get("spec").cloned().unwrap_or_default();
    let status = match *kind {
        "SelfSubjectRulesReview" => rbac::rules(call.user(), spec["namespace"].as_str().unwrap_or_default()),
        "SelfSubjectReview" => json!({"userInfo": {"username": call.user().name, "groups": call.user().groups}}),
        _ => access(call.user(), &spec, group)?,
    };
    review["status"] = status;
    review["apiVersion"] = format!("{group}/v1").into();
    review["metadata"] = json!({"creationTimestamp": time::seconds(jiff::Timestamp::now())});
    let mut response = json_response(&review);
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

fn access(user: &User, spec: &Value, group: &str) -> Result<Value, Failure> {
    let text = |part: &Value, key: &str| part[key].as_str().unwrap_or_default().to_owned();
    let wanted = match (&spec["resourceAttributes"], &spec["nonResourceAttributes"]) {
        (resource @ Value::Object(_), Value::Null) => Attributes {
            verb: text(resource, "verb"),
            group: text(resource, "group"),
            resource: text(resource, "resource"),
            subresource: text(resource, "subresource"),
            namespace: text(resource, "namespace"),
            name: text(resource, "name"),
            path: None,
        },
        (Value::Null, path @ Value::Object(_)) => Attributes {
            verb: text(path, "verb"),
            path: Some(text(path, "path")),
            ..Attributes::default()
        },
        _ => {
            let why =
                "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified";
            return Err(invalid(group, "spec.resourceAttributes", why));
        }
    };
    Ok(match rbac::decide(user, &wanted) {
        Some(reason) if reason.is_empty() => json!({"allowed": true}),
        Some(reason) => json!({"allowed": true, "reason": reason}),
        None => json!({"allowed": false}),
    })
}

/// Builds the 422 about one field of a review.
fn invalid(group: &str, field: &str, why: &str) -> Failure {
    let cause = json!({"reason": "FieldValueInvalid", "message": why, "field": field});
    Failure::new(422, format!(".{group} \"\" is invalid: {field}: {why}"))
        .with_details(json!({"group": group, "causes": [cause]}))
}
