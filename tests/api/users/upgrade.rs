use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;
use tests::client::App;

#[tokio::test]
async fn of_ten_upgrades_at_once_one_counts_and_it_opens_the_directory_at_once() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    assert_eq!(app.get_as(&alice, "/api/v1/users/search?q=alice").await.code(), "premium_required");
    let upgrades = (0..10).map(|_| app.post_as(&alice, "/api/v1/users/me/upgrade", json!({})));
    let answers = join_all(upgrades).await;
    let made: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
    assert_eq!((made.len(), &made[0].json()["subscription_tier"]), (1, &json!("premium")));
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK || answer.code() == "plan_unchanged"));
    assert_eq!(app.get_as(&alice, "/api/v1/users/search?q=alice").await.status, StatusCode::OK);
}

#[tokio::test]
async fn where_plans_are_not_self_service_admins_set_them() {
    let (app, root) = App::with_admin(&[("SELF_SERVICE_PLAN", "false")]).await;
    let bob = app.member("bob@example.com").await;
    assert_eq!(app.post_as(&bob, "/api/v1/users/me/upgrade", json!({})).await.code(), "forbidden");
    app.patch_as(&root, &format!("/api/v1/users/{}", bob.id), json!({ "subscription_tier": "premium" })).await;
    assert_eq!(app.get_as(&bob, "/users/me").await.json()["is_premium"], true);
    assert_eq!(app.post_as(&root, "/api/v1/users/me/upgrade", json!({})).await.status, StatusCode::OK);
    let trail = app.get_as(&root, &format!("/api/v1/admin/audit?target={}", root.id)).await.json();
    assert_eq!(trail[0]["changes"]["subscription_tier"], "premium", "{trail}");
}
