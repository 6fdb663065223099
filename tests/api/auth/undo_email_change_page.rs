use reqwest::StatusCode;
use serde_json::json;
use tests::client::{App, PASSWORD};

#[tokio::test]
async fn the_page_has_one_button_and_changes_nothing() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let asked = json!({ "new_email": "alice@example.org", "password": PASSWORD });
    app.post_as(&alice, "/api/v1/users/me/email", asked).await;
    let token = app.mailed_token("alice@example.org", "/verify-email?token=").await;
    app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    let token = app.mailed_token("alice@example.com", "/undo-email-change?token=").await;
    for _ in 0..3 {
        let page = app.get(&format!("/undo-email-change?token={token}")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text.contains(r#"action="/api/v1/auth/undo-email-change""#) && page.text.contains(&token));
    }
    assert_eq!(app.get_as(&alice, "/users/me").await.json()["email"], "alice@example.org");
    let undone = app.post("/api/v1/auth/undo-email-change", json!({ "token": token })).await;
    assert_eq!(undone.status, StatusCode::OK, "the link is not used up: {}", undone.text);
}
