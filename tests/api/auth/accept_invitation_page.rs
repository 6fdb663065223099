use reqwest::StatusCode;
use tests::client::App;

#[tokio::test]
async fn the_page_asks_for_a_password_and_carries_the_token() {
    let app = App::start().await;
    let page = app.get("/accept-invitation?token=in1_%22%3E%3Cscript%3E").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("new_password") && page.text.contains("in1_&quot;&gt;&lt;script&gt;"), "{}", page.text);
    assert_eq!(page.header("referrer-policy"), "no-referrer");
}
