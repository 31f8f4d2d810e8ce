//! The writer that carries out the machine's decisions: it changes the index and reports how up to
//! date the rows are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering};

use podgate_index::{Change, Relist, Usage};
use tokio::time::Instant;

use super::{
    batch::Batch,
    codec::Object,
    log_limiter::LogLimiter,
    machine::{Health, Next, Step},
};
use crate::{
    Error,
    client::WatchTimeouts,
    cluster::{Inner, Spec},
    error::{Failure, Result, StaleReason},
    row,
    text::quote,
};

/// The memory in bytes allowed for each pod of [`Policy::max_pods`](crate::Policy::max_pods).
const POD_BYTES: u64 = 4 << 10;
/// The memory in bytes that a cluster's pods may take however low the number of pods is set.
const LEAST_BYTES: u64 = 64 << 20;

/// The writer of one watch.
pub(super) struct Writer {
    pub(super) cluster: Arc<Inner>,
    /// The number of the watch among the cluster's watches.
    part: usize,
    /// The watched namespace; `None` for all.
    pub(super) namespace: Option<String>,
    /// Limits the log lines about pods that do not parse.
    log_limiter: Mutex<LogLimiter>,
}

/// A list in progress.
pub(super) struct Listing {
    relist: Relist,
    pub(super) begun: Instant,
    /// The pods that the list brought so far. A pod counts each time it arrives.
    brought: Usage,
}

impl Writer {
    pub(super) fn new(cluster: Arc<Inner>, part: usize) -> Self {
        Self {
            namespace: cluster.spec.namespaces.get(part).cloned(),
            cluster,
            part,
            log_limiter: Mutex::default(),
        }
    }

    /// Begins a list.
    pub(super) fn begin(&self) -> Listing {
        Listing {
            relist: self
                .cluster
                .index
                .begin(self.cluster.spec.id, self.namespace.as_deref()),
            begun: Instant::now(),
            brought: Usage::default(),
        }
    }

    /// Carries out a decision, except for the next call.
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

    /// Ends a list: removes the rows that it did not bring.
    pub(super) fn sweep(&self, listing: Listing, how: &str) {
        let swept = self.cluster.index.finish(listing.relist);
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

    /// Returns the error to show for stale rows: that of the failed call, or one made from `why` if
    /// no call failed.
    ///
    /// Errors that blame a call's caller become upstream failures, because the caller who lists
    /// pods did not make the watch's calls.
    fn stale_error(&self, why: Option<StaleReason>, error: Option<Error>) -> Error {
        let name = &self.cluster.spec.name;
        let what = match &self.namespace {
            Some(namespace) => format!("namespace `{namespace}` of cluster `{name}`"),
            None => format!("cluster `{name}`"),
        };
        match (why, error) {
            (Some(why), _) => Error::upstream(what, Failure::Stale(why)),
            (None, Some(error @ (Error::Timeout(_) | Error::Upstream { .. }))) => error,
            (None, Some(Error::Forbidden(text))) => Error::forbidden(self.forbidden_message(&text)),
            (None, Some(error)) => {
                Error::upstream(format!("the watch of {what}"), Failure::Other(error.to_string().into()))
            }
            (None, None) => Error::upstream(format!("the watch of {what}"), Failure::Ended),
        }
    }

    /// Returns the message that Podgate's own credential may not list pods. `text` is the cluster's
    /// refusal.
    fn forbidden_message(&self, text: &str) -> String {
        let Spec { name, source, .. } = &self.cluster.spec;
        let (place, remedy) = match &self.namespace {
            Some(namespace) => (format!("namespace `{namespace}`"), "grant it that permission"),
            None if source.is_trusted() => (
                "all namespaces".to_owned(),
                "grant it that permission, or name the namespaces in which it has it with the flag `--namespaces CONTEXT=a,b`",
            ),
            None => (
                "all namespaces".to_owned(),
                "grant it that permission, or name the namespaces in which it has it (`namespaces` of the cluster)",
            ),
        };
        format!(
            "Podgate's own credential for cluster `{name}` may not `list pods` and watch them in {place} (refused by the \
             cluster): {remedy}. {text}"
        )
    }

    pub(super) fn timeouts(&self) -> &WatchTimeouts {
        &self.cluster.policy.watch
    }

    fn log_limiter(&self) -> MutexGuard<'_, LogLimiter> {
        self.log_limiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Logs how many pods were skipped without their own log line.
    fn report_suppressed(&self, pods: u64) {
        if pods > 0 {
            tracing::warn!(
                cluster = self.cluster.spec.name,
                namespace = self.namespace,
                pods,
                "skipped more pods that do not parse"
            );
        }
    }

    /// Turns an object into a change. An object that does not parse is skipped, counted and logged;
    /// its existing row, if any, is removed because it is out of date.
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
                        "skipped a pod that does not parse"
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

    /// Forgets the Warnings of pods that are gone.
    fn forget(&self, changes: &[Change]) {
        for change in changes {
            if let Change::Remove { namespace, name } = change {
                self.cluster.warnings.forget(namespace, name);
            }
        }
    }

    /// Applies a batch.
    ///
    /// # Errors
    /// As [`Writer::check`]. The batch is applied nevertheless.
    pub(super) fn apply(&self, batch: &mut Batch, listing: &mut Option<Listing>) -> Result<()> {
        let Batch {
            changes,
            brought,
            confirms,
        } = std::mem::take(batch);
        if !changes.is_empty() {
            self.forget(&changes);
            self.cluster.index.apply(self.cluster.spec.id, changes);
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

    /// Checks that the cluster's rows keep within their bounds. While a list is in progress, the
    /// rows from before it still exist, so twice as much is allowed.
    ///
    /// # Errors
    /// The exceeded bound, with the flag that raises it.
    pub(super) fn check(&self, listing: Option<&Listing>) -> Result<()> {
        let most = self.cluster.policy.max_pods;
        let most_bytes = LEAST_BYTES.max(POD_BYTES.saturating_mul(most as u64));
        let kept = self.cluster.index.usage(self.cluster.spec.id);
        let (brought, times) = listing.map_or((Usage::default(), 1), |listing| (listing.brought, 2));
        let what = || format!("cluster `{}`", self.cluster.spec.name);
        if brought.pods > most || kept.pods > most.saturating_mul(times) {
            return Err(Error::upstream(what(), Failure::TooManyPods { most }));
        }
        if brought.bytes > most_bytes || kept.bytes > most_bytes.saturating_mul(times as u64) {
            let mib = most_bytes >> 20;
            return Err(Error::upstream(what(), Failure::PodsTooLarge { mib }));
        }
        Ok(())
    }
}
