//! The reasons that the list gives for pods which a real cluster can't get to run.

use serde_json::{Value, json};

use crate::support::{Lab, Server, shell_pod, until};

/// A pod, what breaks it, and how its reason begins.
struct Broken {
    name: &'static str,
    /// Merged into the specification's only container.
    container: Value,
    /// Merged into the specification.
    spec: Value,
    reason: &'static str,
}

fn broken() -> Vec<Broken> {
    let pod = |name, container, spec, reason| Broken {
        name,
        container,
        spec,
        reason,
    };
    let script = |script: &str| json!({"command": ["sh", "-c", script]});
    let again = || json!({"restartPolicy": "Always"});
    vec![
        pod(
            "bad-image",
            json!({"image": "localhost:1/absent:2"}),
            json!({}),
            "Image `localhost:1/absent:2` can't be pulled: the registry refuses connections",
        ),
        pod(
            "never-pulled",
            json!({"image": "localhost:1/absent:3", "imagePullPolicy": "Never"}),
            json!({}),
            "Image `localhost:1/absent:3` is not on the node, and its pull policy is Never",
        ),
        pod(
            "crashes",
            script("exit 3"),
            again(),
            "The container keeps crashing: exit code 3, ",
        ),
        pod(
            "says-why",
            script("echo no DATABASE_URL >/dev/termination-log; exit 1"),
            json!({}),
            "The container failed: exit code 1, saying \"no DATABASE_URL\"",
        ),
        pod(
            "no-command",
            json!({"command": ["nope"]}),
            again(),
            "The container can't be started: exec: \"nope\": executable file not found in $PATH",
        ),
        pod(
            "out-of-memory",
            json!({"command": ["sh", "-c", "a=x; while :; do a=$a$a; done"], "resources": {"limits": {"memory": "32Mi"}}}),
            // The container's start needs memory too, and a runtime may fail to notice that memory
            // ran out: then the next run shows it.
            again(),
            "The container ran out of memory and was killed (OOMKilled)",
        ),
        pod(
            "no-config",
            json!({"envFrom": [{"configMapRef": {"name": "absent"}}]}),
            json!({}),
            "The container can't be started: configmap \"absent\" not found",
        ),
        pod(
            "no-node",
            json!({}),
            json!({"nodeSelector": {"example.com/none": "here"}}),
            "Not scheduled: 0/",
        ),
        pod(
            "not-ready",
            json!({"readinessProbe": {"exec": {"command": ["cat", "/absent"]}, "periodSeconds": 1}}),
            json!({}),
            "Not ready: the container does not pass its readiness probe",
        ),
        pod(
            "gated",
            json!({}),
            json!({"readinessGates": [{"conditionType": "example.com/gate"}]}),
            "Not ready: corresponding condition of pod readiness gate \"example.com/gate\" does not exist",
        ),
        pod(
            "too-long",
            json!({}),
            json!({"activeDeadlineSeconds": 1}),
            "DeadlineExceeded: ",
        ),
    ]
}

/// Returns the value merged with an object's fields.
fn with(value: &mut Value, fields: &Value) {
    for (name, field) in fields.as_object().unwrap() {
        value[name] = field.clone();
    }
}

/// Returns each listed pod's reason, by its name.
async fn reasons(server: &Server, query: &str) -> Vec<(String, String)> {
    let list = server.list(query).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| (text(&item["name"]), text(&item["reason"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn every_broken_pod_says_why() {
    let lab = Lab::new("reason").await;
    let server = Server::start().await;
    let query = format!("namespace={}&sort=name&order=asc&pageSize=100", lab.namespace);
    let mut cases = broken();
    cases.sort_by_key(|case| case.name);
    for case in &cases {
        let mut pod = shell_pod(case.name);
        with(&mut pod["spec"], &case.spec);
        with(&mut pod["spec"]["containers"][0], &case.container);
        lab.create(pod).await;
    }
    let mut done = shell_pod("done");
    with(&mut done["spec"]["containers"][0], &json!({"command": ["true"]}));
    lab.create(done).await;
    lab.wait_ended("done").await;
    lab.run(shell_pod("well")).await;

    // Waited for one after the other: a crash loop has its reason only between the runs.
    for case in &cases {
        until(&format!("{} says {:?}", case.name, case.reason), || async {
            let all = reasons(&server, &query).await;
            let (_, reason) = all.iter().find(|(name, _)| name == case.name)?;
            reason.starts_with(case.reason).then_some(())
        })
        .await;
    }
    until(
        "every pod but the healthy and the completed one is a problem",
        || async {
            let problems = reasons(&server, &format!("{query}&problem=true")).await;
            let names: Vec<&str> = problems.iter().map(|(name, _)| name.as_str()).collect();
            (names == cases.iter().map(|case| case.name).collect::<Vec<_>>()).then_some(())
        },
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_warning_that_was_read_explains_a_pod_that_says_nothing_itself() {
    let lab = Lab::new("warned").await;
    let server = Server::start().await;
    let query = format!("namespace={}", lab.namespace);
    let mut pod = shell_pod("no-volume");
    pod["spec"]["volumes"] = json!([{"name": "config", "configMap": {"name": "absent"}}]);
    pod["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "config", "mountPath": "/config"}]);
    lab.create(pod).await;

    let events = format!("{}/events", server.pod(&lab.namespace, "no-volume"));
    let explained = "FailedMount: MountVolume.SetUp failed for volume \"config\" : configmap \"absent\" not found";
    until("the pod is being created, without a reason", || async {
        let list = server.list(&query).await;
        (list["items"][0]["status"] == "ContainerCreating" && list["items"][0]["reason"] == "").then_some(())
    })
    .await;
    until("its row has the Warning that was read", || async {
        server.get(&events).await;
        let reasons = reasons(&server, &query).await;
        (reasons.first()?.1 == explained).then_some(())
    })
    .await;

    let config = serde_json::from_value(json!({"metadata": {"name": "absent"}})).unwrap();
    let configs = kube::Api::<k8s_openapi::api::core::v1::ConfigMap>::namespaced(lab.kube.clone(), &lab.namespace);
    configs
        .create(&kube::api::PostParams::default(), &config)
        .await
        .unwrap();
    until("it runs, and no longer has a reason", || async {
        let list = server.list(&query).await;
        (list["items"][0]["status"] == "Running" && list["items"][0]["reason"] == "").then_some(())
    })
    .await;
}
