use image::ImageFormat;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::client::App;

use super::{PATH, halves, objects, upload};

#[tokio::test]
async fn an_avatar_goes_with_its_object_and_going_again_changes_nothing() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let bob = app.member("bob@example.com").await;
    upload(&app, &alice, halves(40, 40, ImageFormat::Png)).await;
    let by_id = format!("/api/v1/users/{}/avatar", alice.id);
    assert_eq!(app.delete_as(&bob, &by_id).await.code(), "forbidden");
    for _ in 0..2 {
        let answer = app.delete_as(&alice, PATH).await;
        assert_eq!((answer.status, &answer.json()["avatar_url"]), (StatusCode::OK, &Value::Null));
        assert!(objects(&app).await.is_empty());
    }
    assert_eq!(app.get(&by_id).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_avatar_whose_removal_is_answered_by_nothing_goes_with_its_object() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    upload(&app, &alice, halves(40, 40, ImageFormat::Png)).await;
    let lost =
        json!({ "service": "dynamodb", "operation": "PutItem", "table": "UsersTable", "kind": "lost", "count": 1 });
    app.fault(lost).await;
    assert_eq!(app.delete_as(&alice, PATH).await.status, StatusCode::OK);
    assert!(objects(&app).await.is_empty());
}

#[tokio::test]
async fn an_avatar_goes_with_its_object_also_where_the_bucket_fails_for_a_while() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    upload(&app, &alice, halves(40, 40, ImageFormat::Png)).await;
    app.fault(json!({ "service": "s3", "kind": "error", "count": 10 })).await;
    let answer = app.delete_as(&alice, PATH).await;
    assert_eq!((answer.status, &answer.json()["avatar_url"]), (StatusCode::OK, &Value::Null));
    assert!(objects(&app).await.is_empty());
}
