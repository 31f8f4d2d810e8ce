//! Lists: selectors, pages and versions.

use serde_json::json;

use crate::client::{Api, names, pod};

async fn ten() -> Api {
    let api = Api::start().await;
    for index in 0..10 {
        let namespace = if index < 5 { "a" } else { "b" };
        api.sim.put(pod(
            namespace,
            &format!("pod-{index}"),
            json!({"rank": (index % 3).to_string()}),
        ));
    }
    api
}

#[tokio::test]
async fn selectors_narrow_a_list() {
    let api = ten().await;
    assert_eq!(
        api.names("/api/v1/pods?labelSelector=rank%3D0").await,
        ["pod-0", "pod-3", "pod-6", "pod-9"]
    );
    assert_eq!(
        api.names("/api/v1/namespaces/a/pods?labelSelector=rank+notin+(0,1)")
            .await,
        ["pod-2"]
    );
    assert_eq!(
        api.names("/api/v1/pods?fieldSelector=metadata.name%3Dpod-7").await,
        ["pod-7"]
    );
    assert_eq!(
        api.names("/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-2")
            .await
            .len(),
        0
    );
    let (status, refused) = api.get("/api/v1/pods?fieldSelector=spec.foo%3D1").await;
    assert_eq!(
        (status, &refused["message"]),
        (400, &"field label not supported: spec.foo".into())
    );
}

#[tokio::test]
async fn events_are_selected_by_the_object_they_are_about() {
    let api = Api::start().await;
    for (name, uid) in [("one", "u1"), ("two", "u2")] {
        api.sim.put(json!({"kind": "Event", "metadata": {"namespace": "a", "name": name}, "reason": "Pulled", "type": "Normal",
            "involvedObject": {"kind": "Pod", "namespace": "a", "name": "web", "uid": uid, "fieldPath": "spec.containers{app}"}}));
    }
    let select = async |selector: &str| {
        api.names(&format!(
            "/api/v1/namespaces/a/events?fieldSelector={}",
            selector.replace('=', "%3D")
        ))
        .await
    };
    assert_eq!(select("involvedObject.uid=u2").await, ["two"]);
    assert_eq!(
        select("involvedObject.name=web,involvedObject.namespace=a,involvedObject.kind=Pod")
            .await
            .len(),
        2
    );
    assert_eq!(
        select("involvedObject.fieldPath=spec.containers{app},reason!=Pulled")
            .await
            .len(),
        0
    );
}

#[tokio::test]
async fn pages_show_the_list_as_it_was_when_it_began() {
    let api = ten().await;
    let (_, first) = api.get("/api/v1/pods?limit=4").await;
    assert_eq!(
        (names(&first).len(), &first["metadata"]["remainingItemCount"]),
        (4, &json!(6))
    );
    api.sim.remove("Pod", "a", "pod-4");
    api.sim.put(pod("a", "pod-40", json!({})));
    api.sim.put(pod("b", "pod-5", json!({"changed": "yes"})));
    let next = |page: &serde_json::Value| page["metadata"]["continue"].as_str().unwrap().to_owned();
    let (_, second) = api
        .get(&format!("/api/v1/pods?limit=4&continue={}", next(&first)))
        .await;
    assert_eq!(names(&second), ["pod-4", "pod-5", "pod-6", "pod-7"]);
    assert_eq!(second["items"][1]["metadata"]["labels"], json!({"rank": "2"}));
    let (_, third) = api
        .get(&format!("/api/v1/pods?limit=4&continue={}", next(&second)))
        .await;
    assert_eq!(
        (names(&third), third["metadata"].get("continue")),
        (vec!["pod-8".to_owned(), "pod-9".to_owned()], None)
    );
    assert_eq!(
        third["metadata"]["resourceVersion"],
        first["metadata"]["resourceVersion"]
    );
}

#[tokio::test]
async fn pages_count_the_objects_that_a_selector_matches() {
    let api = ten().await;
    let path = "/api/v1/pods?labelSelector=rank%3D0&limit=3";
    let (_, first) = api.get(path).await;
    assert_eq!(names(&first), ["pod-0", "pod-3", "pod-6"]);
    assert_eq!(first["metadata"].get("remainingItemCount"), None);
    let next = first["metadata"]["continue"].as_str().unwrap();
    assert_eq!(api.names(&format!("{path}&continue={next}")).await, ["pod-9"]);
}

#[tokio::test]
async fn an_expired_continue_token_comes_with_an_inconsistent_one() {
    let api = ten().await;
    let (_, first) = api.get("/api/v1/pods?limit=4").await;
    api.sim.faults().expire_history();
    api.sim.remove("Pod", "a", "pod-4");
    let token = first["metadata"]["continue"].as_str().unwrap();
    let (status, expired) = api.get(&format!("/api/v1/pods?limit=4&continue={token}")).await;
    assert_eq!((status, &expired["reason"]), (410, &"Expired".into()));
    let fresh = expired["metadata"]["continue"].as_str().unwrap();
    assert_eq!(
        api.names(&format!("/api/v1/pods?limit=2&continue={fresh}")).await,
        ["pod-5", "pod-6"]
    );
    assert_eq!(api.get("/api/v1/pods?continue=abc").await.0, 400);
}

#[tokio::test]
async fn a_list_honours_its_resource_version() {
    let api = ten().await;
    let old = api.version().await;
    api.sim.remove("Pod", "a", "pod-0");
    let count = async |query: &str| api.names(&format!("/api/v1/pods?{query}")).await.len();
    assert_eq!(count("resourceVersion=0").await, 9);
    assert_eq!(
        count(&format!("resourceVersion={old}&resourceVersionMatch=NotOlderThan")).await,
        9
    );
    assert_eq!(
        count(&format!("resourceVersion={old}&resourceVersionMatch=Exact")).await,
        10
    );
    let (status, too_large) = api.get("/api/v1/pods?resourceVersion=99999999").await;
    assert_eq!(
        (status, &too_large["details"]["causes"][0]["reason"]),
        (504, &"ResourceVersionTooLarge".into())
    );
    assert_eq!(api.get("/api/v1/pods?resourceVersion=x").await.0, 400);
    for forbidden in [
        "resourceVersionMatch=Some&resourceVersion=1",
        "resourceVersionMatch=Exact",
        "resourceVersionMatch=Exact&resourceVersion=0",
        "sendInitialEvents=true",
    ] {
        assert_eq!(
            api.get(&format!("/api/v1/pods?{forbidden}")).await.0,
            422,
            "{forbidden}"
        );
    }
}

#[tokio::test]
async fn a_large_list_comes_whole() {
    let api = Api::start().await;
    let filler = "x".repeat(5000);
    for index in 0..300 {
        api.sim
            .put(pod("a", &format!("pod-{index:03}"), json!({ "filler": filler })));
    }
    let names = api.names("/api/v1/pods").await;
    assert_eq!((names.len(), names[299].as_str()), (300, "pod-299"));
}
