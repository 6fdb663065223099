use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::client::{Answer, App};

const EMAIL: &str = "alice@example.com";
const PATHS: [&str; 3] = ["/auth/verify-email", "/verify-email", "/api/v1/users/auth/verify-email"];

async fn follow(app: &App, path: &str, token: &str, accept: &str) -> Answer {
    app.send(app.request(Method::GET, &format!("{path}?token={token}")).header("accept", accept)).await
}

#[tokio::test]
async fn a_browser_gets_a_page_and_nothing_changes_until_its_button_is_pressed() {
    let app = App::start().await;
    let member = app.register(EMAIL).await;
    let token = app.verification_token(EMAIL).await;
    for path in PATHS {
        for accept in ["text/html,application/xhtml+xml,*/*;q=0.8", "*/*"] {
            let page = follow(&app, path, &token, accept).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(page.header("content-type").starts_with("text/html"));
            assert_eq!((page.header("referrer-policy"), page.header("cache-control")), ("no-referrer", "no-store"));
            assert!(page.header("content-security-policy").contains("default-src 'none'"));
            assert!(page.text.contains(&token) && page.text.contains(r#"<form method="post""#));
        }
    }
    assert_eq!(app.get_as(&member, "/users/me").await.json()["is_verified"], false);

    let form =
        app.request(Method::POST, "/api/v1/auth/verify-email").header("accept", "text/html").form(&[("token", &token)]);
    let result = app.send(form).await;
    assert_eq!(result.status, StatusCode::OK);
    assert!(result.text.contains("Address verified"));
    assert_eq!(app.get_as(&member, "/users/me").await.json()["is_verified"], true);
}

#[tokio::test]
async fn a_program_that_accepts_json_verifies_as_often_as_it_likes() {
    let app = App::start().await;
    app.register(EMAIL).await;
    let token = app.verification_token(EMAIL).await;
    for path in PATHS {
        let answer = follow(&app, path, &token, "application/json").await;
        assert_eq!((answer.status, &answer.json()["ok"]), (StatusCode::OK, &json!(true)), "{path}");
    }
    let answer = follow(&app, PATHS[0], "nonsense", "application/json").await;
    assert_eq!(answer.code(), "invalid_verification_token");
}

#[tokio::test]
async fn a_token_is_shown_as_text_and_never_as_markup() {
    let app = App::start().await;
    let page = follow(&app, PATHS[0], "%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "text/html").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text.contains("<script>"));
}
