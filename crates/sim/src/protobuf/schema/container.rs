//! Messages of containers.

use super::{
    Message,
    Shape::{Bool, Inline, IntOrString, Many, Number, One, Quantity, QuantityMap, Text, Texts},
};

const CONTAINER_PORT: Message = &[
    (1, "name", Text),
    (2, "hostPort", Number),
    (3, "containerPort", Number),
    (4, "protocol", Text),
    (5, "hostIP", Text),
];
pub(super) const OBJECT_FIELD_SELECTOR: Message = &[(1, "apiVersion", Text), (2, "fieldPath", Text)];
pub(super) const RESOURCE_FIELD_SELECTOR: Message = &[
    (1, "containerName", Text),
    (2, "resource", Text),
    (3, "divisor", Quantity),
];
pub(super) const LOCAL_OBJECT_REFERENCE: Message = &[(1, "name", Text)];
const CONFIG_MAP_KEY_SELECTOR: Message = &[
    (1, "localObjectReference", Inline(LOCAL_OBJECT_REFERENCE)),
    (2, "key", Text),
    (3, "optional", Bool),
];
const SECRET_KEY_SELECTOR: Message = &[
    (1, "localObjectReference", Inline(LOCAL_OBJECT_REFERENCE)),
    (2, "key", Text),
    (3, "optional", Bool),
];
const ENV_VAR_SOURCE: Message = &[
    (1, "fieldRef", One(OBJECT_FIELD_SELECTOR)),
    (2, "resourceFieldRef", One(RESOURCE_FIELD_SELECTOR)),
    (3, "configMapKeyRef", One(CONFIG_MAP_KEY_SELECTOR)),
    (4, "secretKeyRef", One(SECRET_KEY_SELECTOR)),
];
const ENV_VAR: Message = &[
    (1, "name", Text),
    (2, "value", Text),
    (3, "valueFrom", One(ENV_VAR_SOURCE)),
];
const CONFIG_MAP_ENV_SOURCE: Message = &[
    (1, "localObjectReference", Inline(LOCAL_OBJECT_REFERENCE)),
    (2, "optional", Bool),
];
const SECRET_ENV_SOURCE: Message = &[
    (1, "localObjectReference", Inline(LOCAL_OBJECT_REFERENCE)),
    (2, "optional", Bool),
];
const ENV_FROM_SOURCE: Message = &[
    (1, "prefix", Text),
    (2, "configMapRef", One(CONFIG_MAP_ENV_SOURCE)),
    (3, "secretRef", One(SECRET_ENV_SOURCE)),
];
pub(super) const RESOURCE_REQUIREMENTS: Message = &[(1, "limits", QuantityMap), (2, "requests", QuantityMap)];
const CONTAINER_RESIZE_POLICY: Message = &[(1, "resourceName", Text), (2, "restartPolicy", Text)];
const VOLUME_MOUNT: Message = &[
    (1, "name", Text),
    (2, "readOnly", Bool),
    (3, "mountPath", Text),
    (4, "subPath", Text),
    (5, "mountPropagation", Text),
    (6, "subPathExpr", Text),
    (7, "recursiveReadOnly", Text),
];
const VOLUME_DEVICE: Message = &[(1, "name", Text), (2, "devicePath", Text)];
const EXEC_ACTION: Message = &[(1, "command", Texts)];
const HTTP_HEADER: Message = &[(1, "name", Text), (2, "value", Text)];
const HTTP_GET: Message = &[
    (1, "path", Text),
    (2, "port", IntOrString),
    (3, "host", Text),
    (4, "scheme", Text),
    (5, "httpHeaders", Many(HTTP_HEADER)),
];
const TCP_SOCKET: Message = &[(1, "port", IntOrString), (2, "host", Text)];
const GRPC_ACTION: Message = &[(1, "port", Number), (2, "service", Text)];
const SLEEP_ACTION: Message = &[(1, "seconds", Number)];
const PROBE_HANDLER: Message = &[
    (1, "exec", One(EXEC_ACTION)),
    (2, "httpGet", One(HTTP_GET)),
    (3, "tcpSocket", One(TCP_SOCKET)),
    (4, "grpc", One(GRPC_ACTION)),
];
const PROBE: Message = &[
    (1, "handler", Inline(PROBE_HANDLER)),
    (2, "initialDelaySeconds", Number),
    (3, "timeoutSeconds", Number),
    (4, "periodSeconds", Number),
    (5, "successThreshold", Number),
    (6, "failureThreshold", Number),
    (7, "terminationGracePeriodSeconds", Number),
];
const LIFECYCLE_HANDLER: Message = &[
    (1, "exec", One(EXEC_ACTION)),
    (2, "httpGet", One(HTTP_GET)),
    (3, "tcpSocket", One(TCP_SOCKET)),
    (4, "sleep", One(SLEEP_ACTION)),
];
const LIFECYCLE: Message = &[
    (1, "postStart", One(LIFECYCLE_HANDLER)),
    (2, "preStop", One(LIFECYCLE_HANDLER)),
    (3, "stopSignal", Text),
];
pub(super) const SE_LINUX_OPTIONS: Message = &[
    (1, "user", Text),
    (2, "role", Text),
    (3, "type", Text),
    (4, "level", Text),
];
pub(super) const SECCOMP_PROFILE: Message = &[(1, "type", Text), (2, "localhostProfile", Text)];
pub(super) const APP_ARMOR_PROFILE: Message = &[(1, "type", Text), (2, "localhostProfile", Text)];
const CAPABILITIES: Message = &[(1, "add", Texts), (2, "drop", Texts)];
const SECURITY_CONTEXT: Message = &[
    (1, "capabilities", One(CAPABILITIES)),
    (2, "privileged", Bool),
    (3, "seLinuxOptions", One(SE_LINUX_OPTIONS)),
    (4, "runAsUser", Number),
    (5, "runAsNonRoot", Bool),
    (6, "readOnlyRootFilesystem", Bool),
    (7, "allowPrivilegeEscalation", Bool),
    (8, "runAsGroup", Number),
    (9, "procMount", Text),
    (11, "seccompProfile", One(SECCOMP_PROFILE)),
    (12, "appArmorProfile", One(APP_ARMOR_PROFILE)),
];
pub(super) const CONTAINER: Message = &[
    (1, "name", Text),
    (2, "image", Text),
    (3, "command", Texts),
    (4, "args", Texts),
    (5, "workingDir", Text),
    (6, "ports", Many(CONTAINER_PORT)),
    (7, "env", Many(ENV_VAR)),
    (8, "resources", One(RESOURCE_REQUIREMENTS)),
    (9, "volumeMounts", Many(VOLUME_MOUNT)),
    (10, "livenessProbe", One(PROBE)),
    (11, "readinessProbe", One(PROBE)),
    (12, "lifecycle", One(LIFECYCLE)),
    (13, "terminationMessagePath", Text),
    (14, "imagePullPolicy", Text),
    (15, "securityContext", One(SECURITY_CONTEXT)),
    (16, "stdin", Bool),
    (17, "stdinOnce", Bool),
    (18, "tty", Bool),
    (19, "envFrom", Many(ENV_FROM_SOURCE)),
    (20, "terminationMessagePolicy", Text),
    (21, "volumeDevices", Many(VOLUME_DEVICE)),
    (22, "startupProbe", One(PROBE)),
    (23, "resizePolicy", Many(CONTAINER_RESIZE_POLICY)),
    (24, "restartPolicy", Text),
];
pub(super) const EPHEMERAL_CONTAINER: Message = &[
    (1, "ephemeralContainerCommon", Inline(CONTAINER)),
    (2, "targetContainerName", Text),
];
