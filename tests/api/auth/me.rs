use reqwest::{Method, StatusCode};
use tests::client::{Answer, App};

const PATHS: [&str; 5] = ["/api/v1/auth/me", "/api/v1/users/me", "/users/me", "/user/user", "/api/v1/users/users/me"];

async fn with_header(app: &App, authorization: &str) -> Answer {
    app.send(app.request(Method::GET, PATHS[0]).header("authorization", authorization)).await
}

#[tokio::test]
async fn every_path_answers_with_the_same_user() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let first = app.get_as(&member, PATHS[0]).await;
    assert_eq!(first.json()["id"], member.id.as_str());
    assert_eq!(first.json()["is_verified"], true);
    assert!(first.json().get("failed_attempts").is_none(), "for admins only");
    for path in PATHS {
        let answer = app.get_as(&member, path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.json(), first.json(), "{path}");
    }
}

#[tokio::test]
async fn a_missing_token_and_a_bad_one_have_answers_of_their_own() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let missing = app.get(PATHS[0]).await;
    assert_eq!((missing.status, missing.code().as_str()), (StatusCode::UNAUTHORIZED, "authentication_required"));
    assert_eq!(missing.header("www-authenticate"), "Bearer");

    let token = &member.access_token;
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let forgeries = [
        format!("Bearer {token}x"),
        format!("Bearer {signed}."),
        format!("Bearer {signed}.{}", signature.chars().rev().collect::<String>()),
        "Bearer not-a-token".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer {}", "a".repeat(10_000)),
        format!("Bearer {}", member.refresh_token),
    ];
    for forgery in forgeries {
        let answer = with_header(&app, &forgery).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "invalid_token"), "{forgery}");
        assert!(answer.header("www-authenticate").starts_with(r#"Bearer error="invalid_token""#));
    }
    assert_eq!(with_header(&app, &format!("bearer {token}")).await.status, StatusCode::OK, "the scheme has no case");
    assert_eq!(with_header(&app, "Basic YTpi").await.code(), "authentication_required");
}

#[tokio::test]
async fn an_access_token_lasts_fifteen_minutes() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    app.advance(14 * 60).await;
    assert_eq!(app.get_as(&member, PATHS[0]).await.status, StatusCode::OK);
    app.advance(60).await;
    assert_eq!(app.get_as(&member, PATHS[0]).await.code(), "token_expired");
}

#[tokio::test]
async fn a_token_of_another_stack_is_refused() {
    let (ours, theirs) = (App::start().await, App::start().await);
    let member = theirs.member("alice@example.com").await;
    assert_eq!(ours.get_as(&member, PATHS[0]).await.code(), "invalid_token");
}

#[tokio::test]
async fn me_keeps_its_budget() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    app.slow_aws().await;
    app.cost(&app.get_as(&member, PATHS[0]).await).await.within(1, 0.0, 2.0);
}

#[tokio::test]
async fn a_token_in_the_query_opens_nothing() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    for name in ["access_token", "token"] {
        let answer = app.get(&format!("{}?{name}={}", PATHS[0], member.access_token)).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "authentication_required"));
    }
}
