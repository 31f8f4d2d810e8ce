//! Parts of the cluster stop and start while lists and log streams are open.

use serde_json::json;

use crate::{
    follow::{counter, frames_until, lines},
    support::{Lab, Server, shell_pod, until},
};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn an_api_server_restart_loses_no_line_and_no_pod() {
    let lab = Lab::new("outage").await;
    let server = Server::start().await;
    lab.run(counter("counts")).await;
    let query = format!("namespace={}", lab.namespace);
    until("the list shows it", || async {
        (server.list(&query).await["total"] == 1).then_some(())
    })
    .await;
    let mut socket = server.socket(&lab.namespace, "counts", "logs").await;
    socket
        .send(json!({"type": "subscribe", "follow": true, "timestamps": false}))
        .await;
    let mut frames = frames_until(&mut socket, |frame| frame["data"] == "n 20").await;

    lab.control("stop", "apiserver");
    // There is still a list, which says that it may be old.
    let list = until("the list says it is stale", || async {
        let list = server.list(&query).await;
        (list["sync"]["state"] == "stale").then_some(list)
    })
    .await;
    assert_eq!(list["total"], 1);
    assert_ne!(list["sync"]["error"], "");
    let (code, _) = server
        .refused(http::Method::GET, &server.pod(&lab.namespace, "counts"), None)
        .await;
    assert!(code == 502_001 || code == 504_001, "{code}");
    lab.control("start", "apiserver");

    until("the list is current again", || async {
        let list = server.list(&query).await;
        assert_eq!(list["total"], 1);
        (list["sync"]["state"] == "synced").then_some(())
    })
    .await;
    // The lines written meanwhile, and those of a second after.
    let so_far = String::from_utf8(lab.log("counts", "tailLines=1").await).unwrap();
    let target: u64 = so_far.trim().strip_prefix("n ").unwrap().parse::<u64>().unwrap() + 50;
    frames.extend(frames_until(&mut socket, |frame| frame["data"] == format!("n {target}")).await);
    let expected: Vec<String> = (1..=target).map(|n| format!("n {n}")).collect();
    assert_eq!(lines(&frames), expected);
    assert!(!frames.iter().any(|frame| frame["type"] == "gap"));

    // The watch works again, too.
    lab.run(shell_pod("later")).await;
    until("the list shows a new pod", || async {
        (server.list(&query).await["total"] == 2).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_kubelet_restart_loses_no_line() {
    let lab = Lab::new("kubelet").await;
    let server = Server::start().await;
    lab.run(counter("counts")).await;
    let mut socket = server.socket(&lab.namespace, "counts", "logs").await;
    socket
        .send(json!({"type": "subscribe", "follow": true, "timestamps": false}))
        .await;
    let mut frames = frames_until(&mut socket, |frame| frame["data"] == "n 20").await;
    lab.control("stop", "kubelet");
    lab.control("start", "kubelet");
    let so_far = until("the kubelet answers", || async {
        let request = http::Request::get(format!(
            "/api/v1/namespaces/{}/pods/counts/log?tailLines=1",
            lab.namespace
        ));
        lab.kube
            .request_text(request.body(Vec::new()).unwrap())
            .await
            .ok()
            .filter(|text| !text.is_empty())
    })
    .await;
    let target: u64 = so_far.trim().strip_prefix("n ").unwrap().parse::<u64>().unwrap() + 50;
    frames.extend(frames_until(&mut socket, |frame| frame["data"] == format!("n {target}")).await);
    let expected: Vec<String> = (1..=target).map(|n| format!("n {n}")).collect();
    assert_eq!(lines(&frames), expected);
}
