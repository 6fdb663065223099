use reqwest::StatusCode;
use tests::client::App;

#[tokio::test]
async fn the_page_has_one_button_and_changes_nothing() {
    let app = App::start().await;
    let page = app.get("/undo-email-change?token=au1_x").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains(r#"action="/api/v1/auth/undo-email-change""#) && page.text.contains("au1_x"));
}
