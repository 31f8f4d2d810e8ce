//! The lower limit of a first sync: a client that requests the same bytes as Podgate and discards
//! them.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use http::{Request, header};
use http_body_util::BodyExt;
use kube::config::Kubeconfig;
use tokio::time::timeout;

use crate::Result;

/// The streaming list, as Podgate requests it.
const PATH: &str = "/api/v1/pods?watch=1&allowWatchBookmarks=true&timeoutSeconds=300&sendInitialEvents=true\
                    &resourceVersionMatch=NotOlderThan";
const ACCEPT: &str = "application/vnd.kubernetes.protobuf;stream=watch";
/// The text that marks the last frame of the list.
const END: &[u8] = b"k8s.io/initial-events-end";
/// The longest silence.
const LIMIT: Duration = Duration::from_secs(120);

/// A list that was read and discarded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drained {
    pub(crate) taken: Duration,
    pub(crate) bytes: usize,
}

/// Reads the list of all pods to its end.
pub(crate) async fn drain(kubeconfig: &Path) -> Result<Drained> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &Default::default()).await?;
    let client = kube::Client::try_from(config)?;
    let request = Request::get(PATH)
        .header(header::ACCEPT, ACCEPT)
        .body(kube::client::Body::empty())?;
    let start = Instant::now();
    let answer = client.send(request).await?;
    if !answer.status().is_success() {
        return Err(format!("the streaming list was answered with {}", answer.status()).into());
    }
    let mut body = answer.into_body();
    let mut bytes = 0;
    // The mark may lie across two pieces.
    let mut tail: Vec<u8> = Vec::new();
    while let Some(frame) = timeout(LIMIT, body.frame()).await? {
        let Ok(data) = frame?.into_data() else { continue };
        bytes += data.len();
        tail.extend_from_slice(data.get(..data.len().min(END.len())).unwrap_or_default());
        let ends = memchr::memmem::find(&tail, END).is_some() || memchr::memmem::find(&data, END).is_some();
        if ends {
            return Ok(Drained {
                taken: start.elapsed(),
                bytes,
            });
        }
        tail.clear();
        tail.extend_from_slice(data.get(data.len().saturating_sub(END.len())..).unwrap_or_default());
    }
    Err("the streaming list ended without saying so".into())
}
