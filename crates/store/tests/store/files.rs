//! Opens databases: files, modes and refusals.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use podgate_store::{Error, Store};
use sea_orm::{ConnectionTrait, Database};

use crate::{Fixture, new_url, user};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn key(folder: &Path) -> PathBuf {
    folder.join("key")
}

#[tokio::test]
async fn a_new_sqlite_file_and_its_folder_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("deep").join("data");
    let url = format!("sqlite:{}", data.join("podgate.db").display());
    let store = Store::open(&url, &key(folder.path())).await.unwrap();
    user(&store, "admin").await;
    assert_eq!(mode(&data), 0o700);
    let mut files: Vec<_> = fs::read_dir(&data).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.iter().any(|file| file.ends_with("podgate.db-wal")), "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn an_sqlite_file_that_others_may_read_is_made_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("podgate.db");
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    Store::open(&format!("sqlite:{}", path.display()), &key(folder.path()))
        .await
        .unwrap();
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn opening_again_keeps_what_is_there_and_answers() {
    let fixture = Fixture::new().await;
    user(&fixture.store, "admin").await;
    let store = fixture.reopen().await;
    store.ping().await.unwrap();
    assert_eq!(store.count_users().await.unwrap(), 1);
}

#[tokio::test]
async fn processes_that_start_at_once_on_a_new_database_all_come_up() {
    // Several rounds, because they meet at SQLite's lock in some of them only.
    for _ in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let url = new_url(&folder).await;
        let key = key(folder.path());
        let open = || Store::open(&url, &key);
        let (one, two, three) = tokio::join!(open(), open(), open());
        for store in [one, two, three] {
            assert_eq!(store.unwrap().count_users().await.unwrap(), 0);
        }
    }
}

#[tokio::test]
async fn a_closed_database_does_not_answer() {
    let fixture = Fixture::new().await;
    fixture.store.close().await.unwrap();
    fixture.store.ping().await.unwrap_err();
}

#[tokio::test]
async fn a_url_that_does_not_name_a_database_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["mysql://db/podgate", "", "/data/podgate.db"] {
        assert!(
            matches!(Store::open(url, &key(folder.path())).await, Err(Error::Url)),
            "{url}"
        );
    }
    let path = folder.path().join("podgate.db");
    fs::write(
        &path,
        "not a database, but long enough to be read as a header of one: ".repeat(40),
    )
    .unwrap();
    let error = Store::open(&format!("sqlite:{}", path.display()), &key(folder.path()))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("podgate.db"), "{error}");
}

#[tokio::test]
async fn a_postgresql_server_that_hangs_up_is_named_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = format!("{}/podgate", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    });
    let url = format!("postgres://podgate:hunter2@{place}");
    let error = Store::open(&url, &key(folder.path())).await.unwrap_err().to_string();
    server.abort();
    assert!(error.contains(&place) && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_malformed_url_is_refused_and_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    for url in [
        "postgres://podgate:hunter2/x@db/podgate",
        "postgres://podgate:5432/hunter2@db/podgate",
        "postgres://podgate:hunter2@db:port/podgate",
        "sqlite:/nowhere/podgate.db?mode=hunter2",
        "sqlite://podgate:hunter2@db/podgate",
        "hunter2@db/podgate",
    ] {
        let error = Store::open(url, &key(folder.path())).await.unwrap_err();
        assert!(
            matches!(error, Error::PostgresUrl | Error::SqliteUrl | Error::Url),
            "{error}"
        );
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert!(
        fs::read_dir(folder.path()).unwrap().next().is_none(),
        "nothing was made"
    );
}

#[tokio::test]
async fn a_key_is_made_once_and_never_next_to_credentials_sealed_with_another() {
    let fixture = Fixture::new().await;
    let path = key(fixture.folder.path());
    assert_eq!((fs::read(&path).unwrap().len(), mode(&path)), (32, 0o600));
    // As long as the database holds no credential, nothing is lost with the key.
    fs::remove_file(&path).unwrap();
    let store = fixture.reopen().await;
    store.insert_cluster(crate::clusters::new("one"), 7).await.unwrap();
    let kept = folder_with_key_moved_away(&path);
    let error = Store::open(&fixture.url, &path).await.err().unwrap();
    assert!(matches!(error, Error::KeyMissing(_)), "{error}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    assert!(!path.exists());
    fs::rename(kept, &path).unwrap();
    fixture.reopen().await;
}

/// Moves the key away and returns its new path.
fn folder_with_key_moved_away(path: &Path) -> PathBuf {
    let kept = path.with_extension("kept");
    fs::rename(path, &kept).unwrap();
    kept
}

#[test]
fn a_data_directory_that_others_may_write_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let new = folder.path().join("deep").join("data");
    podgate_store::create_data_dir(&new).unwrap();
    assert_eq!(mode(&new), 0o700);
    for (bits, refused) in [
        (0o777, true),
        (0o702, true),
        (0o775, false),
        (0o770, false),
        (0o755, false),
    ] {
        fs::set_permissions(&new, fs::Permissions::from_mode(bits)).unwrap();
        let error = podgate_store::create_data_dir(&new)
            .err()
            .map(|error| error.to_string());
        assert_eq!(error.is_some(), refused, "{bits:o}: {error:?}");
        assert!(error.is_none_or(|error| error.contains("chmod o-w") && error.contains("deep/data")));
    }
}

#[tokio::test]
async fn a_database_that_is_away_or_locked_is_unavailable() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("podgate.db").display());
    let store = Store::open(&url, &key(folder.path())).await.unwrap();
    let admin = user(&store, "admin").await;
    assert!(store.answers());
    // Another process holds the lock longer than we wait for it.
    let other = Database::connect(&url).await.unwrap();
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    let error = store.set_disabled(admin.id, true, 1).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    let error = store.set_password(admin.id, admin.password, 0, 1).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    assert!(!store.answers());
    other.close().await.unwrap();
    while store.ping().await.is_err() {}
    assert!(store.answers());
    store.close().await.unwrap();
    let error = store.user_by_name("admin").await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    assert!(!store.answers());
}

#[tokio::test]
async fn a_database_of_a_later_version_is_refused() {
    let fixture = Fixture::new().await;
    let raw = Database::connect(&fixture.url).await.unwrap();
    raw.execute_unprepared("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_later', 0)")
        .await
        .unwrap();
    let error = Store::open(&fixture.url, &key(fixture.folder.path()))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("m29990101_000001_later"), "{error}");
}
