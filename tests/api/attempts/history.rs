use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::client::{App, Member};

use super::submit::attempt;

const PATH: &str = "/api/v1/attempts/me";

async fn member_with(app: &App, attempts: u64) -> Member {
    let member = app.member("alice@example.com").await;
    for number in 0..attempts {
        app.advance(1).await;
        let passed = u16::try_from(number % 4).unwrap();
        let answer = app.post_as(&member, "/api/v1/attempts/", attempt(number, passed, "x")).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    }
    member
}

fn questions(page: &Value) -> Vec<u64> {
    page.as_array().unwrap().iter().map(|row| row["question_id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn pages_go_from_the_newest_back_by_offset_and_by_link() {
    let app = App::start().await;
    let member = member_with(&app, 25).await;
    let all = app.get_as(&member, PATH).await;
    assert_eq!(questions(&all.json()), (0..25).rev().collect::<Vec<_>>());
    assert_eq!((all.header("x-total-count"), all.header("link")), ("25", ""));

    let page = app.get_as(&member, &format!("{PATH}?limit=10&offset=5")).await;
    assert_eq!(questions(&page.json()), (10..20).rev().collect::<Vec<_>>());
    assert_eq!(app.get_as(&member, &format!("{PATH}?offset=25")).await.json(), json!([]));

    let mut walked = Vec::new();
    let mut next = Some(format!("{PATH}?limit=10"));
    while let Some(path) = next {
        let page = app.get_as(&member, &path).await;
        walked.extend(questions(&page.json()));
        next = page
            .header("link")
            .strip_prefix('<')
            .and_then(|link| link.strip_suffix(r#">; rel="next""#))
            .map(str::to_owned);
    }
    assert_eq!(walked, (0..25).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_walk_is_not_shifted_by_what_comes_meanwhile() {
    let app = App::start().await;
    let member = member_with(&app, 4).await;
    let first = app.get_as(&member, &format!("{PATH}?limit=2")).await;
    app.post_as(&member, "/api/v1/attempts/", attempt(99, 1, "x")).await;
    let link = first.header("link").trim_start_matches('<').split('>').next().unwrap().to_owned();
    assert_eq!(questions(&app.get_as(&member, &link).await.json()), [1, 0]);
}

#[tokio::test]
async fn one_question_has_a_history_of_its_own() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    for (question, passed) in [(1, 0), (2, 1), (1, 2), (1, 3)] {
        app.post_as(&member, "/api/v1/attempts/", attempt(question, passed, "x")).await;
    }
    let page = app.get_as(&member, &format!("{PATH}?question_id=1&limit=2")).await;
    let passed: Vec<u64> =
        page.json().as_array().unwrap().iter().map(|row| row["passed_tests"].as_u64().unwrap()).collect();
    assert_eq!((passed, page.header("x-total-count")), (vec![3, 2], "3"));
    assert!(page.header("link").contains("question_id=1"));
    assert_eq!(app.get_as(&member, &format!("{PATH}?question_id=9")).await.json(), json!([]));
}

#[tokio::test]
async fn a_person_sees_their_own_attempts_only() {
    let app = App::start().await;
    member_with(&app, 2).await;
    let bob = app.member("bob@example.com").await;
    assert_eq!(app.get_as(&bob, PATH).await.json(), json!([]));
    assert_eq!(app.get(PATH).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn parameters_are_held_to_their_bounds() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    for query in [
        "limit=0",
        "limit=201",
        "limit=x",
        "offset=-1",
        "cursor=!",
        "cursor=AAAA",
        "cursor=AAAAAAAAAAE&offset=1",
        "question_id=9007199254740992",
        "offset=9007199254740992",
        "page=2",
    ] {
        let answer = app.get_as(&member, &format!("{PATH}?{query}")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "validation_failed"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_long_history_is_read_across_the_bounds_of_its_partitions() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    app.load_attempts(&member, 9_000);
    app.slow_aws().await;
    for offset in [0, 795, 804, 4_890, 8_980] {
        let page = app.get_as(&member, &format!("{PATH}?limit=20&offset={offset}")).await;
        // The loader gives attempt n the question n modulo 500.
        let expected: Vec<u64> = (0..20).map(|row| (8_999 - offset - row) % 500).collect();
        assert_eq!(questions(&page.json()), expected, "{offset}");
        app.cost(&page).await.within(2, 0.0, 3.0);
    }
}

#[tokio::test]
async fn a_page_of_twenty_keeps_its_budget_at_any_offset() {
    let app = App::start().await;
    let member = member_with(&app, 45).await;
    app.slow_aws().await;
    for query in ["", "&offset=20", "&offset=40", "&question_id=3"] {
        let answer = app.get_as(&member, &format!("{PATH}?limit=20{query}")).await;
        assert_eq!(answer.status, StatusCode::OK);
        app.cost(&answer).await.within(2, 0.0, 3.0);
    }
}
