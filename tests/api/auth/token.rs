use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::client::{Answer, App, PASSWORD};

const PATHS: [&str; 2] = ["/api/v1/auth/token", "/user/token"];
const EMAIL: &str = "alice@example.com";

async fn ask(app: &App, path: &str, form: &[(&str, &str)]) -> Answer {
    app.send(app.request(Method::POST, path).form(form)).await
}

fn error(answer: &Answer) -> (u16, String, Value) {
    let body = answer.json();
    (answer.status.as_u16(), body["error"].as_str().unwrap_or_default().to_owned(), body["code"].clone())
}

#[tokio::test]
async fn the_password_grant_signs_in_and_ignores_what_it_does_not_know() {
    let app = App::start().await;
    app.member(EMAIL).await;
    for path in PATHS {
        for grant in [None, Some(("grant_type", "password"))] {
            let form: Vec<_> =
                [("username", EMAIL), ("password", PASSWORD), ("client_id", "x")].into_iter().chain(grant).collect();
            let answer = ask(&app, path, &form).await;
            assert_eq!(
                (answer.status, answer.header("cache-control")),
                (StatusCode::OK, "no-store"),
                "{}",
                answer.text
            );
            let body = answer.json();
            assert_eq!(
                (&body["token_type"], &body["expires_in"], &body["scope"]),
                (&json!("bearer"), &json!(900), &json!("user"))
            );
            let token = body["access_token"].as_str().unwrap();
            let me = app.send(app.request(Method::GET, "/user/user").bearer_auth(token)).await;
            assert_eq!(me.json()["email"], EMAIL);
            let form = [("grant_type", "refresh_token"), ("refresh_token", body["refresh_token"].as_str().unwrap())];
            let refreshed = ask(&app, path, &form).await;
            assert_eq!((refreshed.status, &refreshed.json()["scope"]), (StatusCode::OK, &json!("user")));
        }
    }
}

#[tokio::test]
async fn errors_are_those_of_rfc_6749() {
    let app = App::start().await;
    app.member(EMAIL).await;
    app.register("new@example.com").await;
    let path = PATHS[0];
    let wrong = ask(&app, path, &[("username", EMAIL), ("password", "wrong")]).await;
    assert_eq!(error(&wrong), (401, "invalid_grant".into(), Value::Null));
    let unverified = ask(&app, path, &[("username", "new@example.com"), ("password", PASSWORD)]).await;
    assert_eq!(error(&unverified), (403, "invalid_grant".into(), json!("email_not_verified")));
    for form in [vec![], vec![("username", EMAIL)], vec![("password", PASSWORD)], vec![("grant_type", "refresh_token")]]
    {
        assert_eq!(error(&ask(&app, path, &form).await), (400, "invalid_request".into(), Value::Null), "{form:?}");
    }
    let other = ask(&app, path, &[("grant_type", "client_credentials")]).await;
    assert_eq!(error(&other), (400, "unsupported_grant_type".into(), Value::Null));
    let refresh = ask(&app, path, &[("grant_type", "refresh_token"), ("refresh_token", "nonsense")]).await;
    assert_eq!(error(&refresh), (400, "invalid_grant".into(), json!("invalid_refresh_token")));
    let json = app.post(path, json!({ "username": EMAIL, "password": PASSWORD })).await;
    assert_eq!(error(&json), (400, "invalid_request".into(), Value::Null));
}

#[tokio::test]
async fn it_shares_the_logins_counter() {
    let app = App::start().await;
    app.member(EMAIL).await;
    app.login(EMAIL, "wrong").await;
    for path in PATHS {
        assert_eq!(
            ask(&app, path, &[("username", EMAIL), ("password", "wrong")]).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    let locked = ask(&app, PATHS[0], &[("username", EMAIL), ("password", PASSWORD)]).await;
    assert_eq!(error(&locked), (403, "invalid_grant".into(), json!("account_locked")));
    assert!(!locked.header("retry-after").is_empty());
    assert_eq!(app.login(EMAIL, PASSWORD).await.code(), "account_locked");
}
