use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::client::{Answer, App};

const PATH: &str = "/oauth/revoke";

async fn revoke(app: &App, token: &str) -> Answer {
    app.send(app.request(Method::POST, PATH).form(&[("token", token), ("token_type_hint", "anything")])).await
}

#[tokio::test]
async fn either_token_ends_the_whole_session_at_once_and_no_other() {
    let app = App::start().await;
    let kept = app.member("alice@example.com").await;
    for by_refresh_token in [true, false] {
        let ended = app.sign_in("alice@example.com").await;
        let token = if by_refresh_token { &ended.refresh_token } else { &ended.access_token };
        assert_eq!(revoke(&app, token).await.status, StatusCode::OK);
        assert_eq!(app.get_as(&ended, "/users/me").await.code(), "session_ended");
        let refreshed = app.post("/auth/refresh", json!({ "refresh_token": ended.refresh_token })).await;
        assert_eq!(refreshed.code(), "invalid_refresh_token");
    }
    assert_eq!(app.get_as(&kept, "/users/me").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_refresh_token_that_was_used_up_still_ends_its_session() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    app.post("/auth/refresh", json!({ "refresh_token": member.refresh_token })).await;
    assert_eq!(revoke(&app, &member.refresh_token).await.status, StatusCode::OK);
    assert_eq!(app.get_as(&member, "/users/me").await.code(), "session_ended");
}

#[tokio::test]
async fn a_token_that_is_not_valid_is_no_error() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    for token in ["x", "rt1_AAAA", "a.b.c", &member.refresh_token[..60], &member.access_token[1..]] {
        let answer = revoke(&app, token).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, ""), "{token}");
    }
    for _ in 0..2 {
        assert_eq!(revoke(&app, &member.refresh_token).await.status, StatusCode::OK);
    }
    let none = app.send(app.request(Method::POST, PATH).form(&[("token", "")])).await;
    assert_eq!((none.status, &none.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")));
}

#[tokio::test]
async fn revoking_keeps_its_budget() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    app.slow_aws().await;
    app.cost(&revoke(&app, &member.refresh_token).await).await.within(1, 1.0, 0.0);
}
