use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::client::App;

const PATHS: [&str; 3] =
    ["/api/v1/auth/verify-reset-code", "/auth/verify-reset-code", "/api/v1/users/auth/verify-reset-code"];
const EMAIL: &str = "alice@example.com";

/// The reset that is under way, as it is stored.
async fn reset(app: &App) -> Value {
    let users = app.scan("UsersTable").await;
    users["Items"].as_array().unwrap().iter().find_map(|item| item.get("rst")).unwrap()["M"].clone()
}

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
async fn a_right_code_is_not_used_up_by_any_number_at_once() {
    let app = App::start().await;
    app.member(EMAIL).await;
    app.post("/auth/forgot-password", json!({ "email": EMAIL })).await;
    let (code, _) = app.reset_secrets(EMAIL).await;
    for _ in 0..5 {
        for answer in join_all((0..4).map(|_| app.post(PATHS[0], json!({ "email": EMAIL, "code": code })))).await {
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        }
    }
    assert_eq!(reset(&app).await["tries"]["N"], "0");
}

#[tokio::test]
async fn a_try_whose_answer_is_lost_is_one_try_also_among_others() {
    let app = App::start().await;
    app.member(EMAIL).await;
    app.post("/auth/forgot-password", json!({ "email": EMAIL })).await;
    let (code, _) = app.reset_secrets(EMAIL).await;
    let wrong = json!({ "email": EMAIL, "code": App::other_code(&code) });
    // The first one is written and not heard of; by the time that the SDK asks again the second one is written.
    app.fault(json!({ "service": "dynamodb", "table": "UsersTable", "operation": "UpdateItem", "kind": "time_out_after", "milliseconds": 2000, "count": 1 })).await;
    let another = async {
        let began = Instant::now();
        while reset(&app).await["tries"]["N"] != "1" {
            assert!(began.elapsed() < Duration::from_secs(20), "no try is written");
        }
        app.post(PATHS[0], wrong.clone()).await
    };
    let (first, second) = tokio::join!(app.post(PATHS[0], wrong.clone()), another);
    assert_eq!((first.code(), second.code()), ("invalid_reset_code".to_owned(), "invalid_reset_code".to_owned()));
    assert_eq!(reset(&app).await["tries"]["N"], "2");
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
