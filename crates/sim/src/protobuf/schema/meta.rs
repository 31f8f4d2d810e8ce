//! Messages of `k8s.io/apimachinery/pkg/apis/meta/v1`: metadata and failures.

use super::{
    Message,
    Shape::{Bool, Many, Number, One, RawJson, Text, TextMap, Texts, Time},
};

const OWNER_REFERENCE: Message = &[
    (1, "kind", Text),
    (3, "name", Text),
    (4, "uid", Text),
    (5, "apiVersion", Text),
    (6, "controller", Bool),
    (7, "blockOwnerDeletion", Bool),
];
const MANAGED_FIELDS_ENTRY: Message = &[
    (1, "manager", Text),
    (2, "operation", Text),
    (3, "apiVersion", Text),
    (4, "time", Time),
    (6, "fieldsType", Text),
    (7, "fieldsV1", RawJson),
    (8, "subresource", Text),
];
pub(in crate::protobuf) const OBJECT_META: Message = &[
    (1, "name", Text),
    (2, "generateName", Text),
    (3, "namespace", Text),
    (4, "selfLink", Text),
    (5, "uid", Text),
    (6, "resourceVersion", Text),
    (7, "generation", Number),
    (8, "creationTimestamp", Time),
    (9, "deletionTimestamp", Time),
    (10, "deletionGracePeriodSeconds", Number),
    (11, "labels", TextMap),
    (12, "annotations", TextMap),
    (13, "ownerReferences", Many(OWNER_REFERENCE)),
    (14, "finalizers", Texts),
    (17, "managedFields", Many(MANAGED_FIELDS_ENTRY)),
];
pub(in crate::protobuf) const LIST_META: Message = &[
    (1, "selfLink", Text),
    (2, "resourceVersion", Text),
    (3, "continue", Text),
    (4, "remainingItemCount", Number),
];
const LABEL_SELECTOR_REQUIREMENT: Message = &[(1, "key", Text), (2, "operator", Text), (3, "values", Texts)];
pub(super) const LABEL_SELECTOR: Message = &[
    (1, "matchLabels", TextMap),
    (2, "matchExpressions", Many(LABEL_SELECTOR_REQUIREMENT)),
];
const STATUS_CAUSE: Message = &[(1, "reason", Text), (2, "message", Text), (3, "field", Text)];
const STATUS_DETAILS: Message = &[
    (1, "name", Text),
    (2, "group", Text),
    (3, "kind", Text),
    (4, "causes", Many(STATUS_CAUSE)),
    (5, "retryAfterSeconds", Number),
    (6, "uid", Text),
];
pub(in crate::protobuf) const STATUS: Message = &[
    (1, "metadata", One(LIST_META)),
    (2, "status", Text),
    (3, "message", Text),
    (4, "reason", Text),
    (5, "details", One(STATUS_DETAILS)),
    (6, "code", Number),
];
