//! Addresses that bounce or whose owners complain, as SES tells of them.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::client::App;

const DAY: u32 = 24 * 60 * 60;

async fn ask_for_a_link(app: &App, email: &str) {
    let answer = app.post("/api/v1/auth/verify-email-request", json!({ "email": email })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

/// How many mails to an address SES was given.
async fn mails(app: &App, email: &str) -> usize {
    app.letters(email).await.len()
}

fn bounce(kind: &str, email: &str) -> Value {
    let bounce = json!({ "bounceType": kind, "bouncedRecipients": [{ "emailAddress": email }] });
    json!({ "source": "aws.ses", "detail": { "eventType": "Bounce", "bounce": bounce, "mail": {} } })
}

#[tokio::test]
async fn a_dead_address_gets_no_more_mail_for_a_month_and_one_that_complained_for_a_year() {
    let app = App::with(&[("REQUIRE_VERIFIED_EMAIL", "false")]).await;
    let (dead, angry, fine) =
        ("bounce@simulator.amazonses.com", "complaint@simulator.amazonses.com", "alice@example.com");
    for email in [dead, angry, fine] {
        app.register(email).await;
        assert_eq!(mails(&app, email).await, 1);
        ask_for_a_link(&app, email).await;
    }
    let counts = async || [mails(&app, dead).await, mails(&app, angry).await, mails(&app, fine).await];
    assert_eq!(counts().await, [1, 1, 2]);
    app.advance(31 * DAY).await;
    for email in [dead, angry] {
        ask_for_a_link(&app, email).await;
    }
    assert_eq!(counts().await, [2, 1, 2]);
    app.advance(335 * DAY).await;
    ask_for_a_link(&app, angry).await;
    assert_eq!(counts().await, [2, 2, 2]);
}

#[tokio::test]
async fn what_passes_and_what_is_told_of_others_stops_no_mail() {
    let app = App::start().await;
    app.register("alice@example.com").await;
    let events = [
        bounce("Transient", "alice@example.com"),
        bounce("Undetermined", "alice@example.com"),
        bounce("Permanent", "bob@example.com"),
        bounce("Permanent", "no address"),
        json!({ "detail": { "eventType": "Complaint", "complaint": { "complaintFeedbackType": "not-spam", "complainedRecipients": [{ "emailAddress": "alice@example.com" }] } } }),
        json!({ "detail": { "eventType": "Delivery", "mail": {} } }),
    ];
    for event in events {
        assert!(app.invoke("bounces", event.clone()).await.is_some(), "{event}");
    }
    ask_for_a_link(&app, "alice@example.com").await;
    assert_eq!(mails(&app, "alice@example.com").await, 2);

    assert!(app.invoke("bounces", bounce("Permanent", "ALICE@example.com")).await.is_some());
    ask_for_a_link(&app, "alice@example.com").await;
    assert_eq!(mails(&app, "alice@example.com").await, 2, "an address has many spellings");
    assert!(!app.scan("TokensTable").await.to_string().contains("alice@"), "what is remembered is no address");
}

#[tokio::test]
async fn an_event_that_cannot_be_noted_fails_so_that_it_is_tried_again() {
    let app = App::start().await;
    app.fault(json!({ "service": "dynamodb", "operation": "UpdateItem", "kind": "throttle", "count": 100 })).await;
    assert_eq!(app.invoke("bounces", bounce("Permanent", "alice@example.com")).await, None);
    assert_eq!(app.invoke("bounces", json!({ "detail": { "eventType": "Bounce" } })).await, None);
}
