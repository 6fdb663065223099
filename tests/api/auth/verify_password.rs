use reqwest::StatusCode;
use serde_json::json;
use tests::client::{App, PASSWORD};

const PATHS: [&str; 3] =
    ["/api/v1/auth/verify-password", "/auth/verify-password", "/api/v1/users/auth/verify-password"];
const EMAIL: &str = "alice@example.com";

#[tokio::test]
async fn every_path_says_whether_it_is_the_callers_password() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    for path in PATHS {
        for (password, ok) in [("wrong", false), (PASSWORD, true)] {
            let answer = app.post_as(&member, path, json!({ "password": password })).await;
            assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "ok": ok })), "{path}");
        }
    }
}

#[tokio::test]
async fn it_shares_the_logins_counter() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    app.login(EMAIL, "wrong").await;
    app.post_as(&member, PATHS[0], json!({ "password": "wrong" })).await;
    app.post_as(&member, PATHS[0], json!({ "password": "wrong" })).await;
    let answer = app.post_as(&member, PATHS[0], json!({ "password": PASSWORD })).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "account_locked"));
    assert_eq!(app.login(EMAIL, PASSWORD).await.code(), "account_locked");
    assert_eq!(app.get_as(&member, "/users/me").await.status, StatusCode::OK, "the session goes on");
}
