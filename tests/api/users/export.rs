use reqwest::StatusCode;
use serde_json::json;
use tests::{
    client::{App, Member, PASSWORD},
    defence::Defence,
};

#[tokio::test]
async fn there_is_none_before_one_is_asked_for() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let answer = app.get_as(&alice, "/api/v1/users/me/export").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"));
}

#[tokio::test]
async fn its_link_dies_with_the_password_with_every_session_with_the_account_and_with_the_address() {
    for defence in Defence::ALL.map(Some).into_iter().chain([None]) {
        let (app, root) = App::with_admin(&[]).await;
        let alice = app.member("alice@example.com").await;
        app.post_as(&alice, "/api/v1/users/me/export", json!({})).await;
        let token = app.mailed_token(&alice.email, "/export?token=").await;
        let link = format!("/export?token={token}");
        assert_eq!(app.get(&link).await.status, StatusCode::FOUND);
        match defence {
            Some(defence) => defence.of(&app, &root, &alice).await,
            None => take_another_address(&app, &alice).await,
        }
        assert_eq!(app.get(&link).await.status, StatusCode::NOT_FOUND, "{defence:?}");
    }
}

async fn take_another_address(app: &App, member: &Member) {
    let body = json!({ "new_email": "alice@example.org", "password": PASSWORD });
    app.post_as(member, "/api/v1/users/me/email", body).await;
    let token = app.mailed_token("alice@example.org", "/verify-email?token=").await;
    let confirmed = app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    assert_eq!(confirmed.status, StatusCode::OK, "{}", confirmed.text);
}
