//! Stores clusters and their credentials.

use std::os::unix::fs::PermissionsExt;

use podgate_store::{Cluster, ClusterEdit, Error, NewCluster, Origin, Store};
use sea_orm::{ConnectionTrait, Database};
use zeroize::Zeroizing;

use crate::Fixture;

pub(crate) fn new(name: &str) -> NewCluster {
    NewCluster {
        name: name.to_owned(),
        description: "a description".to_owned(),
        api_server: "https://10.0.0.1:6443".to_owned(),
        namespaces: vec!["a".to_owned(), "b".to_owned()],
        credential: Zeroizing::new(format!("secret-of-{name}")),
    }
}

async fn fixed(store: &Store, key: &str, name: &str) -> Cluster {
    store
        .adopt_fixed(key, name, "original", "https://10.0.0.2:6443", 5)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_cluster_is_stored_and_its_credential_comes_back() {
    let fixture = Fixture::new().await;
    let made = fixture.store.insert_cluster(new("one"), 7).await.unwrap();
    assert_eq!((made.origin, made.created_at, made.updated_at), (Origin::Api, 7, 7));
    assert_eq!(made.namespaces, ["a", "b"]);
    let store = fixture.reopen().await;
    assert_eq!(store.cluster(made.id).await.unwrap().as_ref(), Some(&made));
    assert_eq!(store.cluster_by_name("one").await.unwrap().as_ref(), Some(&made));
    let credential = store.cluster_credential(made.id).await.unwrap().unwrap();
    assert_eq!(*credential, "secret-of-one");
    assert_eq!(store.cluster(u32::MAX).await.unwrap(), None);
    assert_eq!(store.cluster_credential(u32::MAX).await.unwrap(), None);
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    store.insert_cluster(new("one"), 1).await.unwrap();
    let two = store.insert_cluster(new("two"), 1).await.unwrap();
    let error = store.insert_cluster(new("one"), 1).await.unwrap_err();
    assert!(matches!(&error, Error::Taken(name) if name == "one"), "{error}");
    let edit = ClusterEdit {
        name: Some("one".to_owned()),
        ..ClusterEdit::default()
    };
    let error = store.update_cluster(two.id, edit, 2).await.unwrap_err();
    assert!(matches!(&error, Error::Taken(name) if name == "one"), "{error}");
    assert_eq!(store.list_clusters().await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_edit_changes_what_it_names() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let made = store.insert_cluster(new("one"), 1).await.unwrap();
    let edit = ClusterEdit {
        description: Some("other".to_owned()),
        namespaces: Some(Vec::new()),
        credential: Some(Zeroizing::new("new secret".to_owned())),
        ..ClusterEdit::default()
    };
    let changed = store.update_cluster(made.id, edit, 9).await.unwrap().unwrap();
    assert_eq!((changed.name.as_str(), changed.description.as_str()), ("one", "other"));
    assert_eq!((changed.created_at, changed.updated_at), (1, 9));
    assert!(changed.namespaces.is_empty());
    assert_eq!(*store.cluster_credential(made.id).await.unwrap().unwrap(), "new secret");
    assert_eq!(
        store
            .update_cluster(made.id + 1, ClusterEdit::default(), 9)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_number_is_not_used_again() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let first = store.insert_cluster(new("one"), 1).await.unwrap();
    assert!(store.delete_cluster(first.id).await.unwrap());
    assert!(!store.delete_cluster(first.id).await.unwrap());
    let second = store.insert_cluster(new("one"), 1).await.unwrap();
    assert!(second.id > first.id);
}

#[tokio::test]
async fn credentials_are_encrypted_and_cannot_be_swapped() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let one = store.insert_cluster(new("one"), 1).await.unwrap();
    let two = store.insert_cluster(new("two"), 1).await.unwrap();
    let raw = Database::connect(&fixture.url).await.unwrap();
    raw.execute_unprepared(&format!(
        "UPDATE clusters SET credential = (SELECT credential FROM clusters WHERE id = {}) WHERE id = {}",
        one.id, two.id
    ))
    .await
    .unwrap();
    assert!(matches!(store.cluster_credential(two.id).await, Err(Error::Unseal(_))));
    assert_eq!(
        *store.cluster_credential(one.id).await.unwrap().unwrap(),
        "secret-of-one"
    );

    let key = fixture.folder.path().join("another key");
    std::fs::write(&key, [7; 32]).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let other = Store::open(&fixture.url, &key).await.unwrap();
    let error = other.cluster_credential(one.id).await.unwrap_err().to_string();
    assert!(error.contains("key file"), "{error}");
}

#[tokio::test]
async fn no_secret_is_in_the_database_file_or_in_debug() {
    let fixture = Fixture::new().await;
    let debug = format!("{:?}", new("one"));
    assert!(!debug.contains("secret"), "{debug}");
    fixture.store.insert_cluster(new("one"), 1).await.unwrap();
    fixture.store.close().await.unwrap();
    for file in std::fs::read_dir(fixture.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(13).any(|part| part == b"secret-of-one"));
    }
}

#[tokio::test]
async fn an_operators_cluster_keeps_its_number_and_its_suffix() {
    let fixture = Fixture::new().await;
    let a = fixed(&fixture.store, "/a#prod", "prod").await;
    let b = fixed(&fixture.store, "/b#prod", "prod").await;
    assert_eq!((a.name.as_str(), b.name.as_str()), ("prod", "prod-2"));
    assert_eq!((a.origin, a.description.as_str()), (Origin::Fixed, "original"));
    assert_ne!(a.id, b.id);
    let store = fixture.reopen().await;
    // In the other order, and with one of them absent: the numbers and names stay the same.
    let again = store
        .adopt_fixed("/b#prod", "prod", "changed", "https://other", 8)
        .await
        .unwrap();
    assert_eq!((again.id, again.name.as_str()), (b.id, "prod-2"));
    assert_eq!(
        (again.description.as_str(), again.api_server.as_str()),
        ("changed", "https://other")
    );
    assert_eq!(fixed(&store, "/a#prod", "prod").await.id, a.id);
    assert_eq!(fixed(&store, "/a#prod", "renamed").await.name, "renamed");
    assert_eq!(store.list_clusters().await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_operators_cluster_gives_way_to_a_name_in_use() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let long = "a".repeat(63);
    store.insert_cluster(new(&long), 1).await.unwrap();
    let row = fixed(store, "/a#long", &long).await;
    assert_eq!(row.name, format!("{}-2", "a".repeat(61)));
    assert_eq!(store.cluster_credential(row.id).await.unwrap(), None);
}

#[tokio::test]
async fn an_absent_operators_cluster_releases_its_name() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let row = fixed(store, "/a#prod", "prod").await;
    store.release_name(row.id, 6).await.unwrap();
    let taken = store.insert_cluster(new("prod"), 7).await.unwrap();
    let back = fixed(store, "/a#prod", "prod").await;
    assert_eq!((back.id, back.name.as_str()), (row.id, "prod-2"));
    // Clusters that were added through the API keep their names.
    store.release_name(taken.id, 8).await.unwrap();
    assert_eq!(store.cluster(taken.id).await.unwrap().unwrap().name, "prod");
}

#[tokio::test]
async fn a_cluster_of_the_operator_cannot_be_changed_through_the_api() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let row = fixed(store, "/a#prod", "prod").await;
    assert!(!store.delete_cluster(row.id).await.unwrap());
    assert_eq!(
        store.update_cluster(row.id, ClusterEdit::default(), 9).await.unwrap(),
        None
    );
    assert_eq!(store.cluster(row.id).await.unwrap(), Some(row));
}
