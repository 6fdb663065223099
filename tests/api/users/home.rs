use reqwest::StatusCode;
use serde_json::json;
use tests::client::{App, PASSWORD};

#[tokio::test]
async fn home_greets_by_name_with_and_without_the_slash() {
    let app = App::with(&[("REQUIRE_VERIFIED_EMAIL", "false")]).await;
    app.post("/auth/register", json!({ "email": "a@example.com", "password": PASSWORD, "name": "Alice" })).await;
    let alice = app.sign_in("a@example.com").await;
    let nameless = app.register("b@example.com").await;
    for path in ["/home/", "/home"] {
        let answer = app.get_as(&alice, path).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "message": "Welcome, Alice!" })), "{path}");
        assert_eq!(app.get_as(&nameless, path).await.json()["message"], "Welcome, b@example.com!");
        assert_eq!(app.get(path).await.code(), "authentication_required");
    }
}
