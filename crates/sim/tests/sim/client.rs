//! A client of a simulated cluster.

use std::time::Duration;

use bytes::BytesMut;
use podgate_sim::{Options, Sim};
use reqwest::{Certificate, Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

/// The longest that a wait may take before its test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) struct Api {
    pub(crate) sim: Sim,
    client: Client,
    token: String,
}

impl Api {
    pub(crate) async fn start() -> Api {
        Api::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Api {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let sim = Sim::start(options).await.unwrap();
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([authority(&sim)])
            .build()
            .unwrap();
        Api {
            sim,
            client,
            token: "admin-token".to_owned(),
        }
    }

    pub(crate) fn user(&self, user: &str) -> Api {
        Api {
            sim: self.sim.clone(),
            client: self.client.clone(),
            token: format!("{user}-token"),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("https://{}{path}", self.sim.address());
        self.client.request(method, url).bearer_auth(&self.token)
    }

    pub(crate) async fn send(&self, method: Method, path: &str) -> Response {
        self.request(method, path).send().await.unwrap()
    }

    /// Sends a GET and returns the status and JSON of the answer.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.request(Method::GET, path)).await
    }

    /// Returns the current version of the pods.
    pub(crate) async fn version(&self) -> String {
        let (_, list) = self.get("/api/v1/pods?limit=1").await;
        list["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
    }

    /// Returns the names of the pods in a list.
    pub(crate) async fn names(&self, path: &str) -> Vec<String> {
        names(&self.get(path).await.1)
    }

    pub(crate) async fn watch(&self, path: &str) -> Frames {
        Frames::open(self.request(Method::GET, path)).await
    }
}

/// Sends a request and returns the status and JSON of the answer.
pub(crate) async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

pub(crate) fn names(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap_or_else(|| panic!("a list: {list}"));
    items
        .iter()
        .map(|item| item["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

/// The frames of a watch.
pub(crate) struct Frames {
    response: Response,
    buffer: BytesMut,
}

/// One frame of a watch, or its end.
#[derive(Debug, PartialEq)]
pub(crate) enum Frame {
    Event(Value),
    Garbage,
    /// A clean end.
    End,
    /// A broken connection.
    Broken,
}

impl Frames {
    pub(crate) async fn open(request: RequestBuilder) -> Frames {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Frames {
            response,
            buffer: BytesMut::new(),
        }
    }

    pub(crate) async fn next(&mut self) -> Frame {
        tokio::time::timeout(DEADLINE, self.read())
            .await
            .expect("a frame within the deadline")
    }

    async fn read(&mut self) -> Frame {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(end + 1);
                return serde_json::from_slice(&line).map_or(Frame::Garbage, Frame::Event);
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) => return Frame::End,
                Err(_) => return Frame::Broken,
            }
        }
    }

    /// Returns the type and object of the next event.
    pub(crate) async fn event(&mut self) -> (String, Value) {
        match self.next().await {
            Frame::Event(mut event) => (event["type"].as_str().unwrap().to_owned(), event["object"].take()),
            other => panic!("an event, not {other:?}"),
        }
    }

    /// Returns the next event other than a bookmark, as `TYPE name`.
    pub(crate) async fn change(&mut self) -> String {
        loop {
            let (kind, object) = self.event().await;
            if kind != "BOOKMARK" {
                return format!("{kind} {}", object["metadata"]["name"].as_str().unwrap());
            }
        }
    }

    /// Returns the metadata of a bookmark, which must be the next event.
    pub(crate) async fn bookmark(&mut self) -> Value {
        let (kind, mut object) = self.event().await;
        assert_eq!(kind, "BOOKMARK", "{object}");
        object["metadata"].take()
    }
}

/// Builds a pod with labels that is on a node.
pub(crate) fn pod(namespace: &str, name: &str, labels: Value) -> Value {
    json!({"kind": "Pod", "metadata": {"namespace": namespace, "name": name, "labels": labels},
        "spec": {"nodeName": "node-1", "containers": [{"name": "app", "image": "busybox:1"}]}, "status": {"phase": "Running"}})
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, wait)
        .await
        .unwrap_or_else(|_| panic!("{what}"));
}

fn authority(sim: &Sim) -> Certificate {
    Certificate::from_pem(&authority_pem(sim)).unwrap()
}

/// Returns the certificate of the cluster's authority in PEM.
pub(crate) fn authority_pem(sim: &Sim) -> Vec<u8> {
    use base64::Engine as _;
    let config = sim.kubeconfig();
    let data = config
        .lines()
        .find_map(|line| line.trim().strip_prefix("certificate-authority-data: "))
        .unwrap();
    base64::engine::general_purpose::STANDARD.decode(data).unwrap()
}
