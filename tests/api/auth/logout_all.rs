use reqwest::StatusCode;
use serde_json::json;
use tests::client::App;

const EMAIL: &str = "alice@example.com";

#[tokio::test]
async fn every_session_ends_at_once() {
    let app = App::start().await;
    for path in ["/api/v1/auth/logout-all", "/auth/logout-all"] {
        let bystander = app.member(&format!("{}@example.com", path.len())).await;
        if path.starts_with("/api") {
            app.member(EMAIL).await;
        }
        let (first, second) = (app.sign_in(EMAIL).await, app.sign_in(EMAIL).await);
        assert_eq!(app.post_as(&first, path, json!({})).await.status, StatusCode::OK);
        for member in [&first, &second] {
            assert_eq!(app.get_as(member, "/users/me").await.code(), "session_ended");
        }
        assert_eq!(app.get_as(&bystander, "/users/me").await.status, StatusCode::OK);
        assert_eq!(app.post_as(&second, path, json!({})).await.code(), "session_ended");
    }
}

#[tokio::test]
async fn an_unverified_session_must_verify_first() {
    let app = App::start().await;
    let member = app.register(EMAIL).await;
    assert_eq!(app.post_as(&member, "/auth/logout-all", json!({})).await.code(), "email_not_verified");
    assert_eq!(app.get_as(&member, "/users/me").await.status, StatusCode::OK);
}

#[tokio::test]
async fn whom_an_admin_unverified_must_verify_first_whatever_their_token_says() {
    let (app, root) = App::with_admin(&[]).await;
    let alice = app.member(EMAIL).await;
    let path = format!("/api/v1/users/{}", alice.id);
    let verified = async |is: bool| app.patch_as(&root, &path, json!({ "is_verified": is })).await;
    assert_eq!(verified(false).await.json()["is_verified"], false);
    assert_eq!(app.post_as(&alice, "/auth/logout-all", json!({})).await.code(), "email_not_verified");
    verified(true).await;
    assert_eq!(app.get_as(&alice, "/users/me").await.status, StatusCode::OK, "nothing has ended");
}

#[tokio::test]
async fn ending_all_keeps_its_budget() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    let answer = app.post_as(&member, "/auth/logout-all", json!({})).await;
    app.cost(&answer).await.within(1, 1.0, 1.0);
}
