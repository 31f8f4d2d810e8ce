//! Authorisation by role bindings, which are the same in every simulated cluster.

use serde_json::{Value, json};

use crate::auth::User;
use crate::status::Failure;

/// The attributes of a request that decide whether it is allowed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Attributes {
    pub(crate) verb: String,
    pub(crate) group: String,
    pub(crate) resource: String,
    pub(crate) subresource: String,
    /// The namespace; empty for the whole cluster.
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// The path of a request that names no resource, such as `/version`.
    pub(crate) path: Option<String>,
}

/// A rule of a role: verbs, API groups and resources, comma-separated.
struct Rule(&'static str, &'static str, &'static str);

/// A group that holds a role in one namespace.
struct Binding {
    group: &'static str,
    namespace: &'static str,
    name: &'static str,
    role: &'static str,
    rules: &'static [Rule],
}

/// The rules of the cluster roles `view` and `edit` that concern pods.
const VIEW: &[Rule] = &[
    Rule("get,list,watch", "", "pods,namespaces"),
    Rule("get,list,watch", "", "namespaces/status,pods/log,pods/status"),
    Rule("get,list,watch", ",events.k8s.io", "events"),
];
const EDIT: &[Rule] = &[
    Rule("get,list,watch", "", "pods,namespaces"),
    Rule("get,list,watch", "", "namespaces/status,pods/log,pods/status"),
    Rule("get,list,watch", ",events.k8s.io", "events"),
    Rule(
        "get,list,watch",
        "",
        "pods/attach,pods/exec,pods/portforward,pods/proxy",
    ),
    Rule(
        "create,delete,deletecollection,patch,update",
        "",
        "pods,pods/attach,pods/exec,pods/portforward,pods/proxy",
    ),
    Rule("create", "", "pods/eviction"),
];
const BINDINGS: &[Binding] = &[
    Binding {
        group: "shop-editors",
        namespace: "shop",
        name: "shop-editors",
        role: "edit",
        rules: EDIT,
    },
    Binding {
        group: "staging-viewers",
        namespace: "staging",
        name: "staging-viewers",
        role: "view",
        rules: VIEW,
    },
];
/// The rules for every authenticated user (`system:basic-user`).
const BASIC: &[Rule] = &[
    Rule(
        "create",
        "authorization.k8s.io",
        "selfsubjectaccessreviews,selfsubjectrulesreviews",
    ),
    Rule("create", "authentication.k8s.io", "selfsubjectreviews"),
];
/// The paths that every authenticated user may get (`system:discovery`). A final `*` stands for any
/// ending.
const PATHS: &[&str] = &[
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
    "/version/",
];

fn has(list: &str, item: &str) -> bool {
    list.split(',').any(|one| one == item)
}

impl Rule {
    fn allows(&self, wanted: &Attributes) -> bool {
        let resource = if wanted.subresource.is_empty() {
            wanted.resource.clone()
        } else {
            format!("{}/{}", wanted.resource, wanted.subresource)
        };
        has(self.0, &wanted.verb) && has(self.1, &wanted.group) && has(self.2, &resource)
    }

    fn json(&self) -> Value {
        let list = |items: &str| items.split(',').map(Value::from).collect::<Vec<_>>();
        json!({"verbs": list(self.0), "apiGroups": list(self.1), "resources": list(self.2)})
    }
}

/// Returns why a user may make a request, in the words of Kubernetes' authoriser, or `None` if it
/// may not.
pub(crate) fn decide(user: &User, wanted: &Attributes) -> Option<String> {
    let member = |group: &str| user.groups.iter().any(|of| of == group);
    if member("system:masters") {
        return Some(String::new());
    }
    if let Some(path) = &wanted.path {
        let covers = |rule: &&&str| {
            rule.strip_suffix('*')
                .map_or(path == **rule, |prefix| path.starts_with(prefix))
        };
        return PATHS
            .iter()
            .find(covers)
            .filter(|_| wanted.verb == "get" && member("system:authenticated"))
            .map(|_| {
                "RBAC: allowed by ClusterRoleBinding \"system:discovery\" of ClusterRole \"system:discovery\" to Group \
             \"system:authenticated\""
                    .to_owned()
            });
    }
    if member("system:authenticated") && BASIC.iter().any(|rule| rule.allows(wanted)) {
        return Some(
            "RBAC: allowed by ClusterRoleBinding \"system:basic-user\" of ClusterRole \"system:basic-user\" to Group \
             \"system:authenticated\""
                .to_owned(),
        );
    }
    let binding = BINDINGS.iter().find(|binding| {
        member(binding.group)
            && binding.namespace == wanted.namespace
            && binding.rules.iter().any(|rule| rule.allows(wanted))
    })?;
    let Binding {
        group,
        namespace,
        name,
        role,
        ..
    } = binding;
    Some(format!(
        "RBAC: allowed by RoleBinding \"{name}/{namespace}\" of ClusterRole \"{role}\" to Group \"{group}\""
    ))
}

/// Checks that a user may make a request.
///
/// # Errors
///
/// 403, in the words of Kubernetes, if it may not.
pub(crate) fn authorize(user: &User, wanted: &Attributes) -> Result<(), Failure> {
    match decide(user, wanted) {
        Some(_) => Ok(()),
        None => Err(forbidden(user, wanted)),
    }
}

/// Builds the 403 in the words of Kubernetes.
pub(crate) fn forbidden(user: &User, wanted: &Attributes) -> Failure {
    let Attributes {
        verb,
        group,
        resource,
        subresource,
        namespace,
        name,
        path,
    } = wanted;
    if let Some(path) = path {
        let message = format!("forbidden: User \"{}\" cannot {verb} path \"{path}\"", user.name);
        return Failure::new(403, message).with_details(json!({}));
    }
    let qualified = if group.is_empty() {
        resource.clone()
    } else {
        format!("{resource}.{group}")
    };
    let subject = if name.is_empty() {
        qualified
    } else {
        format!("{qualified} \"{name}\"")
    };
    let whole = if subresource.is_empty() {
        resource.clone()
    } else {
        format!("{resource}/{subresource}")
    };
    let scope = if namespace.is_empty() {
        "at the cluster scope".to_owned()
    } else {
        format!("in the namespace \"{namespace}\"")
    };
    let message = format!(
        "{subject} is forbidden: User \"{}\" cannot {verb} resource \"{whole}\" in API group \"{group}\" {scope}",
        user.name
    );
    let mut details = json!({ "kind": resource });
    if let Some(details) = details.as_object_mut() {
        let rest = [("name", name), ("group", group)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty());
        details.extend(rest.map(|(key, value)| (key.to_owned(), Value::from(value.as_str()))));
    }
    Failure::new(403, message).with_details(details)
}

/// Builds the status of a `SelfSubjectRulesReview`: the rules of a user in a namespace.
pub(crate) fn rules(user: &User, namespace: &str) -> Value {
    let member = |group: &str| user.groups.iter().any(|of| of == group);
    let mut resources = Vec::new();
    let mut paths = Vec::new();
    if member("system:masters") {
        resources.push(json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}));
        paths.push(json!({"verbs": ["*"], "nonResourceURLs": ["*"]}));
    }
    resources.extend(BASIC.iter().map(Rule::json));
    let bound = BINDINGS
        .iter()
        .filter(|binding| member(binding.group) && binding.namespace == namespace);
    resources.extend(bound.flat_map(|binding| binding.rules).map(Rule::json));
    paths.push(json!({"verbs": ["get"], "nonResourceURLs": PATHS}));
    json!({"resourceRules": resources, "nonResourceRules": paths, "incomplete": false})
}
