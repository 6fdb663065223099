use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::client::{Answer, App, Member, PASSWORD};

const EMAIL: &str = "alice@example.com";

async fn end(app: &App, member: &Member, path: &str) -> Answer {
    app.send(app.request(Method::DELETE, path).bearer_auth(&member.access_token)).await
}

async fn current(app: &App, member: &Member) -> String {
    let list = app.get_as(member, "/api/v1/auth/sessions").await.json();
    let current = list.as_array().unwrap().iter().find(|session| session["is_current"] == true);
    current.unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_session_ends_at_once_on_every_path() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    for prefix in ["/api/v1/auth", "/api/v1/users/me", &format!("/api/v1/users/{}", member.id)] {
        let other = app.sign_in(EMAIL).await;
        let path = format!("{prefix}/sessions/{}", current(&app, &other).await);
        assert_eq!(end(&app, &member, &path).await.status, StatusCode::OK, "{path}");
        assert_eq!(app.get_as(&other, "/users/me").await.code(), "session_ended");
        assert_eq!(end(&app, &member, &path).await.code(), "not_found", "it is gone");
    }
    assert_eq!(end(&app, &member, "/api/v1/auth/sessions/nonsense").await.code(), "not_found");
}

#[tokio::test]
async fn a_session_that_is_over_is_not_there_to_be_ended() {
    let app = App::start().await;
    app.member(EMAIL).await;
    let body = json!({ "email": EMAIL, "password": PASSWORD, "remember_me": false });
    let short = app.post("/auth/login", body).await.json()["refresh_token_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/auth/sessions/{short}");
    app.advance(25 * 3600).await;
    let later = app.sign_in(EMAIL).await;
    assert_eq!(end(&app, &later, &path).await.code(), "not_found");
    assert!(!app.get_as(&later, "/api/v1/auth/sessions").await.text.contains(&short));
}

#[tokio::test]
async fn nobody_ends_another_persons_session_but_an_admin() {
    let app = App::with(&[("ADMIN_EMAILS", "root@example.com")]).await;
    let (alice, bob, admin) =
        (app.member(EMAIL).await, app.member("bob@example.com").await, app.member("root@example.com").await);
    let session = current(&app, &alice).await;
    assert_eq!(end(&app, &bob, &format!("/api/v1/auth/sessions/{session}")).await.code(), "not_found");
    let path = format!("/api/v1/users/{}/sessions/{session}", alice.id);
    assert_eq!(end(&app, &bob, &path).await.code(), "forbidden");
    assert_eq!(app.get_as(&alice, "/users/me").await.status, StatusCode::OK);
    assert_eq!(end(&app, &admin, &path).await.status, StatusCode::OK);
    assert_eq!(app.get_as(&alice, "/users/me").await.code(), "session_ended");
}
