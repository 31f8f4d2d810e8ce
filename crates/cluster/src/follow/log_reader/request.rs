//! The requests of a log reader.

use http::Response;
use jiff::Timestamp;
use kube::client::Body;

use super::{LogReader, ReadOptions};
use crate::{client, error::Result, follow::Part};

impl LogReader {
    /// Sends the request for the next response and returns that response.
    pub(super) async fn open(&self, options: ReadOptions) -> Result<Response<Body>> {
        let cluster = self.observer.cluster();
        let client = cluster.client().await?;
        let query = self.query(options);
        let query: Vec<_> = query.iter().map(|(key, value)| (*key, value.as_str())).collect();
        match client.request_with(self.request(&query)?, &given(&query)).await {
            Ok(response) => Ok(response),
            Err(error) => {
                let (namespace, name) = (self.observer.namespace(), self.observer.name());
                Err(cluster.explain(error, namespace, name, &self.container).await)
            }
        }
    }

    /// Makes the request for a log with these parameters.
    pub(super) fn request(&self, query: &[(&str, &str)]) -> Result<http::Request<Vec<u8>>> {
        let mut all = vec![("container", self.container.as_str())];
        all.extend_from_slice(query);
        let (namespace, name) = (self.observer.namespace(), self.observer.name());
        let segments = ["api", "v1", "namespaces", namespace, "pods", name, "log"];
        client::get(&client::uri(&segments, &all)?)
    }

    /// Returns the parameters of the next request. It asks for the log from the last sent line on
    /// or, as long as nothing was sent, for the part that the caller wants.
    fn query(&self, options: ReadOptions) -> Vec<(&'static str, String)> {
        let mut query = vec![("timestamps", "true".to_owned())];
        let mut add = |on: bool, key: &'static str, value: String| {
            if on {
                query.push((key, value));
            }
        };
        add(options.follow, "follow", "true".to_owned());
        add(options.previous, "previous", "true".to_owned());
        let empty_at = self.empty_at.filter(|_| !self.part.is_whole());
        // Start two seconds earlier, because the clocks of the API server and the node may differ a
        // little.
        let since = self.sent.from().or_else(|| Some(empty_at?.as_second() - 2));
        if let Some(since) = since.and_then(|second| Timestamp::from_second(second).ok()) {
            add(true, "sinceTime", since.to_string());
            return query;
        }
        let Part {
            tail_lines,
            since_seconds,
            since_time,
        } = &self.part;
        add(
            tail_lines.is_some(),
            "tailLines",
            tail_lines.unwrap_or_default().to_string(),
        );
        let since_seconds = since_seconds.map(|seconds| u64::from(seconds) + self.part_made.elapsed().as_secs());
        add(
            since_seconds.is_some(),
            "sinceSeconds",
            since_seconds.unwrap_or_default().to_string(),
        );
        let since_time = since_time.and_then(|time| Timestamp::from_second(time.as_second()).ok());
        add(
            since_time.is_some(),
            "sinceTime",
            since_time.unwrap_or_default().to_string(),
        );
        query
    }
}

/// Returns the parameters that the caller may have chosen.
fn given<'a>(query: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let chosen = |(name, _): &&(&str, &str)| matches!(*name, "tailLines" | "sinceSeconds" | "sinceTime");
    query.iter().filter(chosen).copied().collect()
}
