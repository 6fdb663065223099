use serde_json::{Value, json};
use tests::client::App;

const PATH: &str = "/api/v1/attempts/me/summary";

#[tokio::test]
async fn before_the_first_attempt_all_is_nought() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let expected = json!({ "total_attempts": 0, "solved": 0, "last_attempt_at": Value::Null });
    assert_eq!(app.get_as(&member, PATH).await.json(), expected);
    assert_eq!(app.get(PATH).await.code(), "authentication_required");
}

#[tokio::test]
async fn the_summary_keeps_its_budget() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    app.slow_aws().await;
    app.cost(&app.get_as(&member, PATH).await).await.within(1, 0.0, 2.0);
}
