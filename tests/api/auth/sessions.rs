use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::client::{App, PASSWORD};

const EMAIL: &str = "alice@example.com";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

async fn login_from(app: &App, agent: &str) -> Value {
    let request = app.request(Method::POST, "/auth/login").header("user-agent", agent);
    app.send(request.json(&json!({ "email": EMAIL, "password": PASSWORD }))).await.json()
}

#[tokio::test]
async fn sessions_show_where_they_were_opened_from() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    login_from(&app, FIREFOX).await;
    app.advance(60).await;
    let phone = login_from(&app, IPHONE).await;
    for path in ["/api/v1/auth/sessions", "/api/v1/users/me/sessions", &format!("/api/v1/users/{}/sessions", member.id)]
    {
        let request = app.request(Method::GET, path).bearer_auth(phone["access_token"].as_str().unwrap());
        let answer = app.send(request).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} {}", answer.text);
        let list = answer.json();
        assert_eq!(list.as_array().unwrap().len(), 4, "registering, the member's, Firefox and the phone");
        let newest = &list[0];
        assert_eq!(
            (&newest["device_type"], &newest["browser"], &newest["os"]),
            (&json!("mobile"), &json!("Safari"), &json!("iPhone"))
        );
        assert_eq!((&newest["ip_address"], &newest["user_agent"]), (&json!("127.0.0.1"), &json!(IPHONE)));
        assert_eq!((&newest["is_active"], &newest["is_current"]), (&json!(true), &json!(true)));
        assert_eq!(newest["id"], phone["refresh_token_id"]);
        for field in ["device_name", "created_at", "last_activity_at", "expires_at"] {
            assert!(newest[field].is_string(), "{field}");
        }
        assert_eq!((&list[1]["device_name"], &list[1]["is_current"]), (&json!("Firefox on Linux"), &json!(false)));
    }
}

#[tokio::test]
async fn the_list_costs_no_more_after_hundreds_of_logins() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    for _ in 0..3 {
        app.sign_in(EMAIL).await;
    }
    let rows = app.scan("TokensTable").await;
    let rows = rows["Items"].as_array().unwrap();
    let row = rows.iter().find(|row| row["sk"]["S"].as_str().unwrap().starts_with("SESSION#")).unwrap();
    for number in 0..400 {
        let mut ended = row.clone();
        ended["sk"]["S"] = json!(format!("SESSION#01980000-0000-7000-8000-{number:012}"));
        ended["ua"] = json!({ "S": "x".repeat(500) });
        app.dynamodb("PutItem", json!({ "TableName": "TokensTable", "Item": ended })).await;
    }
    let list = app.get_as(&member, "/api/v1/users/me/sessions").await;
    assert_eq!(list.json().as_array().map(Vec::len), Some(5), "{}", list.text);
    app.cost(&list).await.within(2, 0.0, 6.0);
}

#[tokio::test]
async fn another_persons_sessions_are_for_admins_alone() {
    let app = App::with(&[("ADMIN_EMAILS", "root@example.com")]).await;
    let (alice, bob, admin) =
        (app.member(EMAIL).await, app.member("bob@example.com").await, app.member("root@example.com").await);
    let path = format!("/api/v1/users/{}/sessions", alice.id);
    assert_eq!(app.get_as(&bob, &path).await.code(), "forbidden");
    assert_eq!(app.get_as(&bob, "/api/v1/users/nonsense/sessions").await.code(), "forbidden");
    assert_eq!(app.get_as(&admin, &path).await.json().as_array().unwrap().len(), 2);
    assert_eq!(app.get(&path).await.code(), "authentication_required");
}

#[tokio::test]
async fn a_sign_in_from_a_family_not_seen_before_is_mailed_once() {
    let app = App::start().await;
    app.member(EMAIL).await;
    let mails =
        async || app.letters(EMAIL).await.iter().filter(|letter| letter.subject.starts_with("New sign-in")).count();
    assert_eq!(mails().await, 0, "registered and signed in from the same");
    for _ in 0..3 {
        login_from(&app, FIREFOX).await;
    }
    assert_eq!(mails().await, 1);
    assert!(app.letters(EMAIL).await[0].text.contains("Firefox on Linux"));
    login_from(&app, IPHONE).await;
    login_from(&app, FIREFOX).await;
    assert_eq!(mails().await, 2);
}

#[tokio::test]
async fn what_signed_in_before_the_address_was_anybodys_is_not_known_to_its_owner() {
    let app = App::start().await;
    app.register(EMAIL).await;
    app.post("/auth/forgot-password", json!({ "email": EMAIL })).await;
    let (code, _) = app.reset_secrets(EMAIL).await;
    let body = json!({ "email": EMAIL, "code": code, "new_password": PASSWORD });
    assert_eq!(app.post("/auth/reset-password", body).await.status, StatusCode::OK);
    app.sign_in(EMAIL).await;
    let letters = app.letters(EMAIL).await;
    assert!(letters.iter().any(|letter| letter.subject.starts_with("New sign-in")), "{letters:?}");
}

#[tokio::test]
async fn the_clients_address_is_the_distributions_word_only_where_its_secret_proves_the_way() {
    let app = App::with(&[("ORIGIN_SECRET", "Clients")]).await;
    let secret = "s".repeat(48);
    let put = json!({ "SecretId": "Clients", "SecretString": json!({ "secret": secret }).to_string(), "ClientRequestToken": "0193f0de-0000-4000-8000-000000000001" });
    assert_eq!(app.secrets("PutSecretValue", put).await.status, StatusCode::OK);
    let alice = app.member("alice@example.com").await;
    let body = json!({ "email": alice.email, "password": PASSWORD });
    let cases = [(Some(secret.as_str()), "203.0.113.7"), (Some("wrong"), "127.0.0.1"), (None, "127.0.0.1")];
    for (proof, expected) in cases {
        let request =
            app.request(Method::POST, "/api/v1/auth/login").header("x-client-address", "203.0.113.7").json(&body);
        let request = proof.into_iter().fold(request, |request, proof| request.header("x-origin-secret", proof));
        let session = app.send(request).await.json()["refresh_token_id"].clone();
        let sessions = app.get_as(&alice, "/api/v1/auth/sessions").await.json();
        let made = sessions.as_array().unwrap().iter().find(|made| made["id"] == session).unwrap();
        assert_eq!(made["ip_address"], expected, "{proof:?}");
    }
    // Without a distribution the headers are nobody's.
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let request = app.request(Method::POST, "/api/v1/auth/login").json(&body);
    app.send(request.header("x-origin-secret", &secret).header("x-client-address", "203.0.113.7")).await;
    let sessions = app.get_as(&alice, "/api/v1/auth/sessions").await.json();
    assert!(sessions.as_array().unwrap().iter().all(|session| session["ip_address"] == "127.0.0.1"), "{sessions}");
}

#[tokio::test]
async fn whoever_signed_in_thousands_of_times_still_sees_where_from() {
    let app = App::start().await;
    let alice = app.member(EMAIL).await;
    // A page of a query ends after a megabyte.
    let padding = "x".repeat(100_000);
    for number in 0..15 {
        let row = json!({
            "pk": { "S": format!("USER#{}", alice.id) },
            "sk": { "S": format!("SESSION#01900000-0000-7000-8000-{number:012}") },
            "created": { "N": "1700000000000" },
            "padding": { "S": padding },
        });
        app.dynamodb("PutItem", json!({ "TableName": "TokensTable", "Item": row })).await;
    }
    let sessions = app.get_as(&alice, "/api/v1/auth/sessions").await.json();
    let sessions = sessions.as_array().unwrap();
    assert!(
        !sessions.is_empty() && sessions.iter().all(|session| session["ip_address"] == "127.0.0.1"),
        "{sessions:?}"
    );
}
