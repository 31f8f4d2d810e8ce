//! The memory of small bodies that become large: what an operation takes in addition to what the
//! budget allows.

use std::{
    alloc::System,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::{Behaviour, named, run};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The most that one operation may take: the budget for bodies (64 MiB here), and what is on its
/// way.
const MOST: usize = 96 << 20;

/// Returns the bytes that are allocated now.
fn live() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated.saturating_sub(stats.bytes_deallocated)
}

/// Looks at the memory all the time until it is dropped.
struct Peak {
    highest: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

impl Drop for Peak {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

impl Peak {
    fn watch() -> Self {
        let (highest, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let peak = Self {
            highest: highest.clone(),
            ended: ended.clone(),
        };
        std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                highest.fetch_max(live(), Ordering::Relaxed);
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        peak
    }

    fn highest(&self) -> usize {
        self.highest.load(Ordering::Relaxed)
    }
}

/// Runs operations one after the other. Nothing else of this process may allocate meanwhile.
pub(crate) async fn check() {
    let mut wrong = Vec::new();
    for name in [
        "detail",
        "manifest",
        "delete",
        "pod of a log",
        "pod of events",
        "events",
        "review",
        "version",
        "namespaces",
        "watch",
    ] {
        for behaviour in [
            Behaviour::TinyItems,
            Behaviour::TinyFields,
            Behaviour::DeepJson,
            Behaviour::EndlessText,
            Behaviour::HugeToken,
            Behaviour::Refusal(500),
        ] {
            let (before, peak) = (live(), Peak::watch());
            let _ = run(&named(name), behaviour).await;
            let taken = peak.highest().saturating_sub(before);
            if taken > MOST {
                wrong.push(format!("{name} against {behaviour:?} took {taken} bytes"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
