//! Tests the store on a real database.
//!
//! That is SQLite in a temporary folder, or PostgreSQL if `TEST_DATABASE_URL` names a server that
//! lets the tests create databases.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod clusters;
mod files;
mod networks;
mod preferences;
mod sessions;
mod users;

use std::sync::atomic::{AtomicU32, Ordering};

use podgate_store::{NewUser, Priority, Store, User};
use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;

/// A store of its own, and the files that it needs.
struct Fixture {
    folder: TempDir,
    url: String,
    store: Store,
}

impl Fixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = new_url(&folder).await;
        let store = open(&folder, &url).await;
        Self { folder, url, store }
    }

    /// Opens the same database again, as the next start does.
    async fn reopen(&self) -> Store {
        open(&self.folder, &self.url).await
    }
}

/// Returns the URL of a new, empty database.
async fn new_url(folder: &TempDir) -> String {
    match std::env::var("TEST_DATABASE_URL") {
        Ok(server) => new_database(&server).await,
        Err(_) => format!("sqlite:{}", folder.path().join("podgate.db").display()),
    }
}

async fn open(folder: &TempDir, url: &str) -> Store {
    Store::open(url, &folder.path().join("key")).await.unwrap()
}

async fn new_database(server: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "podgate_test_{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    );
    let connection = Database::connect(server).await.unwrap();
    connection
        .execute_unprepared(&format!("CREATE DATABASE {name}"))
        .await
        .unwrap();
    let (start, _) = server.rsplit_once('/').unwrap();
    format!("{start}/{name}")
}

async fn user(store: &Store, username: &str) -> User {
    let password = store
        .passwords()
        .turn(Priority::High)
        .await
        .unwrap()
        .hash("correct horse", username)
        .await
        .unwrap();
    let new = NewUser {
        username: username.to_owned(),
        email: String::new(),
        role: "admin".to_owned(),
        password,
    };
    store.create_user(new, 1000).await.unwrap()
}
