use reqwest::StatusCode;
use serde_json::json;
use tests::client::App;

const EMAIL: &str = "alice@example.com";

#[tokio::test]
async fn every_path_ends_the_session_at_once_and_no_other() {
    let app = App::start().await;
    let other = app.member(EMAIL).await;
    for path in ["/api/v1/auth/logout", "/auth/logout", "/api/v1/users/auth/logout"] {
        let member = app.sign_in(EMAIL).await;
        let answer = app.send(app.request(reqwest::Method::POST, path).bearer_auth(&member.access_token)).await;
        assert_eq!(
            (answer.status, &answer.json()["message"]),
            (StatusCode::OK, &json!("Logged out successfully")),
            "{path}"
        );
        for route in ["/users/me", "/api/v1/attempts/me", "/home/"] {
            assert_eq!(app.get_as(&member, route).await.code(), "session_ended", "{route}");
        }
        let refresh = app.post("/auth/refresh", json!({ "refresh_token": member.refresh_token })).await;
        assert_eq!(refresh.code(), "invalid_refresh_token");
        assert_eq!(app.post_as(&member, path, json!({})).await.code(), "session_ended", "a second time");
        assert_eq!(app.get_as(&other, "/users/me").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn also_an_unverified_session_may_end_itself() {
    let app = App::start().await;
    let member = app.register(EMAIL).await;
    assert_eq!(app.post_as(&member, "/auth/logout", json!({})).await.status, StatusCode::OK);
}

#[tokio::test]
async fn logging_out_keeps_its_budget() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    let answer = app.post_as(&member, "/auth/logout", json!({})).await;
    app.cost(&answer).await.within(1, 1.0, 1.0);
}
