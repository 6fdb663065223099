use reqwest::StatusCode;
use serde_json::json;
use tests::client::App;

const PATH: &str = "/db/status";

#[tokio::test]
async fn admins_see_each_table_its_state_and_its_latency() {
    let (app, root) = App::with_admin(&[]).await;
    let answer = app.get_as(&root, PATH).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
    let body = answer.json();
    let tables = body["tables"].as_array().unwrap();
    let names: Vec<_> = tables.iter().map(|table| table["table"].as_str().unwrap()).collect();
    assert_eq!(names, ["users", "tokens", "attempts", "audit"]);
    for table in tables {
        assert_eq!(table["state"], "ACTIVE");
        assert!(table["latency_ms"].as_f64().unwrap() > 0.0);
    }
    app.dynamodb("DeleteTable", json!({ "TableName": "AuditTable" })).await;
    assert_eq!(app.get_as(&root, PATH).await.json()["tables"][3]["state"], "MISSING");
    assert_eq!(app.get("/readyz").await.json()["detail"], "Not ready: table audit.");
}

#[tokio::test]
async fn nobody_else_sees_them() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    assert_eq!(app.get_as(&member, PATH).await.code(), "forbidden");
    assert_eq!(app.get(PATH).await.code(), "authentication_required");
}
