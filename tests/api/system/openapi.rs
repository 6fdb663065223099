use std::collections::HashSet;

use serde_json::Value;
use shared::http::Code;
use tests::client::App;

#[tokio::test]
async fn the_document_names_every_operation_once_and_every_code() {
    let app = App::start().await;
    let document = app.get("/openapi.json").await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let operations =
        document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let ids: Vec<&Value> = operations.map(|operation| &operation["operationId"]).collect();
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    let codes = document["components"]["schemas"]["ProblemCode"]["enum"].as_array().unwrap();
    assert_eq!(codes.len(), Code::ALL.len());
}
