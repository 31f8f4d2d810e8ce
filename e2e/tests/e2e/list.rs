//! The list compared with the API server's own.

use serde_json::Value;

use crate::support::{Lab, Server, pod, shell_pod, until};

/// Returns the names in a list's response.
fn names(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn pods_appear_change_and_disappear() {
    let lab = Lab::new("list").await;
    let server = Server::start().await;
    let query = format!("namespace={}&sort=name&order=asc", lab.namespace);
    assert_eq!(server.list(&query).await["total"], 0);

    let running = lab.run(shell_pod("runs")).await;
    lab.create(pod("fails", &[("main", "exit 3")])).await;
    lab.wait_ended("fails").await;
    let list = until("the list shows both", || async {
        let list = server.list(&query).await;
        (list["total"] == 2 && list["items"][0]["status"] == "Error" && list["items"][1]["status"] == "Running")
            .then_some(list)
    })
    .await;
    assert_eq!(names(&list), ["fails", "runs"]);
    let (row, status) = (&list["items"][1], running.status.unwrap());
    assert_eq!(row["uid"], running.metadata.uid.unwrap());
    assert_eq!(row["podIP"], status.pod_ip.unwrap_or_default());
    assert_eq!(row["hostIP"], status.host_ip.unwrap_or_default());
    assert_eq!(row["nodeName"], running.spec.unwrap().node_name.unwrap());
    assert_eq!(row["containers"][0]["name"], "main");
    assert_eq!(row["containers"][0]["ready"], true);
    assert_eq!((&row["ready"], &row["readyTotal"]), (&1.into(), &1.into()));
    assert_eq!(list["sync"]["state"], "synced");

    for (filter, expected) in [
        ("status=error", vec!["fails"]),
        ("phase=Failed", vec!["fails"]),
        ("search=UNS", vec!["runs"]),
        ("labelSelector=app+in+(runs,other)", vec!["runs"]),
        ("labelSelector=app!%3Druns", vec!["fails"]),
        ("page=2&pageSize=1", vec!["runs"]),
        ("page=3&pageSize=1", vec![]),
        ("nodeName=no-such-node", vec![]),
    ] {
        let list = server.list(&format!("{query}&{filter}")).await;
        assert_eq!(names(&list), expected, "{filter}");
    }

    lab.delete_now("runs").await;
    until("the list forgets it", || async {
        (server.list(&query).await["total"] == 1).then_some(())
    })
    .await;
}
