//! The control port.

use podgate_sim::{Control, Options, Sim};
use reqwest::Client;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// A cluster with its control port.
struct Controlled {
    sim: Sim,
    client: Client,
    url: String,
    stop: CancellationToken,
}

impl Controlled {
    async fn start() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let sim = Sim::start(Options::default()).await.unwrap();
        let control = Control::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}/", control.address());
        let stop = CancellationToken::new();
        tokio::spawn(control.serve(sim.clone(), stop.clone()));
        let client = Client::builder().no_proxy().build().unwrap();
        Self { sim, client, url, stop }
    }

    async fn send(&self, operation: &Value) -> (u16, String) {
        let answer = self.client.post(&self.url).json(operation).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Carries out an operation, and returns its result.
    async fn run(&self, operation: Value) -> Value {
        let (status, text) = self.send(&operation).await;
        assert_eq!(status, 200, "{operation}: {text}");
        serde_json::from_str::<Value>(&text).unwrap()["result"].take()
    }
}

#[tokio::test]
async fn objects_and_containers_change_by_operations() {
    let controlled = Controlled::start().await;
    let web = json!({"namespace": "shop", "pod": "web", "container": "app"});
    let on = |op: &str, more: Value| {
        let mut operation = web.clone();
        operation["op"] = op.into();
        operation
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        operation
    };
    let run_pod = json!({"op": "runPod", "namespace": "shop", "name": "web", "containers": ["app"]});
    assert_eq!(controlled.run(run_pod).await, Value::Null);
    assert_eq!(controlled.run(on("writeLog", json!({"text": "hello\n"}))).await, true);
    controlled.run(on("rotateLog", json!({}))).await;
    controlled.run(on("restartContainer", json!({"exitCode": 137}))).await;
    let status = |sim: &Sim| sim.get("Pod", "shop", "web").unwrap()["status"]["containerStatuses"][0].clone();
    let restarted = status(&controlled.sim);
    assert_eq!(restarted["restartCount"], 1);
    assert_eq!(restarted["lastState"]["terminated"]["exitCode"], 137);
    controlled.run(on("endContainer", json!({"exitCode": 3}))).await;
    assert_eq!(status(&controlled.sim)["state"]["terminated"]["exitCode"], 3);
    let remove = json!({"op": "remove", "kind": "Pod", "namespace": "shop", "name": "web"});
    assert_eq!(controlled.run(remove.clone()).await, true);
    assert_eq!(controlled.run(remove).await, false);
    let object = json!({"kind": "Namespace", "metadata": {"name": "made"}});
    let stored = controlled.run(json!({"op": "put", "object": object})).await;
    assert!(stored["metadata"]["uid"].is_string(), "{stored}");
    controlled.stop.cancel();
}

#[tokio::test]
async fn every_fault_is_an_operation() {
    let controlled = Controlled::start().await;
    for operation in [
        json!({"op": "dropWatches"}),
        json!({"op": "stallWatches", "on": true}),
        json!({"op": "failRequests", "pathContains": "/pods", "status": 500, "times": 1}),
        json!({"op": "delayRequests", "pathContains": "/pods", "millis": 1}),
        json!({"op": "revokeToken", "user": "admin"}),
        json!({"op": "restoreToken", "user": "admin"}),
        json!({"op": "cutLogs"}),
        json!({"op": "endFollows"}),
        json!({"op": "cutExecs"}),
        json!({"op": "pause"}),
        json!({"op": "resume"}),
    ] {
        assert_eq!(controlled.run(operation).await, Value::Null);
    }
    controlled.stop.cancel();
}

#[tokio::test]
async fn an_operation_that_can_not_be_read_is_refused() {
    let controlled = Controlled::start().await;
    for operation in [
        json!({"op": "explode"}),
        json!({"op": "stallWatches"}),
        json!({"op": "stallWatches", "on": true, "of": 1}),
        json!({}),
    ] {
        let (status, text) = controlled.send(&operation).await;
        assert_eq!(status, 422, "{operation}: {text}");
    }
    // A browser may send this to another origin without a preflight.
    let plain = controlled.client.post(&controlled.url).body(r#"{"op":"pause"}"#);
    assert_eq!(plain.send().await.unwrap().status(), 415);
    let asked = controlled.client.request(reqwest::Method::OPTIONS, &controlled.url);
    assert_eq!(asked.send().await.unwrap().status(), 405);
    controlled.stop.cancel();
}

#[tokio::test]
async fn the_control_port_is_for_this_machine_only() {
    assert!(Control::bind("0.0.0.0:0".parse().unwrap()).await.is_err());
}
