use std::collections::HashSet;

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use tests::client::{Answer, App, Member, PASSWORD};

const PATHS: [&str; 3] = ["/api/v1/auth/refresh", "/auth/refresh", "/api/v1/users/auth/refresh"];
const EMAIL: &str = "alice@example.com";

async fn refresh(app: &App, token: &str) -> Answer {
    app.post(PATHS[0], json!({ "refresh_token": token })).await
}

fn token_of(answer: &Answer) -> String {
    answer.json()["refresh_token"].as_str().unwrap_or_default().to_owned()
}

async fn alive(app: &App, answer: &Answer) -> StatusCode {
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    app.send(app.request(reqwest::Method::GET, "/users/me").bearer_auth(token)).await.status
}

#[tokio::test]
async fn every_path_rotates_and_the_session_goes_on() {
    let app = App::start().await;
    let Member { refresh_token: mut token, .. } = app.member(EMAIL).await;
    let mut seen = HashSet::from([token.clone()]);
    for path in PATHS {
        app.advance(60).await;
        let answer = app.post(path, json!({ "refresh_token": token })).await;
        assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"), "{}", answer.text);
        assert_eq!((&answer.json()["token_type"], &answer.json()["expires_in"]), (&json!("bearer"), &json!(900)));
        assert_eq!(alive(&app, &answer).await, StatusCode::OK);
        token = token_of(&answer);
        assert!(seen.insert(token.clone()), "each use replaces it");
    }
}

#[tokio::test]
async fn twenty_refreshes_at_once_share_one_successor_and_log_nobody_out() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    let answers = join_all((0..20).map(|_| refresh(&app, &member.refresh_token))).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK), "{answers:?}");
    let successors: HashSet<String> = answers.iter().map(token_of).collect();
    assert_eq!(successors.len(), 1);
    assert_eq!(refresh(&app, successors.iter().next().unwrap()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_lost_answer_is_given_again_for_ten_seconds_and_no_longer() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    app.stop_clock().await;
    let first = refresh(&app, &member.refresh_token).await;
    app.advance(10).await;
    assert_eq!(token_of(&refresh(&app, &member.refresh_token).await), token_of(&first));
    app.advance(1).await;
    let late = refresh(&app, &member.refresh_token).await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::UNAUTHORIZED, "refresh_token_reused"));
    assert_eq!(refresh(&app, &token_of(&first)).await.code(), "invalid_refresh_token", "the family is over");
    assert_eq!(alive(&app, &first).await, StatusCode::UNAUTHORIZED, "the access token too");
}

#[tokio::test]
async fn the_predecessors_predecessor_ends_the_session_at_once() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    let first = refresh(&app, &member.refresh_token).await;
    let second = refresh(&app, &token_of(&first)).await;
    assert_eq!(refresh(&app, &member.refresh_token).await.code(), "refresh_token_reused");
    assert_eq!(alive(&app, &second).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_ends_thirty_days_after_the_login_whatever_its_use() {
    const DAY: u32 = 24 * 3600;
    let app = App::start().await;
    let Member { refresh_token: mut token, .. } = app.member(EMAIL).await;
    for _ in 0..4 {
        app.advance(7 * DAY - 60).await;
        let answer = refresh(&app, &token).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        token = token_of(&answer);
    }
    app.advance(2 * DAY + 600).await;
    assert_eq!(refresh(&app, &token).await.code(), "invalid_refresh_token");
}

#[tokio::test]
async fn what_is_no_refresh_token_of_ours_is_refused_without_asking_the_table() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    let elsewhere = App::start().await.member(EMAIL).await;
    for token in ["", "rt1_", "x", &member.access_token, &elsewhere.refresh_token, &member.refresh_token[..60]] {
        let answer = refresh(&app, token).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::UNAUTHORIZED, "invalid_refresh_token"),
            "{token}"
        );
        assert!(app.cost(&answer).await.calls.is_empty());
    }
    let body = json!({ "refresh_token": member.refresh_token, "refresh_token_id": member.id });
    assert_eq!(app.post(PATHS[0], body).await.code(), "invalid_refresh_token", "the id of another session");
}

#[tokio::test]
async fn an_unverified_session_cannot_refresh_and_nothing_is_used_up() {
    let app = App::start().await;
    let member = app.register(EMAIL).await;
    for _ in 0..2 {
        let answer = refresh(&app, &member.refresh_token).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "email_not_verified"));
    }
    let token = app.verification_token(EMAIL).await;
    app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    assert_eq!(refresh(&app, &member.refresh_token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn live_sessions_go_on_under_a_lock() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    for _ in 0..3 {
        app.login(EMAIL, "wrong").await;
    }
    assert_eq!(app.login(EMAIL, PASSWORD).await.code(), "account_locked");
    assert_eq!(refresh(&app, &member.refresh_token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn refreshing_keeps_its_budget_also_when_an_answer_is_lost() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    let answer = refresh(&app, &member.refresh_token).await;
    app.cost(&answer).await.within(1, 1.0, 0.0);
    app.fault(json!({ "service": "dynamodb", "operation": "UpdateItem", "kind": "lost", "count": 1 })).await;
    assert_eq!(refresh(&app, &token_of(&answer)).await.status, StatusCode::OK);
}
