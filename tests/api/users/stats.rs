use serde_json::json;
use tests::client::{App, moment};

#[tokio::test]
async fn the_caller_is_told_in_numbers_in_one_round_trip() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    app.advance(3 * 86400).await;
    let alice = {
        app.sign_in("alice@example.com").await;
        app.sign_in(&alice.email).await
    };
    for question in [1, 1, 2] {
        let body = json!({ "question_id": question, "language": "rust", "submitted_code": "x", "passed_tests": 2, "total_tests": 2 });
        app.post_as(&alice, "/api/v1/attempts/", body).await;
    }
    // The function reads its keys again, now that three days have passed: the budget is one of warm keys.
    app.get_as(&alice, "/api/v1/users/me/stats").await;
    app.slow_aws().await;
    let answer = app.get_as(&alice, "/api/v1/users/me/stats").await;
    let stats = answer.json();
    // The session that registering opened has gone with verification's time; those of the logins are there.
    assert_eq!((&stats["account_age_days"], &stats["attempts"], &stats["solved"]), (&json!(3), &json!(3), &json!(2)));
    assert_eq!(stats["active_sessions"], 4);
    assert_eq!(
        (&stats["is_verified"], &stats["is_premium"], &stats["subscription_tier"]),
        (&json!(true), &json!(false), &json!("basic"))
    );
    assert!(moment(&stats["last_activity_at"]) >= moment(&stats["last_login_at"]));
    app.cost(&answer).await.within(1, 0.0, 2.0);
}
