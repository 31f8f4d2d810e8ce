//! Every route of the table: without a credential, with rubbish as one, and as a user who may
//! nothing.

use http::Method;
use podgate_api::{Shape, routes};

use crate::support::{Server, path_of};

#[tokio::test]
async fn nothing_but_public_routes_answers_without_a_valid_credential() {
    let server = Server::start().await;
    server.run_pod("default", "web", &["main"]).await;
    for route in routes::table().iter().filter(|route| route.action.is_some()) {
        for headers in [
            &[][..],
            &[("authorization", "Bearer nonsense")],
            &[("authorization", "Bearer ")],
            &[("authorization", "Basic YWRtaW46YWRtaW4=")],
            &[("cookie", "podgate_session=nonsense"), ("origin", &server.url(""))],
            &[("cookie", "podgate_session=")],
        ] {
            assert_eq!(server.refusal(route, headers).await, 401_003, "{route:?} {headers:?}");
        }
    }
    assert!(server.sim.get("Pod", "default", "web").is_some());
    server.stop().await;
}

#[tokio::test]
async fn a_user_without_a_role_is_refused_and_the_permission_is_named() {
    let server = Server::start().await;
    server.run_pod("default", "web", &["main"]).await;
    let token = server.nobody().await;
    let authorization = format!("Bearer {token}");
    for route in routes::table().iter().filter(|route| route.action.is_some()) {
        let headers = [("authorization", authorization.as_str())];
        assert_eq!(server.refusal(route, &headers).await, 403_001, "{route:?}");
    }
    let answer = server
        .request(
            "GET",
            "/api/clusters/sim/namespaces/default/pods/web",
            Some(&token),
            None,
        )
        .await;
    let message = answer.fails(403_001);
    for part in ["Podgate", "nobody", "get pods", "default", "sim"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(server.sim.get("Pod", "default", "web").is_some());
    server.stop().await;
}

#[tokio::test]
async fn a_credential_in_the_url_is_ignored() {
    let server = Server::start().await;
    for name in ["token", "access_token", "ticket"] {
        let path = format!("/api/clusters/sim/pods?{name}={}", server.token);
        server.request("GET", &path, None, None).await.fails(401_003);
    }
    let path = format!(
        "/ws/clusters/sim/namespaces/default/pods/web/logs?token={}",
        server.token
    );
    server.ws_with(&path, &[]).await.unwrap_err().fails(401_003);
    server.stop().await;
}

#[tokio::test]
async fn impersonation_headers_of_a_client_go_nowhere() {
    let server = Server::start().await;
    server.run_pod("default", "web", &["main"]).await;
    for route in routes::table()
        .iter()
        .filter(|route| route.method == Method::GET && route.path.contains("{name}"))
    {
        let path = path_of(route);
        let headers = [
            ("authorization", &*format!("Bearer {}", server.token)),
            ("impersonate-user", "system:admin"),
            ("impersonate-group", "system:masters"),
            ("impersonate-uid", "0"),
            ("impersonate-extra-scopes", "all"),
        ];
        if route.shape == Shape::WebSocket {
            server.ws_with(&path, &headers).await.unwrap().close().await;
            continue;
        }
        let request = headers
            .iter()
            .fold(server.client.get(server.url(&path)), |request, (name, value)| {
                request.header(*name, *value)
            });
        assert_eq!(crate::support::send(request).await.status, 200, "{path}");
    }
    for request in server.sim.requests() {
        assert_eq!(request.impersonated_user, None, "{request:?}");
        assert!(request.impersonated_groups.is_empty(), "{request:?}");
    }
    server.stop().await;
}
