//! The I/O of one list and watch: makes the machine's calls, feeds it what comes, and writes the index.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use http::{HeaderValue, Request, StatusCode, header::ACCEPT};
use podgate_index::{Change, Index, Relist, Usage};
use tokio::time::{Instant, sleep};

use super::{
    batch::{Batch, refusal},
    codec::{Codec, Object},
    log_limiter::LogLimiter,
    machine::{Call, Health, Input, Machine, Next, Step},
    reader::Reader,
};
use crate::{
    Error,
    client::{self, WatchTimeouts},
    error::Result,
    registry::{Inner, Spec},
    row,
    text::quote,
};

/// Pods of one page.
const PAGE: &str = "500";
/// Bytes of memory for each pod that a cluster may have.
const POD_BYTES: u64 = 4 << 10;
/// Bytes of memory that the pods of a cluster may take in any case.
const LEAST_BYTES: u64 = 64 << 20;

/// Keeps the rows of a cluster, or of one of its namespaces, equal to it for as long as it runs.
pub(crate) struct Driver {
    pub(crate) cluster: Arc<Inner>,
    pub(crate) index: Index,
    /// Which of the cluster's watches this is.
    pub(crate) part: usize,
    /// None: all.
    pub(crate) namespace: Option<String>,
    /// Bounds the log of pods that do not parse.
    pub(crate) log_limiter: Mutex<LogLimiter>,
}

/// A list under way.
pub(super) struct Listing {
    relist: Relist,
    pub(super) begun: Instant,
    /// What it brought so far. A pod counts each time it came.
    brought: Usage,
}

impl Driver {
    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        let mut machine = Machine::new();
        let mut listing = None;
        let mut codec = Codec::Protobuf;
        loop {
            let call = machine.call();
            if call.begins_list() {
                self.cluster.counters.record_list(machine.cause());
                drop(listing.take());
                listing = Some(Listing {
                    relist: self.index.begin(self.cluster.spec.id, self.namespace.as_deref()),
                    begun: Instant::now(),
                    brought: Usage::default(),
                });
            }
            let narrowed = self.namespace.is_some() && self.cluster.is_narrowed();
            let next = tokio::select! {
                next = self.call(&mut machine, &call, &mut codec, &mut listing) => next,
                () = self.cluster.widened(), if narrowed => {
                    (self.namespace, machine) = (None, Machine::new());
                    continue;
                }
            };
            if next == Next::Call
                && self.namespace.is_none()
                && let Some(namespace) = self.cluster.watched().first()
            {
                (self.namespace, machine) = (Some(namespace.clone()), Machine::new());
            }
            if let Next::Retry { failures } = next {
                sleep(pause(self.timeouts(), failures, getrandom::u32().unwrap_or_default())).await;
            }
        }
    }

    /// Makes one call and reads its answer, as long as the machine wants to. `codec` is what is asked for, and becomes JSON for good once it turned
    /// out that the server, or what stands before it, can do no other.
    async fn call(&self, machine: &mut Machine, call: &Call, codec: &mut Codec, listing: &mut Option<Listing>) -> Next {
        let opened = async {
            let request = self.request(call, *codec)?;
            let client = self.cluster.client().await?;
            let what = client.what(&request);
            let response = client.send(request).await?;
            Ok((client, what, response))
        };
        let (client, what, response) = match opened.await {
            Ok(opened) => opened,
            Err(error) => return self.act(machine.step(Input::Broken), Some(error), listing),
        };
        let status = response.status();
        if *codec == Codec::Protobuf && matches!(status.as_u16(), 406 | 415) {
            self.fall_back_to_json(codec, "the server refuses it");
            return Next::Call;
        }
        if status == StatusCode::FORBIDDEN
            && self.namespace.is_none()
            && (self.cluster.sync_tracker.sync().synced_at.is_none() || self.cluster.is_narrowed())
            && let Some(namespace) = self.cluster.spec.source.namespace()
        {
            tracing::warn!(
                cluster = self.cluster.spec.name,
                namespace,
                "the cluster forbids Podgate's credential to list pods in all namespaces: the context's namespace is watched alone"
            );
            self.cluster.narrow(&namespace);
            return Next::Call;
        }
        if !status.is_success() {
            let (parsed, error) = client.refusal_in_full(response, &what, &[]).await;
            let step = machine.step(refusal(status.as_u16(), parsed.as_ref()));
            return self.act(step, Some(error), listing);
        }
        let mut reader = Reader {
            driver: self,
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
            self.fall_back_to_json(codec, "what came was none that Kubernetes writes");
        }
        next
    }

    fn fall_back_to_json(&self, codec: &mut Codec, why: &str) {
        *codec = Codec::Json;
        tracing::warn!(
            cluster = self.cluster.spec.name,
            namespace = self.namespace,
            why,
            "pods are asked for as JSON from now on, which is slower"
        );
    }

    fn request(&self, call: &Call, codec: Codec) -> Result<Request<Vec<u8>>> {
        // Ends of many watches are spread over time, as client-go's are.
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
        let mut request = client::get(&pods(self.namespace.as_deref(), &query)?)?;
        let accept = HeaderValue::from_static(codec.accept());
        request.headers_mut().insert(ACCEPT, accept);
        Ok(request)
    }

    /// Does what the machine decided, beside the next call.
    pub(super) fn act(&self, step: Step, error: Option<Error>, listing: &mut Option<Listing>) -> Next {
        if step.finish
            && let Some(listing) = listing.take()
        {
            self.sweep(listing, "pods listed");
        }
        match step.health {
            Health::Unchanged => {}
            Health::Confirmed => self.cluster.sync_tracker.confirm(self.part),
            Health::Recovered => self.cluster.sync_tracker.recovered(self.part),
            Health::Stale(why) => {
                let error = self.stale_error(why, error);
                if !matches!(step.next, Next::Retry { failures: 2.. }) {
                    tracing::warn!(cluster = self.cluster.spec.name, namespace = self.namespace, %error, "watch interrupted");
                }
                self.cluster.sync_tracker.stale(self.part, error);
            }
        }
        step.next
    }

    /// Ends a list: the rows that it did not bring go.
    pub(super) fn sweep(&self, listing: Listing, how: &str) {
        let swept = self.index.finish(listing.relist);
        self.cluster.rows_changed();
        tracing::debug!(
            cluster = self.cluster.spec.name,
            namespace = self.namespace,
            swept,
            "{how}"
        );
        let left_out = self.log_limiter().take_suppressed();
        self.report_suppressed(left_out);
    }

    /// Why the rows may be old, for the reader of a list: whatever it is, it is the cluster's or the way's to it.
    fn stale_error(&self, why: &str, error: Option<Error>) -> Error {
        match error {
            Some(error) if why.is_empty() => match error {
                Error::Timeout(_) => error,
                Error::Forbidden(text) => Error::forbidden(self.forbidden_message(&text)),
                other => Error::upstream(other.to_string()),
            },
            _ => {
                let name = &self.cluster.spec.name;
                let of = self
                    .namespace
                    .as_ref()
                    .map_or_else(String::new, |namespace| format!("namespace `{namespace}` of "));
                Error::upstream(format!("{of}cluster `{name}`: {why}"))
            }
        }
    }

    /// The cluster forbids what Podgate itself does. `text` is what it says.
    fn forbidden_message(&self, text: &str) -> String {
        let Spec { name, source, .. } = &self.cluster.spec;
        let (place, remedy) = match &self.namespace {
            Some(namespace) => (format!("namespace `{namespace}`"), "give it that right"),
            None if source.is_trusted() => (
                "all namespaces".to_owned(),
                "give it that right, or name the namespaces where it has it with the flag `--namespaces CONTEXT=a,b`",
            ),
            None => (
                "all namespaces".to_owned(),
                "give it that right, or name the namespaces where it has it (`namespaces` of the cluster)",
            ),
        };
        format!(
            "Podgate's own credential for cluster `{name}` may not `list pods` (and watch them) in {place}, which was refused by the cluster: \
             {remedy}. {text}"
        )
    }

    pub(super) fn timeouts(&self) -> &WatchTimeouts {
        &self.cluster.policy.watch
    }

    fn log_limiter(&self) -> MutexGuard<'_, LogLimiter> {
        self.log_limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs how many pods were skipped without a line of their own.
    fn report_suppressed(&self, pods: u64) {
        if pods > 0 {
            tracing::warn!(
                cluster = self.cluster.spec.name,
                namespace = self.namespace,
                pods,
                "more pods skipped: they do not parse"
            );
        }
    }

    /// The row of a pod. What is none is skipped, counted and named, and a row that it had goes: it shows what no longer is, and after the next list
    /// it would be gone as well.
    pub(super) fn change(&self, object: Object) -> Option<Change> {
        match object {
            Object::Pod(pod) => {
                let warning = self.cluster.warnings.get(&pod);
                let row = row::row(&pod, warning.as_ref());
                if row.labels_left_out > 0 {
                    let left_out = u64::from(row.labels_left_out);
                    self.cluster.labels_left_out.fetch_add(left_out, Ordering::Relaxed);
                }
                Some(Change::Upsert(row))
            }
            Object::Invalid { name, error } => {
                self.cluster.skipped.fetch_add(1, Ordering::Relaxed);
                let before = self.log_limiter().admit(Instant::now());
                if let Some(before) = before {
                    self.report_suppressed(before);
                    tracing::warn!(
                        cluster = self.cluster.spec.name,
                        pod = quote(&name),
                        error,
                        "pod skipped: it does not parse"
                    );
                }
                let (namespace, name) = name.split_once('/')?;
                Some(Change::Remove {
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                })
            }
        }
    }

    /// Forgets what is known of the events of pods that are gone.
    fn forget(&self, changes: &[Change]) {
        for change in changes {
            if let Change::Remove { namespace, name } = change {
                self.cluster.warnings.forget(namespace, name);
            }
        }
    }

    /// Applies what waits.
    ///
    /// # Errors
    /// As [`Driver::check`]; it is applied nevertheless.
    pub(super) fn apply(&self, batch: &mut Batch, listing: &mut Option<Listing>) -> Result<()> {
        let Batch {
            changes,
            brought,
            confirms,
        } = std::mem::take(batch);
        if !changes.is_empty() {
            self.forget(&changes);
            self.index.apply(self.cluster.spec.id, changes);
            self.cluster.rows_changed();
            if let Some(listing) = listing {
                listing.brought.pods += brought.pods;
                listing.brought.bytes += brought.bytes;
            }
            self.check(listing.as_ref())?;
        }
        if confirms {
            self.cluster.sync_tracker.confirm(self.part);
        }
        Ok(())
    }

    /// Checks that the cluster keeps to its bounds. A list may bring as much as is kept of one cluster, and until it has ended the rows
    /// from before it stay beside it.
    ///
    /// # Errors
    /// What is beyond its bound, and how to raise that.
    pub(super) fn check(&self, listing: Option<&Listing>) -> Result<()> {
        let most = self.cluster.policy.max_pods;
        let most_bytes = LEAST_BYTES.max(POD_BYTES.saturating_mul(most as u64));
        let kept = self.index.usage(self.cluster.spec.id);
        let (brought, times) = listing.map_or((Usage::default(), 1), |listing| (listing.brought, 2));
        let name = &self.cluster.spec.name;
        if brought.pods > most || kept.pods > most.saturating_mul(times) {
            return Err(Error::upstream(format!(
                "cluster `{name}` has more than {most} pods, the most that are kept of one cluster: raise --max-pods-per-cluster"
            )));
        }
        if brought.bytes > most_bytes || kept.bytes > most_bytes.saturating_mul(times as u64) {
            return Err(Error::upstream(format!(
                "the pods of cluster `{name}` take more than {} MiB of memory, the most that those of one cluster may take: raise --max-pods-per-cluster",
                most_bytes >> 20
            )));
        }
        Ok(())
    }
}

/// The address of the pods of a namespace, or of all.
pub(crate) fn pods(namespace: Option<&str>, query: &[(&str, &str)]) -> Result<String> {
    match namespace {
        Some(namespace) => client::uri(&["api", "v1", "namespaces", namespace, "pods"], query),
        None => client::uri(&["api", "v1", "pods"], query),
    }
}

/// Exponential in the failures in a row, between half of itself and itself, so that many clients do not come back at once.
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
