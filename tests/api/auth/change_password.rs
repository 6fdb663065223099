use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::client::{App, PASSWORD};

const PATH: &str = "/api/v1/auth/change-password";
const EMAIL: &str = "alice@example.com";
const NEW: &str = "another-fine-horse";

fn change(current: &str, new: &str) -> Value {
    json!({ "current_password": current, "new_password": new })
}

#[tokio::test]
async fn the_other_sessions_end_at_once_and_this_one_goes_on() {
    let app = App::start().await;
    let (other, member) = (app.member(EMAIL).await, app.sign_in(EMAIL).await);
    let answer = app.post_as(&member, PATH, change(PASSWORD, NEW)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(app.get_as(&other, "/users/me").await.code(), "session_ended");
    assert_eq!(app.get_as(&member, "/users/me").await.status, StatusCode::OK);
    assert_eq!(
        app.post("/auth/refresh", json!({ "refresh_token": member.refresh_token })).await.status,
        StatusCode::OK
    );
    assert_eq!(app.login(EMAIL, PASSWORD).await.code(), "invalid_credentials");
    assert_eq!(app.login(EMAIL, NEW).await.status, StatusCode::OK);
    assert!(app.letters(EMAIL).await.iter().any(|letter| letter.subject.contains("password was changed")));
}

#[tokio::test]
async fn a_wrong_current_password_counts_towards_the_lock() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    for _ in 0..3 {
        let answer = app.post_as(&member, PATH, change("wrong", NEW)).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "invalid_credentials"));
    }
    assert_eq!(app.post_as(&member, PATH, change(PASSWORD, NEW)).await.code(), "account_locked");
    assert_eq!(app.login(EMAIL, PASSWORD).await.code(), "account_locked");
}

#[tokio::test]
async fn a_new_password_that_is_refused_spends_no_guess() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    for bad in ["short", "password123", "alice@example.com"] {
        let answer = app.post_as(&member, PATH, change("wrong", bad)).await;
        assert_eq!(
            (answer.status, answer.refused_fields()),
            (StatusCode::UNPROCESSABLE_ENTITY, vec!["new_password".into()])
        );
    }
    let mut mismatch = change(PASSWORD, NEW);
    mismatch["confirm_password"] = json!("x");
    assert_eq!(app.post_as(&member, PATH, mismatch).await.refused_fields(), ["confirm_password"]);
    assert_eq!(app.post_as(&member, PATH, change(PASSWORD, NEW)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_login_in_flight_with_the_old_password_opens_no_session_that_survives() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    let (mut old, mut new) = (PASSWORD, NEW);
    let mut came_first = 0;
    for _ in 0..8 {
        let (login, changed) = tokio::join!(app.login(EMAIL, old), app.post_as(&member, PATH, change(old, new)));
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
        if login.status == StatusCode::OK {
            came_first += 1;
            let token = login.json()["access_token"].as_str().unwrap().to_owned();
            let me = app.send(app.request(reqwest::Method::GET, "/users/me").bearer_auth(token)).await;
            assert_eq!(me.code(), "session_ended");
        }
        (old, new) = (new, old);
    }
    assert!(came_first > 0, "no login came before the change that was to end it");
}
