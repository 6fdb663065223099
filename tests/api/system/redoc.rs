use reqwest::StatusCode;
use tests::client::App;

#[tokio::test]
async fn redoc_and_its_script_come_from_the_service() {
    let app = App::start().await;
    let page = app.get("/redoc").await;
    assert!(page.text.contains(r#"spec-url="/openapi.json""#) && !page.text.contains("https://"));
    let script = app.get("/redoc/redoc.standalone.js").await;
    assert_eq!(script.status, StatusCode::OK);
    assert!(script.header("content-type").starts_with("text/javascript"));
}
