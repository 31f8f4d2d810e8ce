//! `DELETE …/pods/{name}`.

use podgate_access::action::DeletePod;
use podgate_cluster::delete::Options;

use crate::{ApiError, Authorized, FromParameters, Kind, Message, Operation, Parameter, Parameters, Params, Success};

const DELETED: &str = "Pod deleted successfully";

/// The options that the parameters ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked(Options);

impl FromParameters for Asked {
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::one(
            "force",
            Kind::Bool,
            "Whether to remove the pod at once, as `kubectl delete --force --grace-period=0`; default false.",
        ),
        Parameter::one(
            "gracePeriod",
            Kind::Int {
                min: 0,
                max: u32::MAX as u64,
            },
            "Seconds that the pod has to end; default: the pod's own grace period. 0 without `force` is sent as 1, as kubectl does.",
        ),
        Parameter::one(
            "uid",
            Kind::Text,
            "Delete only the pod with this UID, not a successor of the same name.",
        ),
        Parameter::one(
            "resourceVersion",
            Kind::Text,
            "Delete the pod only if it has not changed since this version.",
        ),
        Parameter::one(
            "dryRun",
            Kind::Bool,
            "Whether to check everything and delete nothing; default false.",
        ),
    ];

    fn read(parameters: &Parameters) -> Result<Self, ApiError> {
        let force = parameters.bool("force").unwrap_or(false);
        let grace_period = match (force, parameters.int32("gracePeriod")) {
            (true, Some(seconds)) if seconds > 0 => {
                return Err(ApiError::Parameter(format!(
                    "`force` removes the pod at once, which contradicts a `gracePeriod` of {seconds}: give only one of them"
                )));
            }
            (true, _) => Some(0),
            // Kubernetes treats 0 as force: the pod would be removed while its containers still
            // run.
            (false, Some(0)) => Some(1),
            (false, given) => given,
        };
        Ok(Self(Options {
            grace_period,
            uid: parameters.one("uid"),
            resource_version: parameters.one("resourceVersion"),
            dry_run: parameters.bool("dryRun").unwrap_or(false),
        }))
    }
}

pub(crate) const DELETE: Operation =
    Operation::new("pods.delete", "Deletes a pod.", Success::Message(DELETED)).fails(&[409_001]);

/// Deletes the pod.
pub(crate) async fn delete(
    Authorized(scoped): Authorized<DeletePod>,
    Params(Asked(options)): Params<Asked>,
) -> Result<Message, ApiError> {
    scoped.delete(&options).await?;
    Ok(Message(if options.dry_run {
        "Pod would be deleted (dry run)"
    } else {
        DELETED
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn grace(query: &str) -> Result<Option<u32>, ApiError> {
        let Asked(options) = Asked::read(&Parameters::parse(query, Asked::PARAMETERS)?)?;
        Ok(options.grace_period)
    }

    #[test]
    fn force_and_grace_mean_what_kubectl_means() {
        for (query, sent) in [
            ("", None),
            ("force=false", None),
            ("gracePeriod=5", Some(5)),
            ("gracePeriod=0", Some(1)),
            ("gracePeriod=4294967295", Some(u32::MAX)),
            ("force=true", Some(0)),
            ("force=true&gracePeriod=0", Some(0)),
            ("force=false&gracePeriod=0", Some(1)),
        ] {
            assert_eq!(grace(query).unwrap(), sent, "{query}");
        }
        let error = grace("force=true&gracePeriod=1").unwrap_err();
        assert!(
            matches!(&error, ApiError::Parameter(text) if text.contains("`gracePeriod` of 1")),
            "{error}"
        );
    }
}
