//! Messages of pods.

use super::container::{
    APP_ARMOR_PROFILE, CONTAINER, EPHEMERAL_CONTAINER, LOCAL_OBJECT_REFERENCE, RESOURCE_REQUIREMENTS, SE_LINUX_OPTIONS,
    SECCOMP_PROFILE,
};
use super::meta::{LABEL_SELECTOR, OBJECT_META};
use super::volume::VOLUME;
use super::{
    Message,
    Shape::{Bool, Many, Number, Numbers, One, QuantityMap, Text, TextMap, Texts, Time},
};

const NODE_SELECTOR_REQUIREMENT: Message = &[(1, "key", Text), (2, "operator", Text), (3, "values", Texts)];
const NODE_SELECTOR_TERM: Message = &[
    (1, "matchExpressions", Many(NODE_SELECTOR_REQUIREMENT)),
    (2, "matchFields", Many(NODE_SELECTOR_REQUIREMENT)),
];
const NODE_SELECTOR: Message = &[(1, "nodeSelectorTerms", Many(NODE_SELECTOR_TERM))];
const PREFERRED_SCHEDULING_TERM: Message = &[(1, "weight", Number), (2, "preference", One(NODE_SELECTOR_TERM))];
const NODE_AFFINITY: Message = &[
    (1, "requiredDuringSchedulingIgnoredDuringExecution", One(NODE_SELECTOR)),
    (
        2,
        "preferredDuringSchedulingIgnoredDuringExecution",
        Many(PREFERRED_SCHEDULING_TERM),
    ),
];
const POD_AFFINITY_TERM: Message = &[
    (1, "labelSelector", One(LABEL_SELECTOR)),
    (2, "namespaces", Texts),
    (3, "topologyKey", Text),
    (4, "namespaceSelector", One(LABEL_SELECTOR)),
    (5, "matchLabelKeys", Texts),
    (6, "mismatchLabelKeys", Texts),
];
const WEIGHTED_POD_AFFINITY_TERM: Message = &[(1, "weight", Number), (2, "podAffinityTerm", One(POD_AFFINITY_TERM))];
const POD_AFFINITY: Message = &[
    (
        1,
        "requiredDuringSchedulingIgnoredDuringExecution",
        Many(POD_AFFINITY_TERM),
    ),
    (
        2,
        "preferredDuringSchedulingIgnoredDuringExecution",
        Many(WEIGHTED_POD_AFFINITY_TERM),
    ),
];
const POD_ANTI_AFFINITY: Message = &[
    (
        1,
        "requiredDuringSchedulingIgnoredDuringExecution",
        Many(POD_AFFINITY_TERM),
    ),
    (
        2,
        "preferredDuringSchedulingIgnoredDuringExecution",
        Many(WEIGHTED_POD_AFFINITY_TERM),
    ),
];
const AFFINITY: Message = &[
    (1, "nodeAffinity", One(NODE_AFFINITY)),
    (2, "podAffinity", One(POD_AFFINITY)),
    (3, "podAntiAffinity", One(POD_ANTI_AFFINITY)),
];
const TOLERATION: Message = &[
    (1, "key", Text),
    (2, "operator", Text),
    (3, "value", Text),
    (4, "effect", Text),
    (5, "tolerationSeconds", Number),
];
const HOST_ALIAS: Message = &[(1, "ip", Text), (2, "hostnames", Texts)];
const POD_DNS_CONFIG_OPTION: Message = &[(1, "name", Text), (2, "value", Text)];
const POD_DNS_CONFIG: Message = &[
    (1, "nameservers", Texts),
    (2, "searches", Texts),
    (3, "options", Many(POD_DNS_CONFIG_OPTION)),
];
const TOPOLOGY_SPREAD_CONSTRAINT: Message = &[
    (1, "maxSkew", Number),
    (2, "topologyKey", Text),
    (3, "whenUnsatisfiable", Text),
    (4, "labelSelector", One(LABEL_SELECTOR)),
    (5, "minDomains", Number),
    (6, "nodeAffinityPolicy", Text),
    (7, "nodeTaintsPolicy", Text),
    (8, "matchLabelKeys", Texts),
];
const POD_READINESS_GATE: Message = &[(1, "conditionType", Text)];
const POD_SCHEDULING_GATE: Message = &[(1, "name", Text)];
const SYSCTL: Message = &[(1, "name", Text), (2, "value", Text)];
const POD_SECURITY_CONTEXT: Message = &[
    (1, "seLinuxOptions", One(SE_LINUX_OPTIONS)),
    (2, "runAsUser", Number),
    (3, "runAsNonRoot", Bool),
    (4, "supplementalGroups", Numbers),
    (5, "fsGroup", Number),
    (6, "runAsGroup", Number),
    (7, "sysctls", Many(SYSCTL)),
    (9, "fsGroupChangePolicy", Text),
    (10, "seccompProfile", One(SECCOMP_PROFILE)),
    (11, "appArmorProfile", One(APP_ARMOR_PROFILE)),
    (12, "supplementalGroupsPolicy", Text),
    (13, "seLinuxChangePolicy", Text),
];
const POD_OS: Message = &[(1, "name", Text)];
pub(in crate::protobuf) const POD_SPEC: Message = &[
    (1, "volumes", Many(VOLUME)),
    (2, "containers", Many(CONTAINER)),
    (3, "restartPolicy", Text),
    (4, "terminationGracePeriodSeconds", Number),
    (5, "activeDeadlineSeconds", Number),
    (6, "dnsPolicy", Text),
    (7, "nodeSelector", TextMap),
    (8, "serviceAccountName", Text),
    (9, "serviceAccount", Text),
    (10, "nodeName", Text),
    (11, "hostNetwork", Bool),
    (12, "hostPID", Bool),
    (13, "hostIPC", Bool),
    (14, "securityContext", One(POD_SECURITY_CONTEXT)),
    (15, "imagePullSecrets", Many(LOCAL_OBJECT_REFERENCE)),
    (16, "hostname", Text),
    (17, "subdomain", Text),
    (18, "affinity", One(AFFINITY)),
    (19, "schedulerName", Text),
    (20, "initContainers", Many(CONTAINER)),
    (21, "automountServiceAccountToken", Bool),
    (22, "tolerations", Many(TOLERATION)),
    (23, "hostAliases", Many(HOST_ALIAS)),
    (24, "priorityClassName", Text),
    (25, "priority", Number),
    (26, "dnsConfig", One(POD_DNS_CONFIG)),
    (27, "shareProcessNamespace", Bool),
    (28, "readinessGates", Many(POD_READINESS_GATE)),
    (29, "runtimeClassName", Text),
    (30, "enableServiceLinks", Bool),
    (31, "preemptionPolicy", Text),
    (32, "overhead", QuantityMap),
    (33, "topologySpreadConstraints", Many(TOPOLOGY_SPREAD_CONSTRAINT)),
    (34, "ephemeralContainers", Many(EPHEMERAL_CONTAINER)),
    (35, "setHostnameAsFQDN", Bool),
    (36, "os", One(POD_OS)),
    (37, "hostUsers", Bool),
    (38, "schedulingGates", Many(POD_SCHEDULING_GATE)),
    (40, "resources", One(RESOURCE_REQUIREMENTS)),
    (41, "hostnameOverride", Text),
];
const POD_CONDITION: Message = &[
    (1, "type", Text),
    (2, "status", Text),
    (3, "lastProbeTime", Time),
    (4, "lastTransitionTime", Time),
    (5, "reason", Text),
    (6, "message", Text),
    (7, "observedGeneration", Number),
];
const CONTAINER_STATE_WAITING: Message = &[(1, "reason", Text), (2, "message", Text)];
const CONTAINER_STATE_RUNNING: Message = &[(1, "startedAt", Time)];
const CONTAINER_STATE_TERMINATED: Message = &[
    (1, "exitCode", Number),
    (2, "signal", Number),
    (3, "reason", Text),
    (4, "message", Text),
    (5, "startedAt", Time),
    (6, "finishedAt", Time),
    (7, "containerID", Text),
];
const CONTAINER_STATE: Message = &[
    (1, "waiting", One(CONTAINER_STATE_WAITING)),
    (2, "running", One(CONTAINER_STATE_RUNNING)),
    (3, "terminated", One(CONTAINER_STATE_TERMINATED)),
];
const CONTAINER_STATUS: Message = &[
    (1, "name", Text),
    (2, "state", One(CONTAINER_STATE)),
    (3, "lastState", One(CONTAINER_STATE)),
    (4, "ready", Bool),
    (5, "restartCount", Number),
    (6, "image", Text),
    (7, "imageID", Text),
    (8, "containerID", Text),
    (9, "started", Bool),
    (10, "allocatedResources", QuantityMap),
    (11, "resources", One(RESOURCE_REQUIREMENTS)),
    (15, "stopSignal", Text),
];
const POD_IP: Message = &[(1, "ip", Text)];
const HOST_IP: Message = &[(1, "ip", Text)];
pub(in crate::protobuf) const POD_STATUS: Message = &[
    (1, "phase", Text),
    (2, "conditions", Many(POD_CONDITION)),
    (3, "message", Text),
    (4, "reason", Text),
    (5, "hostIP", Text),
    (6, "podIP", Text),
    (7, "startTime", Time),
    (8, "containerStatuses", Many(CONTAINER_STATUS)),
    (9, "qosClass", Text),
    (10, "initContainerStatuses", Many(CONTAINER_STATUS)),
    (11, "nominatedNodeName", Text),
    (12, "podIPs", Many(POD_IP)),
    (13, "ephemeralContainerStatuses", Many(CONTAINER_STATUS)),
    (14, "resize", Text),
    (16, "hostIPs", Many(HOST_IP)),
    (17, "observedGeneration", Number),
    (19, "allocatedResources", QuantityMap),
    (20, "resources", One(RESOURCE_REQUIREMENTS)),
];
pub(in crate::protobuf) const POD: Message = &[
    (1, "metadata", One(OBJECT_META)),
    (2, "spec", One(POD_SPEC)),
    (3, "status", One(POD_STATUS)),
];
