use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::client::App;

use super::{agreement, submit::attempt};

const PATH: &str = "/api/v1/attempts/me/questions";

#[tokio::test]
async fn each_question_shows_its_best_its_first_solve_and_its_last_attempt() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let mut at = Vec::new();
    // Passed tests of three, and milliseconds: a failing run is never the fastest.
    for (passed, runtime) in [(1, 5), (3, 90), (2, 1), (3, 40), (3, 60)] {
        app.advance(1).await;
        let mut body = attempt(7, passed, "x");
        body["runtime_ms"] = json!(runtime);
        at.push(app.post_as(&member, "/api/v1/attempts/", body).await.json()["created_at"].clone());
    }
    app.post_as(&member, "/api/v1/attempts/", attempt(3, 0, "x")).await;
    let questions = app.get_as(&member, PATH).await.json();
    assert_eq!((&questions[0]["question_id"], &questions[0]["solved_at"]), (&json!(3), &Value::Null));
    let expected = json!({
        "question_id": 7, "attempts": 5, "best_passed_tests": 3, "total_tests": 3, "best_runtime_ms": 40,
        "solved_at": at[1], "last_attempt_at": at[4],
    });
    assert_eq!((&questions[1], &questions[2]), (&expected, &Value::Null));

    for total in [9, 3] {
        let mut body = attempt(8, 3, "x");
        body["total_tests"] = json!(total);
        assert_eq!(app.post_as(&member, "/api/v1/attempts/", body).await.status, StatusCode::CREATED);
    }
    agreement::holds(&app, &member, 8).await;
    let solved = &app.get_as(&member, PATH).await.json()[2];
    assert_eq!(
        (&solved["best_passed_tests"], &solved["total_tests"]),
        (&json!(3), &json!(3)),
        "of as many the solved one"
    );
}

#[tokio::test]
async fn pages_go_on_by_link_and_the_last_one_has_none() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    // 9 before 10: by number, not by its digits.
    for question in [10, 9_007_199_254_740_991, 2, 9, 0] {
        app.post_as(&member, "/api/v1/attempts/", attempt(question, 1, "x")).await;
    }
    let (mut walked, mut next) = (Vec::new(), Some(format!("{PATH}?limit=2")));
    while let Some(path) = next {
        let page = app.get_as(&member, &path).await;
        let rows = page.json();
        let ids = rows.as_array().unwrap().iter().map(|row| row["question_id"].as_u64().unwrap());
        walked.push(ids.collect::<Vec<_>>());
        let link = page.header("link").strip_prefix('<').and_then(|link| link.strip_suffix(r#">; rel="next""#));
        next = link.map(str::to_owned);
    }
    assert_eq!(walked, [vec![0, 2], vec![9, 10], vec![9_007_199_254_740_991]]);
    let whole = app.get_as(&member, &format!("{PATH}?limit=5")).await;
    assert_eq!((whole.json().as_array().unwrap().len(), whole.header("link")), (5, ""));
}

#[tokio::test]
async fn a_person_sees_their_own_questions_only() {
    let app = App::start().await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    app.post_as(&alice, "/api/v1/attempts/", attempt(1, 1, "x")).await;
    assert_eq!(app.get_as(&bob, PATH).await.json(), json!([]));
    assert_eq!(app.get(PATH).await.code(), "authentication_required");
}

#[tokio::test]
async fn parameters_are_held_to_their_bounds() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    for query in ["limit=0", "limit=201", "cursor=!", "cursor=AAAA", "offset=1"] {
        let answer = app.get_as(&member, &format!("{PATH}?{query}")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "validation_failed"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_page_of_twenty_keeps_its_budget() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    app.load_attempts(&member, 2_000);
    app.slow_aws().await;
    let page = app.get_as(&member, &format!("{PATH}?limit=20")).await;
    assert_eq!(page.json().as_array().unwrap().len(), 20);
    app.cost(&page).await.within(1, 0.0, 2.0);
}
