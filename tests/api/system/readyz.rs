use reqwest::StatusCode;
use serde_json::json;
use tests::client::App;

#[tokio::test]
async fn it_is_ready_when_tables_and_keys_answer() {
    let app = App::start().await;
    let answer = app.get("/readyz").await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "ok": true })));
}

#[tokio::test]
async fn it_says_what_does_not_answer() {
    for (service, named) in [("dynamodb", "DynamoDB"), ("secretsmanager", "keys")] {
        let app = App::start().await;
        app.fault(json!({ "service": service, "kind": "error", "count": 100 })).await;
        let answer = app.get("/readyz").await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
        assert_eq!(answer.json()["detail"], format!("Not ready: {named}."));
        assert_eq!(answer.header("retry-after"), "5");
    }
}
