use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::client::App;

const PATH: &str = "/api/v1/auth/verify-email-request";
const EMAIL: &str = "alice@example.com";

#[tokio::test]
async fn the_answer_is_the_same_for_known_verified_and_unknown_addresses() {
    let app = App::start().await;
    app.register(EMAIL).await;
    app.member("bob@example.com").await;
    let known = app.post(PATH, json!({ "email": EMAIL })).await;
    assert_eq!(known.status, StatusCode::OK);
    for other in ["bob@example.com", "nobody@example.com"] {
        let answer = app.post(PATH, json!({ "email": other })).await;
        assert_eq!((answer.status, answer.text), (known.status, known.text.clone()), "{other}");
    }
    assert_eq!(app.letters(EMAIL).await.len(), 2);
    assert_eq!(app.letters("bob@example.com").await.len(), 1, "the one from registering");
    assert_eq!(app.letters("nobody@example.com").await.len(), 0);
}

#[tokio::test]
async fn a_session_asks_for_itself_and_both_links_work() {
    let app = App::start().await;
    let member = app.register(EMAIL).await;
    let first = app.verification_token(EMAIL).await;
    app.advance(60).await;
    let answer = app.send(app.request(Method::POST, PATH).bearer_auth(&member.access_token)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let second = app.verification_token(EMAIL).await;
    assert_ne!(first, second);
    assert_eq!(app.post("/api/v1/auth/verify-email", json!({ "token": first })).await.status, StatusCode::OK);
    assert_eq!(app.post("/api/v1/auth/verify-email", json!({ "token": second })).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_address_can_be_mailed_five_times_an_hour_and_no_more() {
    let app = App::start().await;
    app.begin_day().await;
    app.register(EMAIL).await;
    for _ in 0..5 {
        app.advance(1).await;
        assert_eq!(app.post(PATH, json!({ "email": EMAIL })).await.status, StatusCode::OK);
    }
    let answer = app.post(PATH, json!({ "email": " ALICE@example.com" })).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"));
    assert_eq!(answer.header("retry-after"), "3595");
    assert_eq!(app.letters(EMAIL).await.len(), 6);
    app.advance(3600).await;
    assert_eq!(app.post(PATH, json!({ "email": EMAIL })).await.status, StatusCode::OK);
}

#[tokio::test]
async fn known_verified_and_unknown_addresses_cost_the_same() {
    let app = App::start().await;
    app.register(EMAIL).await;
    app.member("bob@example.com").await;
    let mut costs = Vec::new();
    for email in [EMAIL, "bob@example.com", "nobody@example.com"] {
        let cost = app.cost(&app.post(PATH, json!({ "email": email })).await).await;
        costs.push((cost.calls.iter().map(|call| call.operation.clone()).collect::<Vec<_>>(), cost.wru() as u32));
    }
    assert!(costs.windows(2).all(|pair| pair[0] == pair[1]), "{costs:?}");
}

#[tokio::test]
async fn what_is_no_address_is_named() {
    let app = App::start().await;
    assert_eq!(app.post(PATH, json!({ "email": "nobody" })).await.refused_fields(), ["email"]);
    assert_eq!(app.post(PATH, json!({})).await.refused_fields(), ["email"]);
}
