//! The log of one container, read once and not followed.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use http::Response;
use http_body_util::BodyExt;
use kube::client::Body as Answer;

use crate::{
    Cluster, Error,
    client::{self, Client},
    error::{Failure, Result},
    live_pod::{LivePod, RunState},
    removal::Removal,
};

/// The choice of a log and of the part to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// The container; `None` for the default one.
    pub container: Option<String>,
    /// Whether to read the previous run's log.
    pub previous: bool,
    /// Limits the log to the last N seconds.
    pub since_seconds: Option<u32>,
    /// Limits the log to lines from this time on, in RFC 3339.
    pub since_time: Option<String>,
    /// Limits the log to the last N lines.
    pub tail_lines: Option<u64>,
    /// Limits the log to N bytes.
    pub limit_bytes: Option<u64>,
    /// Whether each line starts with its time.
    pub timestamps: bool,
}

impl Query {
    /// Returns the parameters whose values only the cluster checks.
    fn given(&self) -> Vec<(&'static str, &str)> {
        let time = self.since_time.as_deref().map(|time| ("sinceTime", time));
        let numbers = [
            ("sinceSeconds", self.since_seconds.is_some()),
            ("tailLines", self.tail_lines.is_some()),
            ("limitBytes", self.limit_bytes.is_some()),
        ];
        let numbers = numbers.into_iter().filter(|(_, set)| *set).map(|(name, _)| (name, ""));
        time.into_iter().chain(numbers).collect()
    }
}

/// An open log. Dropping it ends the call to the cluster.
pub struct Body {
    /// The container whose log it is.
    pub container: String,
    /// The raw bytes. After an error, the stream ends.
    pub stream: BoxStream<'static, Result<Bytes>>,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body")
            .field("container", &self.container)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Opens a log.
    ///
    /// Only the chunks in progress are held in memory. The log fails if it stalls for
    /// [`client::Policy::request_timeout`] before its end.
    ///
    /// # Errors
    /// [`crate::Error::PodNotFound`], [`crate::Error::ContainerNotFound`],
    /// [`crate::Error::Invalid`] if there are several containers and none is named,
    /// [`crate::Error::Conflict`] for a container that has not started or has no previous run, and
    /// those of every call.
    pub async fn log(&self, namespace: &str, name: &str, query: &Query) -> Result<Body> {
        let pod = self.live_pod(namespace, name).await?;
        let container = pod.container(query.container.as_deref())?;
        readable(&pod, &container, query.previous)?;
        let client = self.client().await?;
        let uri = uri(namespace, name, &container, query)?;
        let request = client::get(&uri)?;
        let what = client.what(&request);
        let answer = match client.request_with(request, &query.given()).await {
            Ok(answer) => answer,
            Err(error) => return Err(self.explain(error, namespace, name, &container).await),
        };
        let stream = Reading {
            idle: client.policy.request_timeout,
            removed: self.inner.removed.clone(),
            client,
            what,
            answer,
        };
        Ok(Body {
            container,
            stream: stream.into_stream(),
        })
    }

    /// Returns the error for a refused log. The pod may have changed since it was read.
    pub(crate) async fn explain(&self, error: Error, namespace: &str, name: &str, container: &str) -> Error {
        match error {
            // Only the API server knows whether the pod exists. The kubelet may have forgotten it
            // already, or not know it yet.
            Error::NotFound(text) => match self.live_pod(namespace, name).await {
                Err(error) => error,
                Ok(pod) => Error::conflict(format!(
                    "the node of {} does not have container `{container}` now: {text}",
                    pod.display_name()
                )),
            },
            other => other,
        }
    }
}

/// Checks that there is a log to read. For an unscheduled pod, Kubernetes would return an empty log
/// without an error.
fn readable(pod: &LivePod, container: &str, previous: bool) -> Result<()> {
    if previous {
        if pod.previous_run(container).is_none() {
            return Err(Error::conflict(format!(
                "container `{container}` of {} has no previous run: it has not restarted since it was put on its node",
                pod.display_name()
            )));
        }
        return Ok(());
    }
    let RunState::NotStarted { reason, terminal } = pod.run_state(container)? else {
        return Ok(());
    };
    let pod_name = pod.display_name();
    Err(Error::conflict(if terminal {
        format!("container `{container}` of {pod_name} never started and never will: it has no log")
    } else if reason.is_empty() {
        format!("container `{container}` of {pod_name} has not started yet: try again when it has")
    } else {
        format!("container `{container}` of {pod_name} has not started yet ({reason}): try again when it has")
    }))
}

fn uri(namespace: &str, name: &str, container: &str, query: &Query) -> Result<String> {
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let since_seconds = number(query.since_seconds.map(u64::from));
    let (tail_lines, limit_bytes) = (number(query.tail_lines), number(query.limit_bytes));
    let truth = |set: bool| set.then_some("true");
    let optional = [
        ("previous", truth(query.previous)),
        ("timestamps", truth(query.timestamps)),
        ("sinceSeconds", since_seconds.as_deref()),
        ("sinceTime", query.since_time.as_deref()),
        ("tailLines", tail_lines.as_deref()),
        ("limitBytes", limit_bytes.as_deref()),
    ];
    let mut parameters = vec![("container", container)];
    parameters.extend(optional.into_iter().filter_map(|(key, value)| Some((key, value?))));
    client::uri(
        &["api", "v1", "namespaces", namespace, "pods", name, "log"],
        &parameters,
    )
}

/// A log response in progress.
struct Reading {
    client: Client,
    what: String,
    answer: Response<Answer>,
    idle: Duration,
    removed: Removal,
}

impl Reading {
    fn into_stream(self) -> BoxStream<'static, Result<Bytes>> {
        stream::unfold(Some(self), |reading| async {
            let mut reading = reading?;
            match reading.chunk().await {
                Ok(Some(chunk)) => Some((Ok(chunk), Some(reading))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
        .boxed()
    }

    /// Returns the next bytes. The time limit applies only while the caller waits for them.
    async fn chunk(&mut self) -> Result<Option<Bytes>> {
        loop {
            let frame = tokio::select! {
                biased;
                () = self.removed.cancelled() => {
                    return Err(Error::upstream(self.what.as_str(), Failure::Removed(self.removed.reason())));
                }
                frame = tokio::time::timeout(self.idle, self.answer.body_mut().frame()) => frame,
            };
            match frame {
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                Ok(Some(Err(error))) => return Err(self.client.broken(&error, &self.what)),
                Ok(None) => return Ok(None),
                Err(_) => {
                    let seconds = self.idle.as_secs_f32();
                    return Err(Error::timeout(format!(
                        "{} sent nothing for {seconds} s before its end",
                        self.what
                    )));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    #[test]
    fn every_parameter_reaches_the_cluster_encoded() {
        let query = Query {
            container: None,
            previous: true,
            since_seconds: Some(5),
            since_time: Some("2026-01-01T00:00:00+01:00".to_owned()),
            tail_lines: Some(0),
            limit_bytes: Some(7),
            timestamps: true,
        };
        assert_eq!(
            uri("shop", "web-1", "a&b", &query).unwrap(),
            "/api/v1/namespaces/shop/pods/web-1/log?container=a%26b&previous=true&timestamps=true&sinceSeconds=5\
             &sinceTime=2026-01-01T00%3A00%3A00%2B01%3A00&tailLines=0&limitBytes=7"
        );
        assert_eq!(
            uri("shop", "web-1", "c", &Query::default()).unwrap(),
            "/api/v1/namespaces/shop/pods/web-1/log?container=c"
        );
        assert!(uri("shop", "..", "c", &Query::default()).is_err());
    }
}
