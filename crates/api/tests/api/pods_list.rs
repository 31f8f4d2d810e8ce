//! `GET /api/clusters/{clusterId}/pods`.

use serde_json::{Value, json};

use crate::{
    pods_detail::add_limited,
    support::{PATIENCE, Server, Setup, cluster, within},
};

const PODS: &str = "/api/clusters/sim/pods";

/// Returns a pod of the simulated cluster. Its uid, times and IPs are given, so that a whole answer
/// can be compared.
fn web() -> Value {
    json!({
        "kind": "Pod",
        "metadata": {
            "name": "web-5d9c7-x2k", "namespace": "shop", "uid": "11111111-2222-3333-4444-555555555555",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {"app": "web", "tier": "front"},
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d9c7", "uid": "r-1", "controller": true},
            ],
        },
        "spec": {
            "nodeName": "node-1",
            "initContainers": [{"name": "migrate", "image": "shop/migrate:1"}],
            "containers": [{"name": "web", "image": "shop/web:2"}, {"name": "proxy", "image": "proxy:1"}],
        },
        "status": {
            "phase": "Running", "qosClass": "Burstable", "podIP": "10.0.0.5", "hostIP": "192.168.1.10",
            "conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "False"}],
            "initContainerStatuses": [{
                "name": "migrate", "ready": true, "restartCount": 0, "image": "shop/migrate:1", "imageID": "",
                "state": {"terminated": {"exitCode": 0, "reason": "Completed"}},
            }],
            // In another order than the spec's: a status belongs to the container of its name.
            "containerStatuses": [
                {
                    "name": "proxy", "ready": false, "restartCount": 3, "image": "proxy:1", "imageID": "",
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-02T00:00:00Z"}},
                },
                {
                    "name": "web", "ready": true, "restartCount": 1, "image": "shop/web:2", "imageID": "",
                    "state": {"running": {"startedAt": "2026-01-01T00:01:00Z"}},
                    "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2026-01-01T00:00:59Z"}},
                },
            ],
        },
    })
}

/// Returns a pod that no node runs.
fn pending(namespace: &str, name: &str, second: u32) -> Value {
    json!({
        "kind": "Pod",
        "metadata": {
            "name": name, "namespace": namespace,
            "creationTimestamp": format!("2026-01-03T00:00:{second:02}Z"),
            "labels": {"app": name},
        },
        "spec": {"containers": [{"name": "main", "image": "busybox:1"}]},
        "status": {"phase": "Pending"},
    })
}

/// Returns a pod of a job whose image can't be pulled.
fn without_image() -> Value {
    let mut pod = pending("shop", "migrate-1", 1);
    pod["metadata"]["ownerReferences"] = json!([{"kind": "Job", "name": "migrate", "controller": true}]);
    let waiting = json!({"waiting": {"reason": "ErrImagePull", "message": "not found"}});
    pod["status"]["containerStatuses"] = json!([{"name": "main", "ready": false, "restartCount": 0, "state": waiting}]);
    pod
}

/// Starts a server that lists these pods.
async fn with(pods: impl IntoIterator<Item = Value>) -> Server {
    let server = Server::start().await;
    let mut count = 0;
    for pod in pods {
        server.sim.put(pod);
        count += 1;
    }
    server
        .until(PODS, |answer| answer.json()["data"]["total"] == count)
        .await;
    server
}

/// Returns the names of a list's pods, in its order, and its total.
async fn names(server: &Server, query: &str) -> (Vec<String>, u64) {
    let data = server.get(&format!("{PODS}?{query}")).await.data();
    let items = data["items"].as_array().unwrap();
    let names = items.iter().map(|item| item["name"].as_str().unwrap().to_owned());
    (names.collect(), data["total"].as_u64().unwrap())
}

#[tokio::test]
async fn an_item_has_every_field_of_the_contract() {
    let server = with([web()]).await;
    let data = server.get(PODS).await.data();
    assert_eq!(
        data["items"],
        json!([{
            "name": "web-5d9c7-x2k", "namespace": "shop", "uid": "11111111-2222-3333-4444-555555555555",
            "status": "CrashLoopBackOff", "phase": "Running", "qosClass": "Burstable",
            "reason": "Container `proxy` keeps crashing: exit code 1, 3 restarts",
            "reasonCode": "Crash",
            "reasonArgs": {
                "container": "proxy", "role": "regular", "restarts": 3, "how": "crashing", "exitCode": 1, "signal": 0, "word": "", "said": "",
            },
            "nodeName": "node-1", "podIP": "10.0.0.5", "hostIP": "192.168.1.10",
            "restarts": 4, "lastRestartAt": "2026-01-02T00:00:00Z", "ready": 1, "readyTotal": 2,
            "containers": [
                {"name": "web", "image": "shop/web:2", "ready": true, "restartCount": 1},
                {"name": "proxy", "image": "proxy:1", "ready": false, "restartCount": 3},
            ],
            "initContainers": [{"name": "migrate", "image": "shop/migrate:1", "ready": true, "restartCount": 0}],
            "owner": {"kind": "ReplicaSet", "name": "web-5d9c7"},
            "createdAt": "2026-01-01T00:00:00Z", "deletionTimestamp": "",
        }])
    );
    assert_eq!(
        (&data["total"], &data["page"], &data["pageSize"]),
        (&json!(1), &json!(1), &json!(20))
    );
    assert_eq!(
        (&data["sync"]["state"], &data["sync"]["error"]),
        (&json!("synced"), &json!(""))
    );
    let synced_at: jiff::Timestamp = data["sync"]["syncedAt"].as_str().unwrap().parse().unwrap();
    assert!(synced_at <= jiff::Timestamp::now());
    server.stop().await;
}

/// Returns a pod whose row is about as large as a row may be: some 300 kB.
pub(crate) fn enormous(namespace: &str, name: &str) -> Value {
    let container = |n: usize| json!({"name": format!("{n}-{}", "n".repeat(300)), "image": "i".repeat(600)});
    let containers: Vec<_> = (0..210).map(container).collect();
    let mut pod = pending(namespace, name, 1);
    pod["spec"] = json!({"containers": containers, "initContainers": containers});
    let labels = (0..300).map(|n| (format!("label-{n:03}"), json!("x")));
    pod["metadata"]["labels"] = labels.collect::<serde_json::Map<_, _>>().into();
    pod
}

#[tokio::test]
async fn a_row_is_bounded_and_says_what_is_left_out() {
    let server = with([enormous("shop", "large"), pending("shop", "small", 2)]).await;
    let data = server.get(PODS).await.data();
    let (small, large) = (&data["items"][0], &data["items"][1]);
    assert!(small.get("containersLeftOut").is_none(), "{small}");
    assert_eq!(large["containersLeftOut"], 20);
    for field in ["containers", "initContainers"] {
        let containers = large[field].as_array().unwrap();
        assert_eq!(containers.len(), 200);
        for container in containers {
            let [name, image] = ["name", "image"].map(|field| container[field].as_str().unwrap());
            assert!(name.len() <= 253 && name.ends_with('…'), "{name}");
            assert!(image.len() <= 512 && image.ends_with('…'), "{image}");
        }
    }
    assert_eq!(large["readyTotal"], 210);
    let metrics = server.request("GET", "/metrics", None, None).await.text();
    let counted = "\npodgate_cluster_left_out_labels_total{cluster=\"sim\"} 44\n";
    assert!(metrics.contains(counted), "{metrics}");
    // Podgate knows nothing of the labels that it left out.
    for (selector, found) in [
        ("label-000=x", "large"),
        ("label-299", ""),
        ("!label-299", "small"),
        ("label-299!=x", "small"),
    ] {
        let (names, _) = names(&server, &format!("labelSelector={selector}")).await;
        assert_eq!(names.concat(), found, "{selector}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_list_that_would_be_too_large_names_a_size_that_fits() {
    let server = with((0..60).map(|n| enormous("shop", &format!("pod-{n:02}")))).await;
    let list = |query: String| {
        let server = &server;
        async move { server.get(&format!("{PODS}?sort=name&facets=status{query}")).await }
    };
    let message = list("&pageSize=60".to_owned()).await.fails(400_001);
    let (_, size) = message.split_once("`pageSize=").unwrap();
    let size: usize = size.split_once('`').unwrap().0.parse().unwrap();
    assert!((10..60).contains(&size), "{message}");
    let mut seen = Vec::new();
    for page in 1..=60_usize.div_ceil(size) {
        let answer = list(format!("&pageSize={size}&page={page}")).await;
        assert!(answer.text().len() <= 16 << 20);
        let items = answer.data()["items"].as_array().unwrap().clone();
        seen.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
    }
    let all: Vec<_> = (0..60).map(|n| format!("pod-{n:02}")).collect();
    assert_eq!(seen, all);
    server.stop().await;
}

#[tokio::test]
async fn a_pod_without_a_time_of_creation_is_the_oldest() {
    let mut ageless = pending("shop", "ageless", 1);
    // Go's zero time, which a cluster may also leave out.
    ageless["metadata"]["creationTimestamp"] = json!("0001-01-01T00:00:00Z");
    let server = with([ageless, pending("shop", "old", 1), pending("shop", "new", 2)]).await;
    assert_eq!(names(&server, "").await.0, ["new", "old", "ageless"]);
    assert_eq!(names(&server, "order=asc").await.0, ["ageless", "old", "new"]);
    let data = server.get(&format!("{PODS}?search=ageless")).await.data();
    assert_eq!(data["items"][0]["createdAt"], "");
    server.stop().await;
}

#[tokio::test]
async fn every_ip_of_a_pod_is_found() {
    let mut dual = web();
    dual["status"]["podIPs"] = json!([{"ip": "10.0.0.5"}, {"ip": "fd00:a::5"}]);
    let server = with([dual, pending("shop", "young", 1)]).await;
    for search in ["FD00:a::", "a::5", "10.0.0.5"] {
        let found = names(&server, &format!("search={search}")).await;
        assert_eq!(found, (vec!["web-5d9c7-x2k".to_owned()], 1), "{search}");
    }
    server.stop().await;
}

#[tokio::test]
async fn problems_are_the_pods_with_a_reason() {
    let server = with([web(), pending("shop", "young", 1)]).await;
    assert_eq!(
        names(&server, "problem=true").await,
        (vec!["web-5d9c7-x2k".to_owned()], 1)
    );
    assert_eq!(names(&server, "problem=false").await.1, 2);
    server.stop().await;
}

#[tokio::test]
async fn a_pod_without_status_has_every_field_too() {
    let server = with([pending("shop", "new", 0)]).await;
    let data = server.get(PODS).await.data();
    let item = &data["items"][0];
    for field in [
        "qosClass",
        "nodeName",
        "podIP",
        "hostIP",
        "lastRestartAt",
        "deletionTimestamp",
    ] {
        assert_eq!(item[field], "", "{field}");
    }
    assert_eq!(
        item["containers"],
        json!([{"name": "main", "image": "busybox:1", "ready": false, "restartCount": 0}])
    );
    assert_eq!(
        (&item["status"], &item["initContainers"]),
        (&json!("Pending"), &json!([]))
    );
    server.stop().await;
}

#[tokio::test]
async fn each_filter_narrows_and_counts() {
    let server = with([web(), pending("shop", "new", 1), pending("staging", "old", 2)]).await;
    for (query, expected) in [
        ("", vec!["old", "new", "web-5d9c7-x2k"]),
        ("namespace=staging", vec!["old"]),
        ("namespace=shop&namespace=staging", vec!["old", "new", "web-5d9c7-x2k"]),
        ("namespace=gone", vec![]),
        ("status=crashLOOPbackoff", vec!["web-5d9c7-x2k"]),
        (
            "status=CrashLoopBackOff&status=Pending",
            vec!["old", "new", "web-5d9c7-x2k"],
        ),
        ("phase=pending", vec!["old", "new"]),
        ("qosClass=burstable", vec!["web-5d9c7-x2k"]),
        ("qosClass=Burstable&qosClass=Guaranteed", vec!["web-5d9c7-x2k"]),
        ("qosClass=BestEffort", vec![]),
        ("nodeName=node-1", vec!["web-5d9c7-x2k"]),
        ("nodeName=node", vec![]),
        ("search=WEB", vec!["web-5d9c7-x2k"]),
        ("search=stag", vec!["old"]),
        ("search=node-1", vec!["web-5d9c7-x2k"]),
        ("search=0.0.5", vec!["web-5d9c7-x2k"]),
        ("search=%C3%A4", vec![]),
        ("labelSelector=app%20in%20(web,new),!gone", vec!["new", "web-5d9c7-x2k"]),
        ("labelSelector=tier!=front", vec!["old", "new"]),
        ("namespace=shop&phase=Pending&search=n&labelSelector=app", vec!["new"]),
        (
            "namespace=&status=&search=&nodeName=&labelSelector=&page=&pageSize=",
            vec!["old", "new", "web-5d9c7-x2k"],
        ),
    ] {
        assert_eq!(
            names(&server, query).await,
            (
                expected.iter().map(ToString::to_string).collect(),
                expected.len() as u64
            ),
            "{query}"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn sorts_and_pages() {
    let server = with([
        pending("b", "x", 1),
        pending("a", "x", 1),
        pending("a", "y", 3),
        pending("c", "w", 2),
    ])
    .await;
    for (query, expected) in [
        ("order=asc", ["x", "x", "w", "y"]),
        ("sort=name", ["w", "x", "x", "y"]),
        ("sort=name&order=desc", ["y", "x", "x", "w"]),
        ("sort=namespace&order=desc", ["w", "x", "x", "y"]),
        ("sort=restarts", ["x", "y", "x", "w"]),
    ] {
        assert_eq!(names(&server, query).await.0, expected, "{query}");
    }
    let data = server.get(&format!("{PODS}?page=2&pageSize=2")).await.data();
    let places: Vec<_> = data["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["namespace"].as_str().unwrap(), item["name"].as_str().unwrap()))
        .collect();
    assert_eq!(places, [("a", "x"), ("b", "x")], "ties go by namespace, then name");
    assert_eq!(
        (&data["total"], &data["page"], &data["pageSize"]),
        (&json!(4), &json!(2), &json!(2))
    );
    for past in ["page=3&pageSize=2", "page=4294967295&pageSize=1000"] {
        assert_eq!(names(&server, past).await, (vec![], 4), "{past}");
    }
    server.stop().await;
}

/// Returns the words that a parameter of the list takes, as the OpenAPI document has them.
fn words(parameter: &str) -> Vec<String> {
    let document = podgate_api::document("", &podgate_api::routes::table());
    let parameters = &document["paths"]["/api/clusters/{clusterId}/pods"]["get"]["parameters"];
    let described = parameters.as_array().unwrap().iter();
    let described = described.clone().find(|described| described["name"] == parameter);
    let mut schema = &described.unwrap()["schema"];
    while !schema["items"].is_null() {
        schema = &schema["items"];
    }
    if let Some(pattern) = schema["pattern"].as_str() {
        // Labels have no parameter of their name.
        let words = pattern.trim_start_matches("^(").split('|');
        return words
            .filter(|word| !word.starts_with("label"))
            .map(str::to_owned)
            .collect();
    }
    let words = schema["enum"].as_array().unwrap().iter();
    words.map(|word| word.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_sort_goes_by_the_field_of_its_name() {
    let server = with([web(), pending("shop", "new", 1), pending("staging", "old", 2)]).await;
    let codes = words("reasonCode");
    for word in words("sort") {
        let data = server.get(&format!("{PODS}?sort={word}&order=asc")).await.data();
        let keys: Vec<_> = data["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| match word.as_str() {
                // The least bad come first, and the later a code stands, the less bad it is.
                "problem" => {
                    let place = codes.iter().position(|code| item["reasonCode"] == **code);
                    json!(place.map_or(0, |place| codes.len() - place))
                }
                // Pods that never restarted come last.
                "lastRestartAt" if item[&word] == "" => json!("never"),
                _ => item[&word].clone(),
            })
            .collect();
        let key = |key: &Value| (key.as_u64(), key.as_str().map(str::to_owned));
        assert!(keys.is_sorted_by_key(key), "{word}: {keys:?}");
        assert!(
            keys.first() != keys.last(),
            "{word} is the same for all pods of this test"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn every_facet_counts_what_the_filter_of_its_name_finds() {
    let server = with([
        web(),
        without_image(),
        pending("shop", "new", 1),
        pending("staging", "old", 2),
    ])
    .await;
    for word in words("facets") {
        let data = server.get(&format!("{PODS}?facets={word}")).await.data();
        let counts = data["facets"][&word].as_array().unwrap();
        assert!(counts.len() > 1, "{word} is the same for all pods of this test");
        // An empty value counts as absent, and `problem=false` as well.
        for count in counts
            .iter()
            .filter(|count| count["value"] != "" && count["value"] != "false")
        {
            let (value, count) = (count["value"].as_str().unwrap(), count["count"].as_u64().unwrap());
            assert_eq!(
                names(&server, &format!("{word}={value}")).await.1,
                count,
                "{word}={value}"
            );
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn facets_count_beside_their_own_filters() {
    let server = with([
        web(),
        without_image(),
        pending("shop", "new", 1),
        pending("staging", "old", 2),
    ])
    .await;
    let counted = async |query: &str| server.get(&format!("/api/pods?{query}")).await.data();
    let data = counted("namespace=shop&status=Pending&facets=status,problem,namespace,cluster&facetMode=others").await;
    assert_eq!(data["total"], 1);
    assert_eq!(
        data["facets"]["status"],
        json!([{"value": "CrashLoopBackOff", "count": 1}, {"value": "ErrImagePull", "count": 1}, {"value": "Pending", "count": 1}])
    );
    assert_eq!(
        data["facets"]["namespace"],
        json!([{"value": "shop", "count": 1}, {"value": "staging", "count": 1}])
    );
    assert_eq!(
        data["facetTotals"],
        json!({"status": 3, "problem": 3, "namespace": 2, "cluster": 1})
    );
    let data = counted("namespace=shop&status=Pending&facets=status").await;
    assert_eq!(data["facets"]["status"], json!([{"value": "Pending", "count": 1}]));
    assert_eq!(data["facetTotals"], json!({"status": 1}));

    // A pod that the filter excludes still changes the answer, and its tag.
    let query = "/api/pods?namespace=none&facets=namespace&facetMode=others";
    let first = server.get(query).await;
    server.sim.put(pending("third", "another", 3));
    let second = server
        .until(query, |answer| answer.json()["data"]["facetTotals"]["namespace"] == 5)
        .await;
    assert_ne!(first.header("etag"), second.header("etag"));
    server.stop().await;
}

#[tokio::test]
async fn facets_count_labels_and_find_values() {
    let server = with([
        pending("shop", "new", 1),
        pending("staging", "old", 2),
        pending("staging", "older", 3),
    ])
    .await;
    let counted = async |query: &str| server.get(&format!("{PODS}?{query}")).await.data();
    let data = counted("facets=label,label:app,label:none").await;
    assert_eq!(data["facets"]["label"], json!([{"value": "app", "count": 3}]));
    assert_eq!(
        data["facets"]["label:app"],
        json!([{"value": "new", "count": 1}, {"value": "old", "count": 1}, {"value": "older", "count": 1}])
    );
    assert_eq!(data["facets"]["label:none"], json!([{"value": "", "count": 3}]));
    let data = counted("facets=namespace&facetSearch=STAG").await;
    assert_eq!(data["facets"]["namespace"], json!([{"value": "staging", "count": 2}]));
    assert_eq!(data["total"], 3, "the search is among values, not pods");
    let data = counted("facets=label:app&facetSearch=old").await;
    assert_eq!(data["facets"]["label:app"].as_array().unwrap().len(), 2);
    for query in ["facetSearch=x", "facets=status,phase&facetSearch=x", "facets=label:"] {
        server.get(&format!("{PODS}?{query}")).await.fails(400_001);
    }
    server.stop().await;
}

#[tokio::test]
async fn identities_alone_come_in_larger_pages() {
    let server = with([pending("shop", "new", 1), pending("staging", "old", 2)]).await;
    let data = server.get("/api/pods?fields=id&sort=name&pageSize=5000").await.data();
    let items = data["items"].as_array().unwrap();
    let names: Vec<_> = items.iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["new", "old"]);
    for item in items {
        let fields: Vec<_> = item.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["cluster", "name", "namespace", "uid"]);
    }
    let of_one = server.get(&format!("{PODS}?fields=id")).await.data();
    assert!(of_one["items"][0].get("cluster").is_none());
    let message = server.get("/api/pods?pageSize=1001").await.fails(400_001);
    assert!(message.contains("with `fields=id` it may be up to 5000"), "{message}");
    server.get("/api/pods?fields=id&pageSize=5001").await.fails(400_001);
    server.stop().await;
}

#[tokio::test]
async fn owners_codes_names_times_and_several_texts_narrow() {
    let server = with([
        web(),
        without_image(),
        pending("shop", "new", 1),
        pending("staging", "old", 2),
    ])
    .await;
    let web = "web-5d9c7-x2k";
    for (query, expected) in [
        ("owner=ReplicaSet/web-5d9c7", &[web][..]),
        ("owner=Job/web-5d9c7", &[]),
        ("owner=ReplicaSet/web-5d9c7&owner=Job/migrate", &["migrate-1", web]),
        ("reasonCode=Image", &["migrate-1"]),
        ("reasonCode=Image&reasonCode=Crash&reasonCode=Gate", &["migrate-1", web]),
        ("reasonCode=Gate", &[]),
        ("name=new", &["new"]),
        ("name=ne", &[]),
        ("name=new&namespace=shop", &["new"]),
        ("name=new&namespace=staging", &[]),
        ("search=web&search=x2k", &[web]),
        ("search=web&search=new", &[]),
        ("nodeName=node-1&nodeName=node-9", &[web]),
        ("restartedSince=2026-01-02T00:00:00Z", &[web]),
        ("restartedSince=2026-01-02T00:00:00.1Z", &[]),
        ("createdSince=2026-01-03T00:00:02Z", &["old"]),
        ("createdBefore=2026-01-03T00:00:01Z", &[web]),
    ] {
        let query = format!("sort=name&{query}");
        let names = names(&server, &query).await.0;
        assert_eq!(names, expected, "{query}");
    }
    for (query, part) in [
        ("owner=web", "`owner` must be `KIND/NAME`"),
        ("reasonCode=Bad", "`reasonCode`"),
        ("createdSince=yesterday", "`createdSince`"),
        (&["search=a"; 9].join("&"), "`search` is given more than 8 times"),
    ] {
        let message = server.get(&format!("{PODS}?{query}")).await.fails(400_001);
        assert!(message.contains(part), "{query}: {message}");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_unsupported_field_is_refused_by_name() {
    let server = Server::start().await;
    let long = format!("search={}", "x".repeat(4096));
    for (query, part) in [
        ("page=0", "`page`"),
        ("page=-1", "`page`"),
        ("page=4294967296", "`page`"),
        ("page=1&page=2", "`page`"),
        ("pageSize=0", "`pageSize`"),
        ("pageSize=1001", "`pageSize`"),
        ("pageSize=ten", "`pageSize`"),
        ("sort=age", "`sort`"),
        ("order=DESC", "`order`"),
        ("labelSelector=app%20in%20web", "`labelSelector`"),
        ("labelSelector=-app", "`labelSelector`"),
        ("limit=5", "`limit`"),
        ("cluster=sim", "`cluster`"),
        ("problem=yes", "`problem`"),
        (
            "facets=cluster",
            "`namespace`, `status`, `phase`, `qosClass`, `nodeName`, `problem`",
        ),
        ("search=%ff", "`search`"),
        ("search=%00", "`search`"),
        (long.as_str(), "`search`"),
    ] {
        let message = server.get(&format!("{PODS}?{query}")).await.fails(400_001);
        assert!(message.contains(part), "{query}: {message}");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_number_names_the_cluster_as_its_name_does() {
    let server = with([web()]).await;
    let id = server.registry.all()[0].id().0;
    assert_eq!(server.get(&format!("/api/clusters/{id}/pods")).await.data()["total"], 1);
    let message = server.get("/api/clusters/nowhere/pods").await.fails(404_002);
    assert!(message.contains("nowhere"), "{message}");
    server.get("/api/clusters/4000000000/pods").await.fails(404_002);
    server.stop().await;
}

#[tokio::test]
async fn nobody_lists_without_credential_or_permission() {
    let server = Server::start().await;
    server.request("GET", PODS, None, None).await.fails(401_003);
    let token = server.nobody().await;
    let message = server.request("GET", PODS, Some(&token), None).await.fails(403_001);
    assert!(message.contains("list pods") && message.contains("sim"), "{message}");
    server.stop().await;
}

#[tokio::test]
async fn a_namespace_that_is_not_watched_is_not_shown_as_empty() {
    let server = Server::start().await;
    add_limited(&server).await;
    let path = "/api/clusters/limited/pods";
    server
        .until(path, |answer| {
            answer.status == 200 && answer.json()["data"]["total"] == 1
        })
        .await;
    let seen = server.get(&format!("{path}?namespace=staging")).await.data();
    assert_eq!(seen["items"][0]["name"], "seen");
    for query in ["namespace=shop", "namespace=staging&namespace=shop"] {
        let message = server.get(&format!("{path}?{query}")).await.fails(403_001);
        for part in ["Podgate", "list pods", "`shop`", "`limited`"] {
            assert!(message.contains(part), "{query}: {message}");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_stale_list_is_served_and_says_that_it_is_stale() {
    let server = with([web()]).await;
    server.sim.pause().await;
    let answer = server
        .until(PODS, |answer| answer.json()["data"]["sync"]["state"] == "stale")
        .await;
    let data = answer.data();
    assert_eq!(data["total"], 1);
    assert_ne!(data["sync"]["error"], "");
    server.sim.resume().await;
    server
        .until(PODS, |answer| answer.json()["data"]["sync"]["state"] == "synced")
        .await;
    server.stop().await;
}

#[tokio::test]
async fn a_cluster_that_never_synced_has_no_list() {
    let server = Server::start().await;
    let broken = cluster("slow").await;
    broken.faults().delay_requests("/pods", PATIENCE * 4);
    let slow = server.add(&broken, 7);
    let answer = server.get("/api/clusters/slow/pods").await;
    let message = answer.fails(503_001);
    assert!(message.contains("slow"), "{message}");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
    // Nor counts: a part would pass for all.
    server.get("/api/clusters/slow/stats").await.fails(503_001);
    let ready = server.get("/readyz").await;
    assert_eq!(
        (
            ready.status,
            &ready.json()["ready"],
            &ready.json()["clusters"]["syncing"]
        ),
        (503, &json!(false), &json!(1))
    );
    server.registry.remove(slow.id()).await;

    broken.faults().delay_requests("/pods", std::time::Duration::ZERO);
    broken.faults().revoke_token("admin");
    server.add(&broken, 8);
    let answer = server
        .until("/api/clusters/slow/pods", |answer| answer.status == 502)
        .await;
    answer.fails(502_001);
    server.get("/api/clusters/slow/stats").await.fails(502_001);
    let ready = server.get("/readyz").await;
    assert_eq!((ready.status, &ready.json()["clusters"]["failed"]), (200, &json!(1)));
    broken.faults().restore_token("admin");
    server
        .until("/api/clusters/slow/pods", |answer| answer.status == 200)
        .await;
    server.stop().await;
    within(broken.stop()).await;
}

#[tokio::test]
async fn a_cluster_that_did_not_answer_in_time_has_no_list_until_it_does() {
    let server = Server::with(Setup {
        policy: podgate_cluster::Policy {
            request_timeout: std::time::Duration::from_secs(1),
            ..podgate_cluster::Policy::default()
        },
        ..Setup::default()
    })
    .await;
    let silent = cluster("slow").await;
    silent.faults().delay_requests("/pods", PATIENCE * 4);
    server.add(&silent, 7);
    let answer = server
        .until("/api/clusters/slow/pods", |answer| answer.status != 503)
        .await;
    let message = answer.fails(504_001);
    assert!(
        message.contains("cluster `slow`") && message.contains("not answered within 1 s"),
        "{message}"
    );
    server.get("/api/clusters/slow/stats").await.fails(504_001);
    silent.faults().delay_requests("/pods", std::time::Duration::ZERO);
    server
        .until("/api/clusters/slow/pods", |answer| answer.status == 200)
        .await;
    server.stop().await;
    within(silent.stop()).await;
}

#[tokio::test]
async fn facets_count_all_matches_whatever_the_page() {
    let server = with([web(), pending("shop", "new", 1), pending("staging", "old", 2)]).await;
    let data = server
        .get(&format!(
            "{PODS}?pageSize=1&facets=status,namespace,nodeName&facets=phase,status"
        ))
        .await
        .data();
    assert_eq!(
        (data["items"].as_array().unwrap().len(), &data["total"]),
        (1, &json!(3))
    );
    assert_eq!(
        data["facets"],
        json!({
            "status": [{"value": "Pending", "count": 2}, {"value": "CrashLoopBackOff", "count": 1}],
            "namespace": [{"value": "shop", "count": 2}, {"value": "staging", "count": 1}],
            "nodeName": [{"value": "", "count": 2}, {"value": "node-1", "count": 1}],
            "phase": [{"value": "Pending", "count": 2}, {"value": "Running", "count": 1}],
        })
    );
    assert_eq!(data["truncatedFacets"], json!([]));
    let data = server.get(&format!("{PODS}?search=e&facets=namespace")).await.data();
    assert_eq!(
        data["facets"]["namespace"],
        json!([{"value": "shop", "count": 2}]),
        "of the matches only, ties by value: {data}"
    );
    let data = server.get(PODS).await.data();
    assert!(data.get("facets").is_none() && data.get("truncatedFacets").is_none());
    server.stop().await;
}

#[tokio::test]
async fn a_facet_lists_at_most_a_thousand_values_and_says_that_it_was_cut() {
    let mut setup = Setup::default();
    setup.sim.content = podgate_sim::Content::Synthetic {
        pods: 1200,
        nodes: 1200,
        namespaces: 2,
        churn: 0.0,
    };
    let server = Server::with(setup).await;
    let data = server.get(&format!("{PODS}?facets=namespace,nodeName")).await.data();
    assert_eq!(data["facets"]["nodeName"].as_array().unwrap().len(), 1000);
    assert_eq!(data["facets"]["namespace"].as_array().unwrap().len(), 2);
    assert_eq!(data["truncatedFacets"], json!(["nodeName"]));
    server.stop().await;
}
