use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::client::{Answer, App};

use crate::attempts::submit::attempt;

const PATH: &str = "/metrics";

async fn scrape(app: &App, accept: &str) -> Answer {
    // The streams have caught up by when the mailbox answers.
    app.all_letters().await;
    let token = app.secret("ScrapeToken").await["token"].as_str().unwrap().to_owned();
    app.send(app.request(Method::GET, PATH).bearer_auth(token).header("accept", accept)).await
}

async fn totals(app: &App) -> Value {
    let answer = scrape(app, "application/json").await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"), "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn everything_that_happens_is_counted() {
    let app = App::start().await;
    app.register("unverified@example.com").await;
    let alice = app.member("alice@example.com").await;
    let bob = app.member("bob@example.com").await;
    app.post_as(&bob, "/api/v1/users/me/upgrade", json!({})).await;
    let submissions = (0..7).map(|_| app.post_as(&alice, "/api/v1/attempts/", attempt(1, 3, "pass")));
    assert!(futures_util::future::join_all(submissions).await.iter().all(|answer| answer.status == 201));
    for _ in 0..3 {
        app.login("bob@example.com", "a wrong password").await;
    }
    let expected = json!({
        "users_total": 3, "users_active": 3, "users_premium": 1, "users_verified": 2,
        "sessions": 5, "attempts": 7, "sign_ins": 2, "locks": 1, "mails": app.all_letters().await.len(),
    });
    assert_eq!(totals(&app).await, expected);

    app.delete_as(&alice, "/api/v1/users/me").await;
    app.post_as(&bob, "/api/v1/auth/logout-all", json!({})).await;
    let after = totals(&app).await;
    let told = ["users_total", "users_verified", "sessions", "attempts", "mails"].map(|name| after[name].clone());
    let mails = app.all_letters().await.len();
    assert_eq!(json!(told), json!([2, 1, 1, 7, mails]), "those who are gone are gone, what they did has been done");
}

#[tokio::test]
async fn an_event_that_is_delivered_again_counts_once() {
    let app = App::start().await;
    let record = |id: &str, before: Option<u32>, after: u32| {
        let image = |total: u32| json!({ "pk": { "S": "USER#x" }, "sk": { "S": "SUMMARY" }, "total": { "N": total.to_string() }, "solved": { "N": "0" } });
        json!({
            "eventID": id, "eventName": "MODIFY", "awsRegion": "eu-central-1",
            "dynamodb": { "SequenceNumber": id, "ApproximateCreationDateTime": 1_700_000_000, "SizeBytes": 1, "Keys": {}, "NewImage": image(after), "OldImage": before.map_or(json!({}), image) },
        })
    };
    let deliver = async |records: Value| app.invoke("janitor", json!({ "Records": records })).await.unwrap();
    let (first, second, third) = (record("1", None, 1), record("2", Some(1), 2), record("3", Some(2), 3));
    deliver(json!([first, second])).await;
    deliver(json!([first, second])).await;
    deliver(json!([second, third])).await;
    let deliveries = (0..8).map(|_| deliver(json!([first, second, third])));
    futures_util::future::join_all(deliveries).await;
    assert_eq!(totals(&app).await["attempts"], 3);

    app.fault(json!({ "service": "dynamodb", "operation": "TransactWriteItems", "kind": "throttle", "count": 1000 }))
        .await;
    let lost = app.invoke("janitor", json!({ "Records": [record("4", Some(3), 4)] })).await;
    assert_eq!(lost, None, "a batch that is not counted comes again");
    app.fault(json!({ "service": "dynamodb", "kind": "throttle", "count": 0 })).await;
    deliver(json!([record("4", Some(3), 4)])).await;
    assert_eq!(totals(&app).await["attempts"], 4);
}

#[tokio::test]
async fn the_text_is_what_prometheus_reads() {
    let app = App::start().await;
    app.member("alice@example.com").await;
    let answer = scrape(&app, "text/plain").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    let lines = answer.text.lines().map(|line| Ok(line.to_owned()));
    let scrape = prometheus_parse::Scrape::parse(lines).unwrap();
    assert_eq!((scrape.samples.len(), scrape.docs.len()), (9, 9), "a sample and a help text of each");
    for sample in scrape.samples {
        let counter = matches!(sample.value, prometheus_parse::Value::Counter(_));
        let gauge = matches!(sample.value, prometheus_parse::Value::Gauge(_));
        assert!(sample.metric.starts_with("user_service_") && sample.labels.is_empty());
        assert!(counter == sample.metric.ends_with("_total") && counter != gauge, "{}", sample.metric);
    }
    assert!(answer.text.contains("\nuser_service_users 1\n") && answer.text.ends_with('\n'));
    let again = self::scrape(&app, "text/plain").await;
    app.cost(&again).await.within(1, 0.0, 4.0);
}

#[tokio::test]
async fn admins_and_scrapers_read_them_and_nobody_else() {
    let (app, root) = App::with_admin(&[]).await;
    let member = app.member("alice@example.com").await;
    let by_admin = app.send(app.request(Method::GET, PATH).bearer_auth(&root.access_token)).await;
    assert!(by_admin.text.contains("user_service_users 2"), "{}", by_admin.text);
    assert_eq!(app.get_as(&member, PATH).await.code(), "forbidden");
    assert_eq!(app.get(PATH).await.code(), "authentication_required");
    for token in ["wrong", "x.y.z", ""] {
        let answer = app.send(app.request(Method::GET, PATH).bearer_auth(token)).await;
        assert_eq!(answer.code(), "invalid_token", "{token}");
    }
}
