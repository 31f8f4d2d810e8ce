//! The driver of one list and watch: makes the calls that the machine asks for, one after the
//! other.

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, Request, StatusCode, header::ACCEPT};
use tokio::time::{Instant, sleep};

use super::{
    batch::refusal,
    codec::Codec,
    machine::{Call, Input, Machine, Next},
    reader::Reader,
    writer::{Listing, Writer},
};
use crate::{
    client::{self, WatchTimeouts},
    cluster::Inner,
    error::Result,
};

/// The `limit` of one page.
const PAGE: &str = "500";

/// The driver of one watch. While it runs, it keeps the rows of a cluster, or of one of its
/// namespaces, up to date.
pub(crate) struct Driver {
    writer: Writer,
}

impl Driver {
    /// Makes the driver of one of a cluster's watches. `part` is an index into the cluster's
    /// namespaces, or 0 for the watch of all namespaces.
    pub(crate) fn new(cluster: Arc<Inner>, part: usize) -> Self {
        Self {
            writer: Writer::new(cluster, part),
        }
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        let mut machine = Machine::new();
        let mut listing = None;
        let mut codec = Codec::Protobuf;
        loop {
            let call = machine.call();
            if call.begins_list() {
                self.writer.cluster.counters.record_list(machine.cause());
                drop(listing.take());
                listing = Some(self.writer.begin());
            }
            let narrowed = self.writer.namespace.is_some() && self.writer.cluster.is_narrowed();
            let next = tokio::select! {
                next = self.call(&mut machine, &call, &mut codec, &mut listing) => next,
                () = self.writer.cluster.widened(), if narrowed => {
                    (self.writer.namespace, machine) = (None, Machine::new());
                    continue;
                }
            };
            if next == Next::Call
                && self.writer.namespace.is_none()
                && let Some(namespace) = self.writer.cluster.watched().first()
            {
                (self.writer.namespace, machine) = (Some(namespace.clone()), Machine::new());
            }
            if let Next::Retry { failures } = next {
                sleep(pause(
                    self.writer.timeouts(),
                    failures,
                    getrandom::u32().unwrap_or_default(),
                ))
                .await;
            }
        }
    }

    /// Makes one call and reads its response for as long as the machine asks to.
    ///
    /// `codec` is the encoding to ask for. It becomes JSON for good once it turns out that the
    /// server, or a proxy in front of it, can't send protobuf.
    async fn call(&self, machine: &mut Machine, call: &Call, codec: &mut Codec, listing: &mut Option<Listing>) -> Next {
        let Writer { cluster, namespace, .. } = &self.writer;
        let opened = async {
            let request = self.request(call, *codec)?;
            let client = cluster.client().await?;
            let what = client.what(&request);
            let response = client.send(request).await?;
            Ok((client, what, response))
        };
        let (client, what, response) = match opened.await {
            Ok(opened) => opened,
            Err(error) => return self.writer.act(machine.step(Input::Broken), Some(error), listing),
        };
        let status = response.status();
        if *codec == Codec::Protobuf && matches!(status.as_u16(), 406 | 415) {
            self.fall_back_to_json(codec, "the server refuses it");
            return Next::Call;
        }
        if status == StatusCode::FORBIDDEN
            && namespace.is_none()
            && (cluster.sync_tracker.sync().synced_at.is_none() || cluster.is_narrowed())
            && let Some(own) = cluster.spec.source.namespace()
        {
            tracing::warn!(
                cluster = cluster.spec.name,
                namespace = own,
                "the cluster forbids Podgate's credential to list pods in all namespaces, so only the context's namespace is \
                 watched"
            );
            cluster.narrow(&own);
            return Next::Call;
        }
        if !status.is_success() {
            let (parsed, error) = client.refusal_in_full(response, &what, &[]).await;
            let step = machine.step(refusal(status.as_u16(), parsed.as_ref()));
            return self.writer.act(step, Some(error), listing);
        }
        let mut reader = Reader {
            writer: &self.writer,
            client: &client,
            what: &what,
            machine,
            listing,
            codec: Codec::from_content_type(response.headers()),
            body: response.into_body(),
            undecodable: false,
            last_progress: Instant::now(),
            bytes_since: 0,
        };
        let _ = reader.machine.step(Input::Opened);
        let next = match call {
            Call::Page { .. } | Call::Whole => reader.list().await,
            Call::Stream | Call::Watch { .. } => reader.watch().await,
        };
        if reader.undecodable && reader.codec == Codec::Protobuf {
            self.fall_back_to_json(codec, "the response is not Kubernetes protobuf");
        }
        next
    }

    fn fall_back_to_json(&self, codec: &mut Codec, why: &str) {
        *codec = Codec::Json;
        tracing::warn!(
            cluster = self.writer.cluster.spec.name,
            namespace = self.writer.namespace,
            why,
            "asking for pods as JSON from now on, which is slower than protobuf"
        );
    }

    fn request(&self, call: &Call, codec: Codec) -> Result<Request<Vec<u8>>> {
        // Spread the ends of many watches over time, as client-go does, with a random time-out.
        let seconds = (290 + getrandom::u32().unwrap_or_default() % 280).to_string();
        let watch = [
            ("watch", "1"),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", &seconds),
        ];
        let mut query = Vec::new();
        match call {
            Call::Stream => {
                query.extend(watch);
                query.extend([("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan")]);
            }
            Call::Page { token } if token.is_empty() => query.push(("limit", PAGE)),
            Call::Page { token } => query.extend([("limit", PAGE), ("continue", token)]),
            Call::Whole => {}
            Call::Watch { version } => {
                query.extend(watch);
                query.push(("resourceVersion", version));
            }
        }
        let mut request = client::get(&client::pods_uri(self.writer.namespace.as_deref(), &query)?)?;
        let accept = HeaderValue::from_static(codec.accept());
        request.headers_mut().insert(ACCEPT, accept);
        Ok(request)
    }
}

/// Returns the pause before a retry: exponential in the number of failures in a row, with jitter
/// between half and all of it, so that many clients do not return at once.
fn pause(timeouts: &WatchTimeouts, failures: u32, random: u32) -> Duration {
    let doubled = timeouts
        .retry_min
        .saturating_mul(1 << failures.saturating_sub(1).min(16));
    let most = doubled.min(timeouts.retry_max);
    most.mul_f64(0.5 + 0.5 * f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let timeouts = WatchTimeouts::default();
        let seconds = |failures, random| pause(&timeouts, failures, random).as_secs_f64();
        for (failures, most) in [(1, 0.5), (2, 1.0), (3, 2.0), (7, 30.0), (1000, 30.0)] {
            assert!((seconds(failures, u32::MAX) - most).abs() < 1e-6);
            assert!((seconds(failures, 0) - most / 2.0).abs() < 1e-6);
        }
    }
}
