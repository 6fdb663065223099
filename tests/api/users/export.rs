use reqwest::StatusCode;
use serde_json::json;
use tests::client::{App, PASSWORD};

#[tokio::test]
async fn there_is_none_before_one_is_asked_for() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let answer = app.get_as(&alice, "/api/v1/users/me/export").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"));
}

#[tokio::test]
async fn its_link_dies_with_the_password_with_every_session_and_with_the_address() {
    const EMAIL: &str = "alice@example.com";
    const NEW: &str = "another-horse-battery";
    for way in ["reset", "change", "logout-all", "address"] {
        let app = App::start().await;
        let alice = app.member(EMAIL).await;
        app.post_as(&alice, "/api/v1/users/me/export", json!({})).await;
        let token = app.mailed_token(EMAIL, "/export?token=").await;
        let link = format!("/export?token={token}");
        assert_eq!(app.get(&link).await.status, StatusCode::FOUND);
        let done = match way {
            "reset" => {
                app.post("/auth/forgot-password", json!({ "email": EMAIL })).await;
                let (code, _) = app.reset_secrets(EMAIL).await;
                app.post("/auth/reset-password", json!({ "email": EMAIL, "code": code, "new_password": NEW })).await
            }
            "change" => {
                let body = json!({ "current_password": PASSWORD, "new_password": NEW });
                app.post_as(&alice, "/api/v1/auth/change-password", body).await
            }
            "logout-all" => app.post_as(&alice, "/api/v1/auth/logout-all", json!({})).await,
            _ => {
                let body = json!({ "new_email": "alice@example.org", "password": PASSWORD });
                app.post_as(&alice, "/api/v1/users/me/email", body).await;
                let token = app.mailed_token("alice@example.org", "/verify-email?token=").await;
                app.post("/api/v1/auth/verify-email", json!({ "token": token })).await
            }
        };
        assert_eq!(done.status, StatusCode::OK, "{way}: {}", done.text);
        assert_eq!(app.get(&link).await.status, StatusCode::NOT_FOUND, "{way}");
    }
}
