//! Messages of volumes.

use super::container::{LOCAL_OBJECT_REFERENCE, OBJECT_FIELD_SELECTOR, RESOURCE_FIELD_SELECTOR};
use super::{
    Message,
    Shape::{Bool, Inline, Many, Number, One, Quantity, Text},
};

const KEY_TO_PATH: Message = &[(1, "key", Text), (2, "path", Text), (3, "mode", Number)];
const DOWNWARD_API_VOLUME_FILE: Message = &[
    (1, "path", Text),
    (2, "fieldRef", One(OBJECT_FIELD_SELECTOR)),
    (3, "resourceFieldRef", One(RESOURCE_FIELD_SELECTOR)),
    (4, "mode", Number),
];
const HOST_PATH_VOLUME_SOURCE: Message = &[(1, "path", Text), (2, "type", Text)];
const EMPTY_DIR_VOLUME_SOURCE: Message = &[(1, "medium", Text), (2, "sizeLimit", Quantity)];
const SECRET_VOLUME_SOURCE: Message = &[
    (1, "secretName", Text),
    (2, "items", Many(KEY_TO_PATH)),
    (3, "defaultMode", Number),
    (4, "optional", Bool),
];
const CONFIG_MAP_VOLUME_SOURCE: Message = &[
    (1, "localObjectReference", Inline(LOCAL_OBJECT_REFERENCE)),
    (2, "items", Many(KEY_TO_PATH)),
    (3, "defaultMode", Number),
    (4, "optional", Bool),
];
const NFS_VOLUME_SOURCE: Message = &[(1, "server", Text), (2, "path", Text), (3, "readOnly", Bool)];
const PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE: Message = &[(1, "claimName", Text), (2, "readOnly", Bool)];
const DOWNWARD_API_VOLUME_SOURCE: Message = &[(1, "items", Many(DOWNWARD_API_VOLUME_FILE)), (2, "defaultMode", Number)];
const SECRET_PROJECTION: Message = &[
    (1, "localObjectReference", Inline(LOCAL_OBJECT_REFERENCE)),
    (2, "items", Many(KEY_TO_PATH)),
    (4, "optional", Bool),
];
const CONFIG_MAP_PROJECTION: Message = &[
    (1, "localObjectReference", Inline(LOCAL_OBJECT_REFERENCE)),
    (2, "items", Many(KEY_TO_PATH)),
    (4, "optional", Bool),
];
const DOWNWARD_API_PROJECTION: Message = &[(1, "items", Many(DOWNWARD_API_VOLUME_FILE))];
const SERVICE_ACCOUNT_TOKEN_PROJECTION: Message = &[
    (1, "audience", Text),
    (2, "expirationSeconds", Number),
    (3, "path", Text),
];
const VOLUME_PROJECTION: Message = &[
    (1, "secret", One(SECRET_PROJECTION)),
    (2, "downwardAPI", One(DOWNWARD_API_PROJECTION)),
    (3, "configMap", One(CONFIG_MAP_PROJECTION)),
    (4, "serviceAccountToken", One(SERVICE_ACCOUNT_TOKEN_PROJECTION)),
];
const PROJECTED_VOLUME_SOURCE: Message = &[(1, "sources", Many(VOLUME_PROJECTION)), (2, "defaultMode", Number)];
const VOLUME_SOURCE: Message = &[
    (1, "hostPath", One(HOST_PATH_VOLUME_SOURCE)),
    (2, "emptyDir", One(EMPTY_DIR_VOLUME_SOURCE)),
    (6, "secret", One(SECRET_VOLUME_SOURCE)),
    (7, "nfs", One(NFS_VOLUME_SOURCE)),
    (10, "persistentVolumeClaim", One(PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE)),
    (16, "downwardAPI", One(DOWNWARD_API_VOLUME_SOURCE)),
    (19, "configMap", One(CONFIG_MAP_VOLUME_SOURCE)),
    (26, "projected", One(PROJECTED_VOLUME_SOURCE)),
];
pub(super) const VOLUME: Message = &[(1, "name", Text), (2, "volumeSource", Inline(VOLUME_SOURCE))];
