//! The local stack itself, and what the service does while parts of AWS fail.

use std::time::{Duration, Instant};

use crate::attempts::{agreement, submit};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::client::{App, PASSWORD};

/// The template's.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(29);

#[tokio::test]
async fn the_mailbox_is_a_page_for_people_and_an_array_for_programs() {
    let app = App::start().await;
    app.register("first@example.com").await;
    app.register("second@example.com").await;
    let page = app.get("/_local/mailbox").await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.text.contains("first@example.com"));
    let array = app.send(app.request(Method::GET, "/_local/mailbox").header("accept", "application/json")).await.json();
    let letters = array.as_array().unwrap();
    assert_eq!((letters.len(), &letters[0]["to"]), (2, &json!("second@example.com")), "newest first");
    for field in ["id", "to", "subject", "text", "html", "sent_at"] {
        assert!(letters[0][field].is_string(), "{field}");
    }
}

#[tokio::test]
async fn the_ledger_lists_each_call_of_a_request_in_order() {
    let app = App::start().await;
    app.register("a@example.com").await;
    let answer = app.login("a@example.com", PASSWORD).await;
    let cost = app.cost(&answer).await;
    let calls: Vec<_> = cost.calls.iter().map(|call| (call.operation.as_str(), call.table.as_deref())).collect();
    let users = Some("UsersTable");
    assert_eq!(calls, [("GetItem", users), ("UpdateItem", users), ("UpdateItem", users)]);
}

#[tokio::test]
async fn moving_the_clock_lets_ttl_take_what_has_expired() {
    let app = App::start().await;
    app.login("nobody@example.com", "wrong").await;
    let rows = async || {
        let rows = app.scan("TokensTable").await.to_string();
        rows.matches("GHOST#").count()
    };
    assert_eq!(rows().await, 1, "the guess at an address that nobody has");
    app.advance(31 * 24 * 3600).await;
    assert_eq!(rows().await, 0);
}

#[tokio::test]
async fn while_dynamodb_throttles_answers_are_503_and_nothing_is_let_through() {
    let app = App::start().await;
    let member = app.member("a@example.com").await;
    app.fault(json!({ "service": "dynamodb", "kind": "throttle", "count": 1000 })).await;
    for answer in [app.login("a@example.com", PASSWORD).await, app.get_as(&member, "/users/me").await] {
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
        assert_eq!(answer.header("retry-after"), "1");
        assert!(!answer.text.contains("hrottl"), "nothing internal: {}", answer.text);
    }
    app.fault(json!({ "service": "dynamodb", "kind": "throttle", "count": 0 })).await;
    assert_eq!(app.get_as(&member, "/users/me").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_passing_throttle_is_not_even_noticed() {
    let app = App::start().await;
    let member = app.member("a@example.com").await;
    app.fault(json!({ "service": "dynamodb", "operation": "GetItem", "kind": "throttle", "count": 2 })).await;
    assert_eq!(app.get_as(&member, "/users/me").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_dynamodb_does_by_halves_is_done_whole() {
    let app = App::start().await;
    let member = app.member("a@example.com").await;
    app.patch_as(&member, "/api/v1/users/me", json!({ "bio": "I count." })).await;
    let halves = async |operation: &str, kind: &str| {
        app.fault(json!({ "service": "dynamodb", "operation": operation, "kind": kind, "count": 1 })).await;
    };

    halves("BatchWriteItem", "half").await;
    let attempt = json!({ "question_id": 1, "language": "rust", "submitted_code": "fn main() {}", "passed_tests": 1, "total_tests": 1 });
    let submitted = app.post_as(&member, "/api/v1/attempts/", attempt).await;
    assert_eq!(submitted.status, StatusCode::CREATED, "{}", submitted.text);
    let writes = app.cost(&submitted).await.calls.iter().filter(|call| call.operation == "BatchWriteItem").count();
    assert_eq!(writes, 2, "the rest is sent again");

    for path in ["/api/v1/auth/me".to_owned(), format!("/api/v1/attempts/{}", submitted.json()["id"].as_str().unwrap())]
    {
        let whole = app.get_as(&member, &path).await.text;
        assert!(whole.contains("I count.") || whole.contains("fn main() {}"), "{whole}");
        for kind in ["half", "last_half"] {
            halves("BatchGetItem", kind).await;
            let halved = app.get_as(&member, &path).await;
            assert_eq!((halved.status, &halved.text), (StatusCode::OK, &whole));
            assert_eq!(app.cost(&halved).await.calls.len(), 2, "{path} {kind}");
        }
    }
}

#[tokio::test]
async fn code_that_could_be_stored_by_halves_alone_is_not_stored() {
    let app = App::start().await;
    let member = app.member("a@example.com").await;
    // The code is stored, and the row that leads to it never is.
    let refused = json!({ "service": "dynamodb", "operation": "BatchWriteItem", "kind": "last_half", "count": 4 });
    app.fault(refused).await;
    let attempt = json!({ "question_id": 1, "language": "rust", "submitted_code": "fn main() {}", "passed_tests": 1, "total_tests": 1 });
    let answer = app.post_as(&member, "/api/v1/attempts/", attempt).await;
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (StatusCode::SERVICE_UNAVAILABLE, "1"),
        "{}",
        answer.text
    );
    let left = app.scan("AttemptsTable").await;
    assert_eq!(left["Count"], 0, "{left}");
}

#[tokio::test]
async fn while_ses_fails_registering_goes_on_and_the_mail_follows() {
    let app = App::start().await;
    app.fault(json!({ "service": "ses", "kind": "error", "count": 6 })).await;
    app.register("a@example.com").await;
    let letters = app.letters("a@example.com").await;
    assert_eq!(letters.len(), 1, "sent once SES took it");
}

#[tokio::test]
async fn a_mail_is_owed_for_as_long_as_the_sender_is_not_verified() {
    let app = App::start().await;
    app.fault(json!({ "service": "ses", "kind": "unverified", "count": 6 })).await;
    app.register("a@example.com").await;
    assert_eq!(app.letters("a@example.com").await.len(), 1, "sent once SES took it");
}

#[tokio::test]
async fn while_ses_and_s3_are_down_people_sign_in() {
    let app = App::start().await;
    app.member("a@example.com").await;
    for service in ["ses", "s3"] {
        app.fault(json!({ "service": service, "kind": "error", "count": 1_000_000 })).await;
    }
    assert_eq!(app.login("a@example.com", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_a_503_in_time_and_never_a_yes() {
    let app = App::start().await;
    let member = app.member("a@example.com").await;
    for kind in ["time_out", "time_out_after", "cut", "cut_after"] {
        app.fault(json!({ "service": "dynamodb", "count": 0, "kind": kind })).await;
        let fault = json!({ "service": "dynamodb", "kind": kind, "milliseconds": 60_000, "count": 1_000_000 });
        app.fault(fault).await;
        let began = Instant::now();
        let answers = tokio::join!(app.login("a@example.com", PASSWORD), app.get_as(&member, "/users/me"));
        for answer in [answers.0, answers.1] {
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{kind}: {}", answer.text);
            assert!(!answer.header("retry-after").is_empty());
        }
        assert!(began.elapsed() < FUNCTION_TIMEOUT, "{kind} took {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_mail_that_ses_refuses_for_good_holds_up_no_other() {
    let app = App::start().await;
    app.fault(json!({ "service": "ses", "kind": "reject", "count": 1 })).await;
    app.register("refused@example.com").await;
    app.register("next@example.com").await;
    assert_eq!(app.letters("next@example.com").await.len(), 1);
    assert_eq!(app.letters("refused@example.com").await.len(), 0);
}

#[tokio::test]
async fn what_is_stored_holds_no_password_token_or_link() {
    let app = App::start().await;
    let member = app.member("a@example.com").await;
    let link = app.verification_token("a@example.com").await;
    let mut dump = String::new();
    for table in ["UsersTable", "TokensTable", "AttemptsTable"] {
        dump.push_str(&app.scan(table).await.to_string());
    }
    for secret in [PASSWORD, &member.access_token, &member.refresh_token, &link, link.strip_prefix("ve1_").unwrap()] {
        assert!(!dump.contains(secret));
    }
    assert!(dump.contains("$argon2id$"), "the dump is of the tables");
}

#[tokio::test]
async fn an_account_with_all_its_sessions_stays_under_two_kib() {
    let app = App::start().await;
    let email = format!("{}@{}.example.com", "a".repeat(60), "b".repeat(60));
    let body = json!({ "email": email, "password": PASSWORD, "name": "N".repeat(255), "username": "u".repeat(50) });
    app.post("/auth/register", body).await;
    let token = app.verification_token(&email).await;
    app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    for _ in 0..5 {
        app.sign_in(&email).await;
    }
    let cost = app.cost(&app.login(&email, "wrong").await).await;
    let largest = cost.calls.iter().map(|call| call.wru).fold(0.0, f64::max);
    assert!(largest <= 2.0, "{cost:?}");
}

#[tokio::test]
async fn what_is_loaded_is_what_the_service_would_have_written() {
    let app = App::start().await;
    let first = app.load(3, 150).await;
    agreement::holds(&app, &first, 150).await;
    let again = app.load(2, 0).await;
    assert_ne!(again.email, first.email);
    agreement::holds(&app, &again, 0).await;
    app.post_as(&first, "/api/v1/attempts/", submit::attempt(1, 3, "x")).await;
    agreement::holds(&app, &first, 151).await;
}
