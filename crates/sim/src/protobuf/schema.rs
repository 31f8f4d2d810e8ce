//! The messages of pods and failures, as the `generated.proto` files of Kubernetes 1.36 have them.
//!
//! All fields of a Pod are here but these, which no content of ours has: `restartPolicyRules` and the statuses' `volumeMounts`, `user` and
//! `allocatedResourcesStatus` of containers, everything about resource claims, Windows options, `fileKeyRef`, `clusterTrustBundle` and
//! `podCertificate`, `schedulingGroup`, and the volumes that are not hostPath, emptyDir, secret, configMap, projected, downwardAPI, nfs or
//! persistentVolumeClaim. JSON has them still; protobuf leaves them out.

mod container;
mod meta;
mod pod;
mod volume;

use super::{Message, Shape};

pub(super) use meta::{LIST_META, OBJECT_META, STATUS};
pub(super) use pod::{POD, POD_SPEC, POD_STATUS};
