use reqwest::StatusCode;
use tests::client::App;

#[tokio::test]
async fn swagger_ui_and_all_that_it_loads_come_from_the_service() {
    let app = App::start().await;
    let page = app.get("/docs").await;
    assert_eq!(page.status, StatusCode::OK);
    let assets: Vec<&str> = page.text.split('"').filter(|part| part.starts_with("/docs/")).collect();
    assert!(assets.len() >= 5, "{assets:?}");
    for asset in assets {
        assert_eq!(app.get(asset).await.status, StatusCode::OK, "{asset}");
    }
    assert!(!page.text.contains("//unpkg") && !page.text.contains("https://"), "nothing from elsewhere");
    assert!(app.get("/docs/swagger-initializer.js").await.text.contains("/openapi.json"));
    assert_eq!(app.get("/docs/nothing.js").await.code(), "not_found");
}
