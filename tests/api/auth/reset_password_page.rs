use reqwest::StatusCode;
use tests::client::App;

#[tokio::test]
async fn the_page_asks_for_a_password_and_changes_nothing() {
    let app = App::start().await;
    let page = app.get("/reset-password?token=%22%3E%3Cscript%3E").await;
    assert_eq!((page.status, page.header("referrer-policy")), (StatusCode::OK, "no-referrer"));
    assert!(page.text.contains(r#"type="password""#) && !page.text.contains("<script>"));
    assert!(app.cost(&page).await.calls.is_empty());
}
