use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::client::App;

const EMAIL: &str = "alice@example.com";

#[tokio::test]
async fn body_query_and_the_seeds_path_verify() {
    let app = App::start().await;
    for (number, path) in ["/api/v1/auth/verify-email", "/api/v1/users/auth/verify-email"].into_iter().enumerate() {
        for form in ["body", "query"] {
            let email = format!("{form}{number}@example.com");
            let member = app.register(&email).await;
            let token = app.verification_token(&email).await;
            let answer = match form {
                "body" => app.post(path, json!({ "token": token })).await,
                _ => app.send(app.request(Method::POST, &format!("{path}?token={token}"))).await,
            };
            assert_eq!((answer.status, &answer.json()["ok"]), (StatusCode::OK, &json!(true)), "{path} {form}");
            assert_eq!(app.get_as(&member, "/users/me").await.json()["is_verified"], true);
        }
    }
}

#[tokio::test]
async fn a_link_works_again_while_it_lives_and_not_after() {
    let app = App::start().await;
    app.register(EMAIL).await;
    let token = app.verification_token(EMAIL).await;
    let verify = || app.post("/api/v1/auth/verify-email", json!({ "token": token }));
    for answer in join_all((0..5).map(|_| verify())).await {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    app.advance(24 * 3600).await;
    let late = verify().await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::BAD_REQUEST, "invalid_verification_token"));
}

#[tokio::test]
async fn the_page_sends_a_form_and_shows_what_came_of_it() {
    let app = App::start().await;
    app.register(EMAIL).await;
    let token = app.verification_token(EMAIL).await;
    let send = async || {
        let form = app.request(Method::POST, "/api/v1/auth/verify-email").header("accept", "text/html");
        app.send(form.form(&[("token", token.as_str())])).await
    };
    app.fault(json!({ "service": "dynamodb", "operation": "GetItem", "kind": "error", "count": 100 })).await;
    assert_eq!(send().await.code(), "unavailable", "the link is not said to be over");
    app.fault(json!({ "service": "dynamodb", "kind": "error", "count": 0 })).await;
    let verified = send().await;
    assert_eq!(verified.status, StatusCode::OK);
    assert!(verified.text.contains("Address verified"), "{}", verified.text);
    app.advance(24 * 3600).await;
    let late = send().await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST);
    assert!(late.text.contains("This link does not work"), "{}", late.text);
}

#[tokio::test]
async fn what_is_no_link_of_ours_is_refused() {
    let app = App::start().await;
    app.register(EMAIL).await;
    let token = app.verification_token(EMAIL).await;
    let forged = format!("{}{}", &token[..token.len() - 1], if token.ends_with('A') { "E" } else { "A" });
    for token in ["", "x", "ve1_", &token[..40], &forged, &"y".repeat(5000)] {
        let answer = app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
        assert_eq!(answer.code(), "invalid_verification_token", "{token}");
    }
    assert_eq!(app.post("/api/v1/auth/verify-email", json!({})).await.refused_fields(), ["token"]);
}

#[tokio::test]
async fn a_listed_address_becomes_an_admin_when_it_verifies_and_not_before() {
    let app = App::with(&[("ADMIN_EMAILS", "root@example.com, Alice@Example.com")]).await;
    let alice = app.register(EMAIL).await;
    assert_eq!(app.get_as(&alice, "/users/me").await.json()["role"], "USER");
    let token = app.verification_token(EMAIL).await;
    app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    let me = app.get_as(&alice, "/users/me").await.json();
    assert_eq!((&me["role"], &me["is_premium"]), (&json!("ADMIN"), &json!(true)));
    assert_eq!(me["failed_attempts"], 0, "admins see it");
    let bob = app.member("bob@example.com").await;
    assert_eq!(app.get_as(&bob, "/users/me").await.json()["role"], "USER");
}
