//! A client of a simulated cluster.

use podgate_sim::{Options, Sim};
use reqwest::{Certificate, Client, Method, RequestBuilder, Response};
use serde_json::Value;

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
        let _ = rustls::crypto::ring::default_provider().install_default();
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

    /// The status and JSON of a GET.
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        let response = self.send(Method::GET, path).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

fn authority(sim: &Sim) -> Certificate {
    use base64::Engine as _;
    let config = sim.kubeconfig();
    let data = config
        .lines()
        .find_map(|line| line.trim().strip_prefix("certificate-authority-data: "))
        .unwrap();
    Certificate::from_pem(&base64::engine::general_purpose::STANDARD.decode(data).unwrap()).unwrap()
}
