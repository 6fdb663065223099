use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tests::client::{App, Member, PASSWORD};

const PATH: &str = "/api/v1/users/me/export";

/// The document behind the link that was mailed.
async fn download(app: &App, email: &str) -> Value {
    let token = app.mailed_token(email, "/export?token=").await;
    let answer = app.get(&format!("/export?token={token}")).await;
    assert_eq!(answer.status, StatusCode::FOUND, "{}", answer.text);
    let document = Client::new().get(answer.header("location")).send().await.unwrap();
    assert_eq!(document.headers()["content-type"], "application/json");
    document.json().await.unwrap()
}

async fn submit(app: &App, member: &Member, number: usize, code: &str) {
    let body = json!({ "question_id": number % 7, "language": "rust", "submitted_code": code, "passed_tests": 1, "total_tests": 1 });
    assert_eq!(app.post_as(member, "/api/v1/attempts/", body).await.status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_document_holds_everything_and_a_mail_brings_the_link() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let bob = app.member("bob@example.com").await;
    submit(&app, &bob, 1, "bob's own").await;
    app.patch_as(&alice, "/users/me", json!({ "name": "Alice", "bio": "Hello", "phone_number": "031 123" })).await;
    app.patch_as(&alice, "/api/v1/users/me/profile", json!({ "skills": ["Rust"] })).await;
    app.patch_as(&alice, "/api/v1/users/me/preferences", json!({ "theme": "dark", "language": "de" })).await;
    for number in 0..205 {
        submit(&app, &alice, number, &format!("fn main() {{ \"{number}\" }} // ü")).await;
    }
    let elsewhere = app.sign_in("alice@example.com").await;
    app.post_as(&elsewhere, "/api/v1/auth/logout", json!({})).await;
    let change = json!({ "new_email": "alice@example.org", "password": PASSWORD });
    assert_eq!(app.post_as(&alice, "/api/v1/users/me/email", change).await.status, StatusCode::ACCEPTED);
    let asked = app.post_as(&alice, PATH, json!({})).await;
    assert_eq!((asked.status, &asked.json()["state"]), (StatusCode::ACCEPTED, &json!("pending")), "{}", asked.text);
    let document = download(&app, "alice@example.com").await;
    let user = &document["user"];
    assert_eq!(
        (&user["email"], &user["bio"], &user["phone_number"]),
        (&json!("alice@example.com"), &json!("Hello"), &json!("031 123"))
    );
    assert_eq!((&document["profile"]["skills"], &document["preferences"]["theme"]), (&json!(["Rust"]), &json!("dark")));
    assert_eq!(document["preferences"]["language"], "de");
    let sessions = document["sessions"].as_array().unwrap();
    let open = sessions.iter().filter(|session| session["is_active"] == true).count();
    assert_eq!((sessions.len(), open), (3, 2), "the one that ended is known too: {sessions:?}");
    assert!(sessions.iter().all(|session| session["created_at"].is_string()), "{sessions:?}");
    assert_eq!(document["requested_address"], "alice@example.org");
    let attempts = document["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 205);
    assert_eq!(attempts[0]["submitted_code"], "fn main() { \"204\" } // ü");
    let text = document.to_string();
    for secret in ["argon2", "bob", &alice.refresh_token] {
        assert!(!text.contains(secret), "{secret}");
    }
    let state = app.get_as(&alice, PATH).await.json();
    assert_eq!(state["state"], "ready");
    assert!(state["link"].as_str().unwrap().contains("/export?token=ex1_"));
}

#[tokio::test]
async fn while_one_is_fresh_there_is_no_other_and_its_link_lives_for_a_day() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    for _ in 0..3 {
        assert_eq!(app.post_as(&alice, PATH, json!({})).await.status, StatusCode::ACCEPTED);
    }
    let letters = app.letters("alice@example.com").await;
    assert_eq!(letters.iter().filter(|letter| letter.text.contains("/export?token=")).count(), 1);
    let token = app.mailed_token("alice@example.com", "/export?token=").await;
    app.advance(86400 - 60).await;
    assert_eq!(app.get(&format!("/export?token={token}")).await.status, StatusCode::FOUND);
    app.advance(61).await;
    assert_eq!(app.get(&format!("/export?token={token}")).await.status, StatusCode::NOT_FOUND);
    let state = app.get_as(&app.sign_in("alice@example.com").await, PATH).await.json();
    assert_eq!((&state["state"], &state["link"]), (&json!("expired"), &Value::Null));
    let again = app.post_as(&app.sign_in("alice@example.com").await, PATH, json!({})).await;
    assert_eq!(again.json()["state"], "pending");
    download(&app, "alice@example.com").await;
    assert_eq!(app.objects("exportbucket").len(), 1, "the one from before is gone");
}

#[tokio::test]
async fn taking_one_back_makes_no_room_for_another_within_the_hour() {
    let app = App::start().await;
    let mut alice = app.member("alice@example.com").await;
    assert_eq!(app.post_as(&alice, PATH, json!({})).await.status, StatusCode::ACCEPTED);
    app.letters("alice@example.com").await;
    for _ in 0..2 {
        assert_eq!(app.post_as(&alice, "/api/v1/auth/logout-all", json!({})).await.status, StatusCode::OK);
        alice = app.sign_in("alice@example.com").await;
        let refused = app.post_as(&alice, PATH, json!({})).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"));
        let wait: u32 = refused.header("retry-after").parse().unwrap();
        assert!((3500..=3600).contains(&wait), "{wait}");
        assert_eq!(app.get_as(&alice, PATH).await.code(), "not_found");
    }
    app.advance(3600).await;
    let alice = app.sign_in("alice@example.com").await;
    assert_eq!(app.post_as(&alice, PATH, json!({})).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn an_export_whose_note_is_answered_by_nothing_is_there_all_the_same() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    // Asking is done the first time and tries four times at the most: one of them strikes the note that it is there.
    let lost =
        json!({ "service": "dynamodb", "operation": "UpdateItem", "table": "UsersTable", "kind": "lost", "count": 5 });
    app.fault(lost).await;
    app.post_as(&alice, PATH, json!({})).await;
    assert_eq!(download(&app, "alice@example.com").await["user"]["email"], "alice@example.com");
}

#[tokio::test]
async fn a_bucket_that_fails_for_a_while_delays_it_and_deleting_the_account_takes_it_along() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    app.fault(json!({ "service": "s3", "kind": "error", "count": 6 })).await;
    app.post_as(&alice, PATH, json!({})).await;
    download(&app, "alice@example.com").await;
    let token = app.mailed_token("alice@example.com", "/export?token=").await;
    assert_eq!(app.delete_as(&alice, "/users/me").await.status, StatusCode::OK);
    app.letters("nobody").await;
    assert!(app.objects("exportbucket").is_empty());
    assert_eq!(app.get(&format!("/export?token={token}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.login("alice@example.com", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
}
