use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::client::App;

const PATH: &str = "/health";

#[tokio::test]
async fn it_is_healthy_when_the_database_answers() {
    let app = App::start().await;
    let answer = app.get(PATH).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
    let body = answer.json();
    assert_eq!(
        (&body["status"], &body["service"], &body["database"]),
        (&json!("healthy"), &json!("user-service"), &json!("connected"))
    );
    assert!(body["version"].is_string() && body["timestamp"].as_str().unwrap().ends_with('Z'));
    app.advance(100).await;
    let later = app.get(PATH).await.json();
    let gone = |body: &Value| body["uptime_seconds"].as_i64().unwrap();
    assert!(gone(&later) - gone(&body) >= 100, "{body} {later}");
}

#[tokio::test]
async fn while_the_database_is_down_it_is_503() {
    let app = App::start().await;
    app.fault(json!({ "service": "dynamodb", "kind": "error", "count": 100 })).await;
    let answer = app.get(PATH).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert_eq!(answer.header("retry-after"), "5");
}

#[tokio::test]
async fn each_table_is_asked_as_requests_ask_it() {
    let app = App::start().await;
    let cost = app.cost(&app.get(PATH).await).await;
    let mut calls: Vec<_> = cost.calls.iter().map(|call| (call.operation.as_str(), call.table.as_deref())).collect();
    calls.sort_unstable();
    let tables = ["AttemptsTable", "AuditTable", "TokensTable", "UsersTable"];
    assert_eq!(calls, tables.map(|table| ("GetItem", Some(table))));
}
