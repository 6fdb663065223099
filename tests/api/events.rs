//! Every file of `events/` goes through its function as API Gateway, or the stream, would send it.

use std::fs;

use serde_json::{Value, json};
use tests::{client::App, derived::root};

fn events() -> Vec<(String, String, Value)> {
    let mut events = Vec::new();
    for group in fs::read_dir(root().join("events")).unwrap() {
        let group = group.unwrap();
        for file in fs::read_dir(group.path()).unwrap() {
            let path = file.unwrap().path();
            let event = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            events.push((group.file_name().to_string_lossy().into_owned(), name, event));
        }
    }
    events
}

fn documented(document: &Value, operation: &str) -> Vec<String> {
    let items = document["paths"].as_object().unwrap().values();
    let mut operations = items.flat_map(|item| item.as_object().unwrap().values());
    let found = operations.find(|found| found["operationId"] == operation);
    found.map(|found| found["responses"].as_object().unwrap().keys().cloned().collect()).unwrap_or_default()
}

/// Functions whose events are no requests.
const OTHERS: [&str; 5] = ["authorizer", "bounces", "janitor", "mailer", "rotation"];

/// The password that the events name.
const PASSWORD: &str = "SecurePass123!";

#[tokio::test]
async fn every_event_gets_an_answer_that_its_operation_documents() {
    let admins = ["audit", "create_user", "search", "user", "list_users", "db_status", "metrics"]
        .map(|name| {
            format!("{}.{name}@example.com", if ["db_status", "metrics"].contains(&name) { "system" } else { "users" })
        })
        .join(",");
    let app = App::with(&[("ADMIN_EMAILS", &admins)]).await;
    let document = app.get("/openapi.json").await.json();
    let mut count = 0;
    for (function, name, mut event) in
        events().into_iter().filter(|(function, ..)| !OTHERS.contains(&function.as_str()))
    {
        let authorization = event["headers"]["authorization"].as_str().unwrap_or_default();
        let signed_in = authorization.starts_with("Bearer ");
        if signed_in {
            let member = app.member_with(&format!("{function}.{name}@example.com"), PASSWORD).await;
            event["headers"]["authorization"] = format!("Bearer {}", member.access_token).into();
            if name == "downgrade" {
                app.post_as(&member, "/api/v1/users/me/upgrade", json!({})).await;
            }
        }
        let answer =
            app.invoke(&function, event.clone()).await.unwrap_or_else(|| panic!("{function}/{name} is no event"));
        let status = answer["statusCode"].to_string();
        assert!(documented(&document, &name).contains(&status), "{function}/{name} answered {status}: {answer}");
        assert!(!signed_in || status.starts_with('2') || status == "404", "{function}/{name} answered {answer}");
        assert_eq!(answer["headers"]["x-request-id"], event["requestContext"]["requestId"], "{function}/{name}");
        count += 1;
    }
    assert!(count >= 48, "{count}");
}

#[tokio::test]
async fn a_record_of_the_stream_is_mailed_once_however_often_it_is_delivered() {
    let app = App::start().await;
    let (_, _, event) = events().into_iter().find(|(function, ..)| function == "mailer").unwrap();
    for _ in 0..3 {
        let answer = app.invoke("mailer", event.clone()).await.unwrap();
        assert_eq!(answer["batchItemFailures"], serde_json::json!([]));
    }
    assert_eq!(app.letters("alice@example.com").await.len(), 1);
}
