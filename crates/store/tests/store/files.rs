//! Opening: files, modes and refusals.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use podgate_store::{Error, Key, Store};
use sea_orm::{ConnectionTrait, Database};

use crate::{Fixture, new_url, user};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn key(folder: &Path) -> Key {
    Key::load_or_create(&folder.join("key")).unwrap()
}

#[tokio::test]
async fn a_new_sqlite_file_and_its_folder_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("deep").join("data");
    let url = format!("sqlite:{}", data.join("podgate.db").display());
    let store = Store::open(&url, key(folder.path())).await.unwrap();
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
    Store::open(&format!("sqlite:{}", path.display()), key(folder.path()))
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
    let folder = tempfile::tempdir().unwrap();
    let url = new_url(&folder).await;
    let key = key(folder.path());
    let open = || Store::open(&url, key.clone());
    let (one, two, three) = tokio::join!(open(), open(), open());
    for store in [one, two, three] {
        assert_eq!(store.unwrap().count_users().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_closed_database_does_not_answer() {
    let fixture = Fixture::new().await;
    fixture.store.close().await.unwrap();
    fixture.store.ping().await.unwrap_err();
}

#[tokio::test]
async fn what_is_not_a_database_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    for url in ["mysql://db/podgate", "", "/data/podgate.db"] {
        assert!(
            matches!(Store::open(url, key(folder.path())).await, Err(Error::Url)),
            "{url}"
        );
    }
    let path = folder.path().join("podgate.db");
    fs::write(
        &path,
        "not a database, but long enough to be read as a header of one: ".repeat(40),
    )
    .unwrap();
    let error = Store::open(&format!("sqlite:{}", path.display()), key(folder.path()))
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
    let error = Store::open(&url, key(folder.path())).await.unwrap_err().to_string();
    server.abort();
    assert!(error.contains(&place) && !error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_malformed_postgresql_url_is_refused_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    for url in [
        "postgres://podgate:hunter2/x@db/podgate",
        "postgres://podgate:hunter2#x@db/podgate",
        "postgres://podgate:hunter2@db:port/podgate",
        "postgresql://podgate:hunter2@db/podgate?sslmode=hunter2",
    ] {
        let error = Store::open(url, key(folder.path())).await.unwrap_err().to_string();
        assert!(
            error.contains("percent-encoded") && !error.contains("hunter2"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_database_of_a_later_version_is_refused() {
    let fixture = Fixture::new().await;
    let raw = Database::connect(&fixture.url).await.unwrap();
    raw.execute_unprepared("INSERT INTO seaql_migrations (version, applied_at) VALUES ('m29990101_000001_later', 0)")
        .await
        .unwrap();
    let error = Store::open(&fixture.url, key(fixture.folder.path()))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("m29990101_000001_later"), "{error}");
}
