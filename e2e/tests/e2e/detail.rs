//! One pod.

use http::Method;

use crate::support::{Lab, Server, shell_pod};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real cluster: make e2e"]
async fn a_pod_comes_whole_as_json_and_as_yaml() {
    let lab = Lab::new("detail").await;
    let server = Server::start().await;
    let real = lab.run(shell_pod("one")).await;
    let path = server.pod(&lab.namespace, "one");

    let detail = server.get(&path).await;
    assert_eq!(detail["uid"], real.metadata.uid.clone().unwrap());
    assert_eq!(detail["statusText"], "Running");
    assert_eq!(detail["labels"]["app"], "one");
    assert_eq!(detail["spec"]["containers"][0]["name"], "main");
    assert_eq!(detail["status"]["containerStatuses"][0]["restartCount"], 0);
    assert!(
        detail["status"]["conditions"]
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c["type"] == "Ready" && c["status"] == "True")
    );
    assert!(!detail.to_string().contains("managedFields"));

    let yaml = server.raw(&path, "application/yaml").await;
    assert!(
        yaml.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("application/yaml")
    );
    let yaml = yaml.text().await.unwrap();
    assert!(
        yaml.contains("kind: Pod") && yaml.contains(&real.metadata.uid.unwrap()),
        "{yaml}"
    );

    let (code, message) = server
        .refused(Method::GET, &server.pod(&lab.namespace, "other"), None)
        .await;
    assert_eq!(code, 404_001);
    assert!(
        message.contains("other") && message.contains(&lab.namespace),
        "{message}"
    );
    let elsewhere = format!("/api/clusters/no-such/namespaces/{}/pods/one", lab.namespace);
    assert_eq!(server.refused(Method::GET, &elsewhere, None).await.0, 404_002);
}
