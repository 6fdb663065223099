use reqwest::StatusCode;
use serde_json::json;
use tests::client::App;

#[tokio::test]
async fn the_page_asks_for_a_password_and_changes_nothing() {
    let app = App::start().await;
    let page = app.get("/reset-password?token=%22%3E%3Cscript%3E").await;
    assert_eq!((page.status, page.header("referrer-policy")), (StatusCode::OK, "no-referrer"));
    assert!(page.text.contains(r#"type="password""#) && !page.text.contains("<script>"));
    assert!(app.cost(&page).await.calls.is_empty());
}

#[tokio::test]
async fn a_link_that_a_scanner_has_followed_still_sets_the_password() {
    const EMAIL: &str = "alice@example.com";
    let app = App::start().await;
    app.member(EMAIL).await;
    app.post("/auth/forgot-password", json!({ "email": EMAIL })).await;
    let (_, token) = app.reset_secrets(EMAIL).await;
    for _ in 0..3 {
        assert_eq!(app.get(&format!("/reset-password?token={token}")).await.status, StatusCode::OK);
    }
    let body = json!({ "token": token, "new_password": "another-horse-battery" });
    assert_eq!(app.post("/auth/reset-password", body).await.status, StatusCode::OK);
}
