use reqwest::StatusCode;
use serde_json::json;
use tests::client::App;

#[tokio::test]
async fn a_premium_member_goes_back_to_basic_once() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    assert_eq!(app.post_as(&alice, "/api/v1/users/me/downgrade", json!({})).await.code(), "plan_unchanged");
    app.post_as(&alice, "/api/v1/users/me/upgrade", json!({})).await;
    let answer = app.post_as(&alice, "/api/v1/users/me/downgrade", json!({})).await;
    assert_eq!((answer.status, &answer.json()["subscription_tier"]), (StatusCode::OK, &json!("basic")));
    assert_eq!(app.get_as(&alice, "/api/v1/users/search?q=alice").await.code(), "premium_required");
}
