//! The messages of pods and failures, from the `generated.proto` files of Kubernetes 1.36.
//!
//! Some fields of pods that the content never sets are missing. If they are set, they are in the
//! JSON but not in the protobuf. They are:
//!
//! - of containers, `restartPolicyRules`, and in their statuses `volumeMounts`, `user` and
//!   `allocatedResourcesStatus`;
//! - everything about resource claims, and Windows options;
//! - `fileKeyRef`, `clusterTrustBundle`, `podCertificate` and `schedulingGroup`;
//! - volumes other than hostPath, emptyDir, secret, configMap, projected, downwardAPI, nfs and
//!   persistentVolumeClaim.

mod container;
mod meta;
mod pod;
mod volume;

use super::{Message, Shape};

pub(super) use meta::{LIST_META, OBJECT_META, STATUS};
pub(super) use pod::{POD, POD_SPEC, POD_STATUS};
