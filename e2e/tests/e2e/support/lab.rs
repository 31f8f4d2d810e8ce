//! The real cluster, seen past the product.

use std::process::Command;

use k8s_openapi::api::core::v1::{Event, Namespace, Pod};
use kube::{
    Api,
    api::{DeleteParams, ListParams, PostParams},
};
use serde_json::{Value, json};

use super::until;

/// A namespace of a test's own on the cluster of `KUBECONFIG`, and the cluster's controls.
pub(crate) struct Lab {
    pub(crate) kube: kube::Client,
    pub(crate) namespace: String,
}

impl Lab {
    /// Creates a namespace whose name starts with `test`.
    pub(crate) async fn new(test: &str) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let kube = kube::Client::try_default().await.expect("KUBECONFIG names a cluster");
        let namespace: Namespace =
            serde_json::from_value(json!({"metadata": {"generateName": format!("e2e-{test}-")}})).unwrap();
        let namespace = Api::all(kube.clone())
            .create(&PostParams::default(), &namespace)
            .await
            .unwrap();
        Self {
            kube,
            namespace: namespace.metadata.name.unwrap(),
        }
    }

    pub(crate) fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.kube.clone(), &self.namespace)
    }

    /// Creates a pod from JSON and waits until a test of it holds.
    pub(crate) async fn create(&self, pod: Value) -> Pod {
        let pod: Pod = serde_json::from_value(pod).unwrap();
        // A namespace's service account may come a moment after it.
        until("the pod is created", || async {
            match self.pods().create(&PostParams::default(), &pod).await {
                Ok(pod) => Some(pod),
                Err(kube::Error::Api(status)) if status.code == 403 => None,
                Err(error) => panic!("{error}"),
            }
        })
        .await
    }

    /// Creates a pod and waits until all its containers run.
    pub(crate) async fn run(&self, pod: Value) -> Pod {
        let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
        self.create(pod).await;
        self.wait(&name, "runs", |pod| {
            let status = pod.status.as_ref()?;
            let running = status
                .container_statuses
                .as_ref()?
                .iter()
                .all(|c| c.state.as_ref().is_some_and(|s| s.running.is_some()));
            (status.phase.as_deref() == Some("Running") && running).then_some(())
        })
        .await
    }

    /// Waits until a pod of the namespace satisfies `test`; answers it as it was then.
    pub(crate) async fn wait(&self, name: &str, what: &str, test: impl Fn(&Pod) -> Option<()>) -> Pod {
        until(&format!("pod {name} {what}"), || async {
            let pod = self.pods().get_opt(name).await.unwrap()?;
            test(&pod).map(|()| pod)
        })
        .await
    }

    /// Waits until a pod has ended.
    pub(crate) async fn wait_ended(&self, name: &str) -> Pod {
        self.wait(name, "has ended", |pod| {
            matches!(pod.status.as_ref()?.phase.as_deref()?, "Succeeded" | "Failed").then_some(())
        })
        .await
    }

    /// Waits until a pod is gone.
    pub(crate) async fn wait_gone(&self, name: &str) {
        until(&format!("pod {name} is gone"), || async {
            self.pods().get_opt(name).await.unwrap().is_none().then_some(())
        })
        .await;
    }

    pub(crate) async fn delete_now(&self, name: &str) {
        self.pods()
            .delete(name, &DeleteParams::default().grace_period(0))
            .await
            .unwrap();
    }

    pub(crate) async fn events(&self) -> Vec<Event> {
        Api::namespaced(self.kube.clone(), &self.namespace)
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
    }

    /// Reads a whole log directly from the API server.
    pub(crate) async fn log(&self, name: &str, query: &str) -> Vec<u8> {
        let path = format!("/api/v1/namespaces/{}/pods/{name}/log?{query}", self.namespace);
        let request = http::Request::get(path).body(Vec::new()).unwrap();
        self.kube.request_text(request).await.unwrap().into_bytes()
    }

    /// Stops or starts a part of the cluster and waits for it.
    pub(crate) fn control(&self, verb: &str, part: &str) {
        let command = std::env::var("E2E_CLUSTER_CTL").expect("E2E_CLUSTER_CTL names the cluster's control command");
        let status = Command::new(&command)
            .args([verb, part])
            .status()
            .unwrap_or_else(|error| panic!("{command}: {error}"));
        assert!(status.success(), "{command} {verb} {part}: {status}");
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let (kube, namespace) = (self.kube.clone(), self.namespace.clone());
        // A destructor can't await the runtime that it is in.
        let end = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let Ok(fresh) = kube::Client::try_default().await else {
                    return;
                };
                let now = DeleteParams::default().grace_period(0);
                let _ = Api::<Pod>::namespaced(fresh.clone(), &namespace)
                    .delete_collection(&now, &ListParams::default())
                    .await;
                let _ = Api::<Namespace>::all(fresh)
                    .delete(&namespace, &DeleteParams::background())
                    .await;
            });
            drop(kube);
        });
        let _ = end.join();
    }
}

/// Returns the image that has a shell.
fn image() -> String {
    std::env::var("E2E_IMAGE").unwrap_or_else(|_| "kubelab/busybox:1".to_owned())
}

/// Returns a container that runs a shell script.
fn container(name: &str, script: &str) -> Value {
    json!({"name": name, "image": image(), "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", script]})
}

/// Returns a pod whose containers each run a script; it is not restarted.
pub(crate) fn pod(name: &str, containers: &[(&str, &str)]) -> Value {
    let containers: Vec<Value> = containers
        .iter()
        .map(|(name, script)| container(name, script))
        .collect();
    json!({"metadata": {"name": name, "labels": {"app": name}}, "spec": {
        "hostNetwork": true, "automountServiceAccountToken": false, "enableServiceLinks": false, "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 2, "containers": containers}})
}

/// Returns a pod with one container, `main`, that waits to be used.
pub(crate) fn shell_pod(name: &str) -> Value {
    pod(name, &[("main", "trap 'exit 0' TERM; while :; do sleep 1; done")])
}
