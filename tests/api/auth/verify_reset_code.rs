use reqwest::StatusCode;
use serde_json::json;
use tests::client::App;

const PATHS: [&str; 3] =
    ["/api/v1/auth/verify-reset-code", "/auth/verify-reset-code", "/api/v1/users/auth/verify-reset-code"];
const EMAIL: &str = "alice@example.com";

#[tokio::test]
async fn a_right_code_is_not_used_up_on_any_path() {
    let app = App::start().await;
    app.member(EMAIL).await;
    app.post("/auth/forgot-password", json!({ "email": EMAIL })).await;
    let (code, _) = app.reset_secrets(EMAIL).await;
    for path in PATHS.into_iter().chain(PATHS) {
        let answer = app.post(path, json!({ "email": EMAIL, "code": code })).await;
        assert_eq!((answer.status, &answer.json()["ok"]), (StatusCode::OK, &json!(true)), "{path}");
    }
}

#[tokio::test]
async fn a_code_lives_for_ten_minutes() {
    let app = App::start().await;
    app.member(EMAIL).await;
    app.stop_clock().await;
    app.post("/auth/forgot-password", json!({ "email": EMAIL })).await;
    let (code, _) = app.reset_secrets(EMAIL).await;
    app.advance(599).await;
    assert_eq!(app.post(PATHS[0], json!({ "email": EMAIL, "code": code })).await.status, StatusCode::OK);
    app.advance(1).await;
    assert_eq!(app.post(PATHS[0], json!({ "email": EMAIL, "code": code })).await.code(), "invalid_reset_code");
}

#[tokio::test]
async fn wrong_codes_unknown_addresses_and_addresses_without_a_reset_read_alike() {
    let app = App::start().await;
    app.member(EMAIL).await;
    app.member("bob@example.com").await;
    app.post("/auth/forgot-password", json!({ "email": EMAIL })).await;
    let (code, _) = app.reset_secrets(EMAIL).await;
    for email in [EMAIL, "bob@example.com", "nobody@example.com"] {
        let answer = app.post(PATHS[0], json!({ "email": email, "code": App::other_code(&code) })).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::UNAUTHORIZED, "invalid_reset_code"),
            "{email}"
        );
        let cost = app.cost(&answer).await;
        assert_eq!((cost.calls.len(), cost.wru() as u32), (2, 1), "{email}");
    }
    for code in ["", "12345", "abcdef", "0000000000", "１２３４５６"] {
        assert_eq!(app.post(PATHS[0], json!({ "email": EMAIL, "code": code })).await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn verifying_keeps_its_budget() {
    let app = App::start().await;
    app.member(EMAIL).await;
    app.post("/auth/forgot-password", json!({ "email": EMAIL })).await;
    let (code, _) = app.reset_secrets(EMAIL).await;
    app.slow_aws().await;
    let answer = app.post(PATHS[0], json!({ "email": EMAIL, "code": code })).await;
    app.cost(&answer).await.within(3, 2.0, 1.0);
}
