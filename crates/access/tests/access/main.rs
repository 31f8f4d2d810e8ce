//! Sessions, tickets and clusters on a real database, by a clock of the test's own.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clusters;
mod sessions;
mod tickets;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use podgate_access::{
    Clock, Sessions,
    sessions::{Login, Options},
};
use podgate_store::Store;
use tempfile::TempDir;

const PASSWORD: &str = "correct horse battery staple";
const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;

/// A clock that stands still unless moved.
#[derive(Clone, Default)]
struct Time(Arc<AtomicI64>);

impl Time {
    fn clock(&self) -> Clock {
        let time = self.0.clone();
        Clock::from_fn(move || time.load(Ordering::SeqCst))
    }

    fn pass(&self, milliseconds: i64) {
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

/// Sessions with one user, `admin`.
struct Fixture {
    _folder: TempDir,
    time: Time,
    store: Store,
    sessions: Sessions,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        let time = Time::default();
        let sessions = Sessions::with_clock(store.clone(), Options::default(), time.clock());
        assert_eq!(sessions.ensure_admin(Some(PASSWORD)).await.unwrap(), None);
        Self {
            _folder: folder,
            time,
            store,
            sessions,
        }
    }

    /// Starts the sessions of another process on the same database.
    fn replica(&self) -> Sessions {
        self.sessions_with(Options::default())
    }

    /// Starts the sessions of another process on the same database, with options of its own.
    fn sessions_with(&self, options: Options) -> Sessions {
        Sessions::with_clock(self.store.clone(), options, self.time.clock())
    }

    async fn login(&self) -> Login {
        self.sessions.login("admin", PASSWORD, peer("10.0.0.1")).await.unwrap()
    }
}

async fn open(folder: &TempDir) -> Store {
    let url = format!("sqlite:{}", folder.path().join("podgate.db").display());
    Store::open(&url, &folder.path().join("key")).await.unwrap()
}

fn peer(address: &str) -> IpAddr {
    address.parse().unwrap()
}
