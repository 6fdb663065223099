use data_encoding::BASE64URL_NOPAD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::client::{Answer, App, Member};

const PATH: &str = "/oauth/introspect";

/// What a service with the right secret is told.
pub async fn introspect(app: &App, token: &str) -> Value {
    let answer = ask(app, token).await;
    assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"), "{}", answer.text);
    answer.json()
}

/// What an access token says itself.
fn claims(token: &str) -> Value {
    let payload = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

async fn ask(app: &App, token: &str) -> Answer {
    let secret = app.secret("Clients").await["introspection"].as_str().unwrap().to_owned();
    app.send(app.request(Method::POST, PATH).basic_auth("introspection", Some(secret)).form(&[("token", token)])).await
}

#[tokio::test]
async fn a_live_token_says_who_it_is_for() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let access = introspect(&app, &member.access_token).await;
    for (name, expected) in [
        ("active", json!(true)),
        ("token_type", json!("Bearer")),
        ("sub", json!(member.id)),
        ("username", json!("alice@example.com")),
        ("email_verified", json!(true)),
        ("role", json!("USER")),
        ("plan", json!("basic")),
        ("scope", json!("user")),
        ("client_id", json!("user-service")),
        ("aud", json!("user-service")),
    ] {
        assert_eq!(access[name], expected, "{name}");
    }
    assert_eq!(access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap(), 900);
    let claims = claims(&member.access_token);
    for name in ["aud", "exp", "iat", "iss", "jti", "nbf", "sid", "sub"] {
        assert_eq!(access[name], claims[name], "{name}");
    }
}

#[tokio::test]
async fn a_live_refresh_token_says_whose_session_it_goes_on_with() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let named = app.patch_as(&member, &format!("/api/v1/users/{}", member.id), json!({ "full_name": "Alice" })).await;
    assert_eq!(named.status, StatusCode::OK, "{}", named.text);
    let claims = claims(&member.access_token);
    let mut told = introspect(&app, &member.refresh_token).await;
    let days = (told["exp"].take().as_i64().unwrap() - claims["iat"].as_i64().unwrap()) as f64 / 86400.0;
    assert!((6.9..=7.0).contains(&days), "{days}");
    let expected = json!({
        "active": true,
        "token_type": "refresh_token",
        "sub": member.id,
        "sid": claims["sid"],
        "client_id": "user-service",
        "username": "alice@example.com",
        "email": "alice@example.com",
        "email_verified": true,
        "name": "Alice",
        "role": "USER",
        "plan": "basic",
        "scope": "user",
        "exp": null,
        "iss": claims["iss"],
    });
    assert_eq!(told, expected, "and nothing that an access token alone has");
}

#[tokio::test]
async fn what_changes_is_told_at_once() {
    let (app, root) = App::with_admin(&[]).await;
    let member = app.member("alice@example.com").await;
    let path = format!("/api/v1/users/{}", member.id);
    app.patch_as(&root, &path, json!({ "role": "ADMIN", "subscription_tier": "premium" })).await;
    let told = introspect(&app, &member.access_token).await;
    assert_eq!(
        (&told["role"], &told["plan"], &told["scope"]),
        (&json!("ADMIN"), &json!("premium"), &json!("user premium admin"))
    );
    app.patch_as(&root, &path, json!({ "is_active": false })).await;
    assert_eq!(introspect(&app, &member.access_token).await, json!({ "active": false }));
}

#[tokio::test]
async fn whatever_is_wrong_reads_the_same() {
    let app = App::start().await;
    let (out, used, late) =
        (app.member("a@example.com").await, app.member("b@example.com").await, app.member("c@example.com").await);
    let unverified = app.register("d@example.com").await;
    app.send(app.request(Method::POST, "/auth/logout").bearer_auth(&out.access_token)).await;
    let refreshed = app.post("/auth/refresh", json!({ "refresh_token": used.refresh_token })).await;
    assert_eq!(refreshed.status, StatusCode::OK);
    let none = json!({ "active": false });
    for token in [&out.access_token, &out.refresh_token, &used.refresh_token, &unverified.refresh_token] {
        assert_eq!(introspect(&app, token).await, none);
    }
    for token in ["x", "rt1_AAAA", "a.b.c", &late.access_token[1..]] {
        assert_eq!(introspect(&app, token).await, none, "{token}");
    }
    assert_eq!(introspect(&app, &unverified.access_token).await["scope"], "");
    app.advance(901).await;
    assert_eq!(introspect(&app, &late.access_token).await, none);
}

#[tokio::test]
async fn only_a_client_with_its_secret_is_answered() {
    let app = App::start().await;
    let Member { access_token: token, .. } = app.member("alice@example.com").await;
    let secret = app.secret("Clients").await["introspection"].as_str().unwrap().to_owned();
    let request = || app.request(Method::POST, PATH);
    let form = |fields: &[(&str, &str)]| {
        let all = fields.iter().copied().chain([("token", token.as_str())]);
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
    };
    let posted = form(&[("client_id", "introspection"), ("client_secret", &secret)]);
    assert_eq!(app.send(request().form(&posted)).await.json()["active"], true);
    for refused in [
        request().form(&form(&[])),
        request().form(&form(&[("client_id", "introspection"), ("client_secret", "")])),
        request().form(&form(&[("client_id", "other"), ("client_secret", &secret)])),
        request().basic_auth("introspection", Some("wrong")).form(&form(&[])),
        request().basic_auth("introspection", None::<&str>).form(&form(&[])),
        request().bearer_auth(&token).form(&form(&[])),
    ] {
        let answer = app.send(refused).await;
        assert_eq!((answer.status, &answer.json()["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
        assert!(answer.header("www-authenticate").starts_with("Basic "), "{}", answer.header("www-authenticate"));
        assert!(answer.json().get("active").is_none());
    }
    let empty = form(&[("client_secret", ""), ("client_id", "introspection")]);
    let answer = app.send(request().basic_auth("introspection", Some(&secret)).form(&empty)).await;
    assert_eq!(answer.json()["active"], true, "an empty field counts as left out: {}", answer.text);
    let twice = request().basic_auth("introspection", Some(&secret)).form(&posted);
    let two_names = request().basic_auth("introspection", Some(&secret)).form(&form(&[("client_id", "other")]));
    let no_token = request().basic_auth("introspection", Some(&secret)).form(&[("token", "")]);
    for malformed in [twice, two_names, no_token, request().basic_auth("introspection", Some(&secret)).json(&json!({}))]
    {
        let answer = app.send(malformed).await;
        assert_eq!((answer.status, &answer.json()["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_request")));
    }
}

#[tokio::test]
async fn a_client_that_is_added_to_the_secret_is_admitted_within_minutes() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    introspect(&app, &member.access_token).await;
    let clients = json!({ "orders": "o".repeat(40) }).to_string();
    let token = "0193f0de-0000-4000-8000-000000000001";
    app.secrets(
        "PutSecretValue",
        json!({ "SecretId": "Clients", "SecretString": clients, "ClientRequestToken": token }),
    )
    .await;
    app.advance(60 * 60).await;
    let request = app.request(Method::POST, PATH).basic_auth("orders", Some("o".repeat(40)));
    let answer = app.send(request.form(&[("token", &member.refresh_token)])).await;
    assert_eq!(answer.json()["active"], true, "{}", answer.text);
}

#[tokio::test]
async fn introspection_keeps_its_budget() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    introspect(&app, &member.access_token).await;
    app.slow_aws().await;
    for token in [&member.access_token, &member.refresh_token] {
        app.cost(&ask(&app, token).await).await.within(1, 0.0, 1.0);
    }
}
