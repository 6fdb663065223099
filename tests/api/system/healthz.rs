use serde_json::json;
use tests::client::App;

#[tokio::test]
async fn it_is_well_and_touches_nothing() {
    let app = App::start().await;
    let answer = app.get("/healthz").await;
    assert_eq!(answer.json(), json!({ "ok": true }));
    assert!(app.cost(&answer).await.calls.is_empty());
}
