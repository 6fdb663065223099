use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::client::{App, Member};

use super::submit::attempt;

const PATH: &str = "/api/v1/attempts/me/activity";
const DAY: u32 = 24 * 60 * 60;

/// Submits, and answers with the date.
async fn submit(app: &App, member: &Member, question: u64, passed: u16) -> String {
    let answer = app.post_as(member, "/api/v1/attempts/", attempt(question, passed, "x")).await;
    answer.json()["created_at"].as_str().unwrap()[..10].to_owned()
}

/// The first moments of the next day, so that no midnight comes between two calls.
async fn to_the_next_morning(app: &App) {
    let now = app.post("/_local/clock", json!({ "advance_seconds": 0 })).await.json();
    let time = &now["now"].as_str().unwrap()[11..19];
    let part = |at: usize| time[at..at + 2].parse::<u32>().unwrap();
    app.advance(DAY - (part(0) * 3600 + part(3) * 60 + part(6)) + 1).await;
}

#[tokio::test]
async fn each_day_counts_its_attempts_and_what_was_solved_first_on_it() {
    let app = App::start().await;
    to_the_next_morning(&app).await;
    let member = app.member("alice@example.com").await;
    let first = submit(&app, &member, 1, 3).await;
    submit(&app, &member, 1, 3).await;
    submit(&app, &member, 2, 1).await;
    app.advance(3 * DAY).await;
    let member = app.sign_in("alice@example.com").await;
    let second = submit(&app, &member, 1, 3).await;
    submit(&app, &member, 2, 3).await;
    let day = |date: &str, attempts, solved| json!({ "date": date, "attempts": attempts, "solved": solved });
    let expected = json!([day(&first, 3, 1), day(&second, 2, 1)]);
    assert_eq!(app.get_as(&member, PATH).await.json(), expected);
    let between = |from: &str, to: &str| format!("{PATH}?from={from}&to={to}");
    assert_eq!(app.get_as(&member, &between(&first, &second)).await.json(), expected);
    assert_eq!(app.get_as(&member, &between(&first, &first)).await.json(), json!([expected[0]]));
    assert_eq!(app.get_as(&member, &between("2001-01-01", "2001-12-31")).await.json(), json!([]));
}

#[tokio::test]
async fn a_span_has_at_most_366_days() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    for query in ["from=2024-01-01&to=2024-12-31", "from=2025-01-01&to=2026-01-01", "to=2024-02-29", ""] {
        let answer = app.get_as(&member, &format!("{PATH}?{query}")).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!([])), "{query}");
    }
    for (query, field) in [
        ("from=2024-01-01&to=2025-01-01", "from"),
        ("from=2026-01-02&to=2026-01-01", "from"),
        ("from=2001-01-01", "from"),
        ("from=2025-02-29&to=2025-03-01", "from"),
        ("from=2026-1-1&to=2026-01-02", "from"),
        ("from=%2B10000-01-01&to=2026-01-01", "from"),
        ("to=yesterday", "to"),
        ("to=2026-01-01T00:00:00Z", "to"),
        ("day=1", "day"),
    ] {
        let answer = app.get_as(&member, &format!("{PATH}?{query}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert_eq!(answer.refused_fields(), [field], "{query}");
    }
}

#[tokio::test]
async fn a_person_sees_their_own_days_only() {
    let app = App::start().await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    submit(&app, &alice, 1, 3).await;
    assert_eq!(app.get_as(&bob, PATH).await.json(), json!([]));
    assert_eq!(app.get(PATH).await.code(), "authentication_required");
}

#[tokio::test]
async fn a_year_full_of_attempts_is_one_query() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    // One a minute: as many days as it takes are filled, the first and the last in part.
    app.load_attempts(&member, 100_000);
    app.slow_aws().await;
    let days = app.get_as(&member, PATH).await;
    let count = |name: &str| -> u64 {
        days.json().as_array().unwrap().iter().map(|day: &Value| day[name].as_u64().unwrap()).sum()
    };
    let summary = app.get_as(&member, "/api/v1/attempts/me/summary").await.json();
    assert_eq!((json!(count("attempts")), json!(count("solved"))), (json!(100_000), summary["solved"].clone()));
    let cost = app.cost(&days).await;
    assert_eq!(cost.calls.iter().filter(|call| call.operation == "Query").count(), 1);
    cost.within(1, 0.0, 3.0);
}
