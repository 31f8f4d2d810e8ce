//! The real cluster: the bench's own namespace, pods in it, and direct access to the API server.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::{Api, Client, Config, config::Kubeconfig};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::{Result, server::random};

/// The cluster's name in Podgate.
pub(crate) const CLUSTER: &str = "bench";
/// How long a pod may take to reach its phase.
const PATIENCE: Duration = Duration::from_secs(180);

/// A cluster, and the bench's namespace in it.
pub(crate) struct RealCluster {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    image: String,
    kubeconfig: PathBuf,
    _dir: TempDir,
}

impl RealCluster {
    /// Connects to a kubeconfig's current context and creates the namespace.
    pub(crate) async fn open(path: &Path, image: &str) -> Result<Self> {
        let kubeconfig = only_current(Kubeconfig::read_from(path)?)?;
        let dir = TempDir::new()?;
        let file = dir.path().join("kubeconfig");
        // JSON is YAML.
        fs::write(&file, serde_json::to_string(&kubeconfig)?)?;
        let config = Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
        let lab = Self {
            client: Client::try_from(config)?,
            namespace: format!("podgate-bench-{}", random()?),
            image: image.to_owned(),
            kubeconfig: file,
            _dir: dir,
        };
        let namespace = serde_json::from_value(json!({"metadata": {"name": lab.namespace}}))?;
        let namespaces: Api<Namespace> = Api::all(lab.client.clone());
        namespaces.create(&Default::default(), &namespace).await?;
        Ok(lab)
    }

    /// Returns a kubeconfig with this cluster only, under the name [`CLUSTER`].
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Runs a shell script in a pod with one container, and waits until the pod is in a phase.
    pub(crate) async fn run(&self, name: &str, script: &str, phase: &str) -> Result<()> {
        let pod = serde_json::from_value(json!({
            "metadata": {"name": name},
            "spec": {
                "restartPolicy": "Never",
                "hostNetwork": true,
                "automountServiceAccountToken": false,
                "terminationGracePeriodSeconds": 0,
                "containers": [{
                    "name": "bench", "image": self.image, "imagePullPolicy": "IfNotPresent",
                    "command": ["sh", "-c", script],
                }],
            },
        }))?;
        let deadline = Instant::now() + PATIENCE;
        // A new namespace refuses pods until its service account is made.
        while let Err(e) = self.pods().create(&Default::default(), &pod).await {
            if !matches!(&e, kube::Error::Api(status) if status.code == 403) || Instant::now() > deadline {
                return Err(e.into());
            }
            sleep(Duration::from_millis(200)).await;
        }
        loop {
            let status = self.pods().get(name).await?.status.unwrap_or_default();
            if status.phase.as_deref() == Some(phase) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let status = serde_json::to_string(&status)?;
                return Err(format!("pod {name} is not {phase} after {} s: {status}", PATIENCE.as_secs()).into());
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    pub(crate) async fn delete(&self, name: &str) -> Result<()> {
        self.pods().delete(name, &Default::default()).await?;
        Ok(())
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Deletes the namespace with everything in it.
    pub(crate) async fn close(self) -> Result<()> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        namespaces.delete(&self.namespace, &Default::default()).await?;
        Ok(())
    }
}

/// Returns a kubeconfig with the current context only, named [`CLUSTER`].
fn only_current(mut kubeconfig: Kubeconfig) -> Result<Kubeconfig> {
    let current = kubeconfig
        .current_context
        .take()
        .ok_or("the kubeconfig has no current context")?;
    kubeconfig.contexts.retain(|context| context.name == current);
    for context in &mut kubeconfig.contexts {
        context.name = CLUSTER.to_owned();
    }
    kubeconfig.current_context = Some(CLUSTER.to_owned());
    Ok(kubeconfig)
}
