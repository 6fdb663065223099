use reqwest::Method;
use tests::client::App;

#[tokio::test]
async fn a_program_gets_json_and_a_browser_a_page_of_links() {
    let app = App::start().await;
    let root = app.get("/").await.json();
    assert_eq!(
        (&root["service"], &root["status"], &root["docs"]),
        (&"user-service".into(), &"running".into(), &"/docs".into())
    );
    let page = app.send(app.request(Method::GET, "/").header("accept", "text/html")).await;
    assert!(page.header("content-type").starts_with("text/html"));
    for link in ["/docs", "/redoc", "/openapi.json", "/readyz", "/_local/mailbox"] {
        assert!(page.text.contains(&format!(r#"href="{link}""#)), "{link}");
        assert!(app.get(link).await.status.is_success(), "{link}");
    }
}
