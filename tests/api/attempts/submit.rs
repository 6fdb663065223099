use std::collections::HashSet;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{
    client::{Answer, App, Member},
    noise::noise,
};

use super::agreement;

const PATHS: [&str; 2] = ["/api/v1/attempts/", "/api/v1/attempts"];

pub fn attempt(question: u64, passed: u16, code: &str) -> Value {
    json!({ "question_id": question, "language": "python", "submitted_code": code, "passed_tests": passed, "total_tests": 3, "runtime_ms": 20 })
}

async fn submit_with(app: &App, member: &Member, key: &str, body: &Value) -> Answer {
    let request = app.request(Method::POST, PATHS[0]).bearer_auth(&member.access_token);
    app.send(request.header("idempotency-key", key).json(body)).await
}

async fn summary(app: &App, member: &Member) -> Value {
    app.get_as(member, "/api/v1/attempts/me/summary").await.json()
}

#[tokio::test]
async fn both_spellings_of_the_path_answer_with_the_attempt() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    for (count, path) in PATHS.into_iter().enumerate() {
        let answer = app.post_as(&member, path, attempt(7, 3, "pass")).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        let body = answer.json();
        assert_eq!(
            (&body["question_id"], &body["language"], &body["runtime_ms"]),
            (&json!(7), &json!("python"), &json!(20))
        );
        assert_eq!(
            (&body["passed_tests"], &body["total_tests"], &body["is_solved"]),
            (&json!(3), &json!(3), &json!(true))
        );
        assert!(body.get("submitted_code").is_none());
        assert!(body["created_at"].as_str().unwrap().ends_with('Z'));
        let summary = summary(&app, &member).await;
        assert_eq!((&summary["total_attempts"], &summary["solved"]), (&json!(count + 1), &json!(1)));
        assert_eq!(summary["last_attempt_at"], body["created_at"]);
    }
}

#[tokio::test]
async fn solved_counts_distinct_questions_with_tests_that_all_passed() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    for (question, passed) in [(1, 2), (1, 3), (1, 3), (2, 0), (3, 3)] {
        app.post_as(&member, PATHS[0], attempt(question, passed, "x")).await;
    }
    let untested =
        json!({ "question_id": 4, "language": "c", "submitted_code": "", "passed_tests": 0, "total_tests": 0 });
    let answer = app.post_as(&member, PATHS[0], untested).await;
    assert_eq!((&answer.json()["is_solved"], &answer.json()["runtime_ms"]), (&json!(false), &Value::Null));
    let summary = summary(&app, &member).await;
    assert_eq!((&summary["total_attempts"], &summary["solved"]), (&json!(6), &json!(2)));
}

#[tokio::test]
async fn forty_submissions_at_once_all_count() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let calls = (0..40).map(|number| app.post_as(&member, PATHS[0], attempt(number % 4, 3, "x")));
    let answers = join_all(calls).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::CREATED), "{answers:?}");
    let sent: HashSet<String> = answers.iter().map(|answer| answer.json()["id"].as_str().unwrap().to_owned()).collect();

    let summary = summary(&app, &member).await;
    assert_eq!((&summary["total_attempts"], &summary["solved"]), (&json!(40), &json!(4)));
    let history = app.get_as(&member, "/api/v1/attempts/me?limit=200").await.json();
    let listed: HashSet<String> =
        history.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((history.as_array().unwrap().len(), listed), (40, sent));
    for question in 0..4 {
        let of_one = app.get_as(&member, &format!("/api/v1/attempts/me?question_id={question}")).await;
        assert_eq!(of_one.header("x-total-count"), "10");
    }
    agreement::holds(&app, &member, 40).await;
}

#[tokio::test]
async fn whoever_reads_while_others_write_finds_no_contradiction() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let writes = join_all((0..12).map(|number| app.post_as(&member, PATHS[0], attempt(number, 3, "x"))));
    let reads = async {
        let mut seen = 0;
        while seen < 12 {
            let page = app.get_as(&member, "/api/v1/attempts/me?limit=200").await;
            let rows = page.json().as_array().unwrap().len();
            assert_eq!(page.header("x-total-count"), rows.to_string());
            let summary = summary(&app, &member).await;
            assert_eq!(summary["total_attempts"], summary["solved"]);
            assert!(rows >= seen, "{rows} after {seen}");
            seen = rows;
        }
    };
    let (answers, ()) = tokio::join!(writes, reads);
    assert!(answers.iter().all(|answer| answer.status == StatusCode::CREATED), "{answers:?}");
}

#[tokio::test]
async fn the_same_key_and_body_are_the_same_attempt_for_a_day() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let first = submit_with(&app, &member, "k-1", &attempt(1, 3, "x")).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text);
    app.advance(600).await;
    // The same, written otherwise.
    let spelled = r#"{ "runtime_ms":20, "total_tests":3, "passed_tests":3, "submitted_code":"\u0078", "language":"python", "question_id":1 }"#;
    let request =
        app.request(Method::POST, PATHS[1]).bearer_auth(&member.access_token).header("idempotency-key", "k-1");
    let again = app.send(request.header("content-type", "application/json").body(spelled)).await;
    assert_eq!((again.status, again.json()), (StatusCode::CREATED, first.json()));
    agreement::holds(&app, &member, 1).await;

    let other_key = submit_with(&app, &member, "k-2", &attempt(1, 3, "x")).await;
    assert_ne!(other_key.json()["id"], first.json()["id"]);
    let bob = app.member("bob@example.com").await;
    let others = submit_with(&app, &bob, "k-1", &attempt(2, 0, "y")).await;
    assert_eq!(others.status, StatusCode::CREATED, "a key is its owner's: {}", others.text);

    app.advance(24 * 60 * 60 - 660).await;
    let member = app.sign_in("alice@example.com").await;
    assert_eq!(submit_with(&app, &member, "k-1", &attempt(1, 3, "x")).await.json(), first.json());
    app.advance(61).await;
    let later = submit_with(&app, &member, "k-1", &attempt(1, 3, "x")).await;
    assert_ne!(later.json()["id"], first.json()["id"]);
    agreement::holds(&app, &member, 3).await;
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let body = attempt(1, 3, "x");
    submit_with(&app, &member, "key", &body).await;
    for (field, value) in [
        ("question_id", json!(2)),
        ("language", json!("rust")),
        ("submitted_code", json!("y")),
        ("passed_tests", json!(2)),
        ("total_tests", json!(4)),
        ("runtime_ms", Value::Null),
    ] {
        let mut other = body.clone();
        other[field] = value;
        let answer = submit_with(&app, &member, "key", &other).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused"),
            "{field}"
        );
    }
    agreement::holds(&app, &member, 1).await;
}

#[tokio::test]
async fn ten_at_once_with_one_key_make_one_attempt() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let body = attempt(1, 3, "x");
    let answers = join_all((0..10).map(|_| submit_with(&app, &member, "key", &body))).await;
    let bodies: HashSet<String> = answers.iter().map(|answer| answer.text.clone()).collect();
    assert!(answers.iter().all(|answer| answer.status == StatusCode::CREATED), "{answers:?}");
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    agreement::holds(&app, &member, 1).await;
}

#[tokio::test]
async fn whoever_lost_the_answer_and_sends_again_counts_once() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let body = attempt(1, 3, "x");
    // The first reaches the table and is never answered, as often as the SDK tries; the second never reaches it.
    for (count, kind) in [(1, "lost"), (2, "error")] {
        let fault = json!({ "service": "dynamodb", "operation": "TransactWriteItems", "table": "AttemptsTable", "kind": kind, "count": 4 });
        app.fault(fault).await;
        let answer = submit_with(&app, &member, kind, &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"), "{kind}");
        agreement::holds(&app, &member, if kind == "lost" { count } else { count - 1 }).await;
        let answer = submit_with(&app, &member, kind, &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{kind}");
        agreement::holds(&app, &member, count).await;
    }
}

#[tokio::test]
async fn a_key_is_held_to_its_bounds() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    for key in ["", "a b", "a,b", "k\u{e9}y", &"k".repeat(256)] {
        let answer = submit_with(&app, &member, key, &attempt(1, 3, "x")).await;
        assert_eq!(answer.refused_fields(), ["idempotency-key"], "{key}");
    }
    assert_eq!(submit_with(&app, &member, &"k".repeat(255), &attempt(1, 3, "x")).await.status, StatusCode::CREATED);
    agreement::holds(&app, &member, 1).await;
}

#[tokio::test]
async fn conflicts_and_lost_answers_neither_lose_nor_double_an_attempt() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    for (count, (kind, strikes)) in [("conflict", 10), ("lost", 1), ("throttle", 2)].into_iter().enumerate() {
        app.fault(json!({ "service": "dynamodb", "operation": "TransactWriteItems", "table": "AttemptsTable", "kind": kind, "count": strikes }))
            .await;
        let answer = app.post_as(&member, PATHS[0], attempt(1, 3, "x")).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{kind} {}", answer.text);
        agreement::holds(&app, &member, count + 1).await;
    }
}

#[tokio::test]
async fn a_session_that_ended_leaves_no_code() {
    let app = App::start().await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    app.send(app.request(Method::POST, "/auth/logout").bearer_auth(&alice.access_token)).await;
    app.delete_as(&bob, "/users/me").await;
    app.all_letters().await;
    for gone in [&alice, &bob] {
        assert_eq!(app.post_as(gone, PATHS[0], attempt(1, 3, "x")).await.code(), "session_ended");
    }
    assert_eq!(app.scan("AttemptsTable").await["Count"], 0);
}

#[tokio::test]
async fn an_unverified_session_stores_no_code() {
    let app = App::start().await;
    let member = app.register("new@example.com").await;
    assert_eq!(app.post_as(&member, PATHS[0], attempt(1, 3, "x")).await.code(), "email_not_verified");
    assert_eq!(app.scan("AttemptsTable").await["Count"], 0);
}

#[tokio::test]
async fn every_field_is_held_to_its_bounds() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let cases = [
        ("question_id", json!(-1)),
        ("question_id", json!(1.5)),
        ("question_id", json!("1")),
        ("question_id", json!(9_007_199_254_740_992_u64)),
        ("language", json!("")),
        ("language", json!("l".repeat(51))),
        ("submitted_code", json!("a\0b")),
        ("submitted_code", json!("c".repeat(256 * 1024 + 1))),
        ("submitted_code", Value::Null),
        ("passed_tests", json!(4)),
        ("total_tests", json!(32_768)),
        ("runtime_ms", json!(-1)),
        ("user_id", json!("someone else")),
    ];
    for (field, value) in cases {
        let mut body = attempt(1, 3, "x");
        body[field] = value.clone();
        let answer = app.post_as(&member, PATHS[0], body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {value}");
        assert_eq!(answer.refused_fields(), [field], "{value}");
    }
    assert_eq!(summary(&app, &member).await["total_attempts"], 0);
}

#[tokio::test]
async fn nobody_submits_without_a_session() {
    let app = App::start().await;
    let answer = app.post(PATHS[0], attempt(1, 1, "x")).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "authentication_required"));
}

#[tokio::test]
async fn a_submission_keeps_its_budget_whatever_its_size() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    app.slow_aws().await;
    for kib in [1_u32, 10, 250] {
        // JSON spells each byte of this noise with one or two; zstd saves an eighth of it at the most.
        let code = noise(kib as usize * 1000);
        let answer = app.post_as(&member, PATHS[0], attempt(u64::from(kib), 3, &code)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        app.cost(&answer).await.within(2, 11.0 + f64::from(kib), 3.0);
        let answer = submit_with(&app, &member, &kib.to_string(), &attempt(u64::from(kib), 3, &code)).await;
        app.cost(&answer).await.within(2, 13.0 + f64::from(kib), 3.0);
    }
}

#[tokio::test]
async fn the_caller_is_taken_from_the_token_alone() {
    let app = App::start().await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    let request = app.request(Method::POST, &format!("{}?user_id={}", PATHS[0], bob.id));
    app.send(request.bearer_auth(&alice.access_token).json(&attempt(1, 3, "x"))).await;
    assert_eq!(summary(&app, &bob).await["total_attempts"], 0);
    assert_eq!(summary(&app, &alice).await["total_attempts"], 1);
}
