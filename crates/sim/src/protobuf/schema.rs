//! The messages of pods and failures, from the `generated.proto` files of Kubernetes 1.36.
//!
//! A pod has all its fields here except some that our content never sets: `restartPolicyRules` and
//! the statuses' `volumeMounts`, `user` and `allocatedResourcesStatus` of containers, everything
//! about resource claims, Windows options, `fileKeyRef`, `clusterTrustBundle`, `podCertificate`,
//! `schedulingGroup`, and volumes other than hostPath, emptyDir, secret, configMap, projected,
//! downwardAPI, nfs and persistentVolumeClaim. Such fields are in the JSON but not in the protobuf.

mod container;
mod meta;
mod pod;
mod volume;

use super::{Message, Shape};

pub(super) use meta::{LIST_META, OBJECT_META, STATUS};
pub(super) use pod::{POD, POD_SPEC, POD_STATUS};
