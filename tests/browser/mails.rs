use std::collections::BTreeSet;

use local::Letter;
use reqwest::Method;
use serde_json::json;
use tests::client::{App, PASSWORD};

use crate::browser::{Browser, Scheme};

/// Brings about every kind of mail, to people who chose `language`.
async fn correspond(app: &App, language: &str) {
    let root = app.sign_in("root@example.com").await;
    let address = |name: &str| format!("{name}.{language}@example.com");
    let alice = app.member(&address("alice")).await;
    app.patch_as(&alice, "/api/v1/users/me/preferences", json!({ "language": language })).await;
    app.patch_as(&alice, "/users/me", json!({ "name": "Alice With A Rather Long Name <script>" })).await;
    let by_id = format!("/api/v1/users/{}", alice.id);
    app.post_as(&alice, "/api/v1/users/me/export", json!({})).await;
    app.mailed_token(&address("alice"), "/export?token=").await;
    app.patch_as(&root, &by_id, json!({ "role": "ADMIN" })).await;
    app.post("/auth/forgot-password", json!({ "email": address("alice") })).await;
    let change = json!({ "current_password": PASSWORD, "new_password": "another-horse-battery" });
    app.post_as(&alice, "/api/v1/auth/change-password", change).await;
    let login = json!({ "email": address("alice"), "password": "another-horse-battery" });
    app.send(app.request(Method::POST, "/auth/login").header("user-agent", PHONE).json(&login)).await;
    let body = json!({ "new_email": address("new"), "password": "another-horse-battery" });
    app.post_as(&alice, "/api/v1/users/me/email", body).await;
    let token = app.mailed_token(&address("new"), "/verify-email?token=").await;
    app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    let token = app.mailed_token(&address("alice"), "/undo-email-change?token=").await;
    app.post("/api/v1/auth/undo-email-change", json!({ "token": token })).await;
    app.patch_as(&root, &by_id, json!({ "is_verified": false })).await;
    app.post("/api/v1/auth/verify-email-request", json!({ "email": address("alice") })).await;
    app.patch_as(&root, &by_id, json!({ "is_verified": true })).await;
    for _ in 0..3 {
        app.login(&address("alice"), "wrong-password").await;
    }
    app.patch_as(&root, &by_id, json!({ "role": "USER" })).await;
    app.delete_as(&root, &by_id).await;
    app.post_as(&root, "/api/v1/users", json!({ "email": address("carol") })).await;
}

const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";

#[tokio::test(flavor = "multi_thread")]
async fn every_mail_is_fit_for_a_phone_in_light_and_dark_and_in_both_languages() {
    let (app, _) = App::with_admin(&[]).await;
    for language in ["en", "de"] {
        correspond(&app, language).await;
    }
    let mut letters = app.all_letters().await;
    letters.extend(registered_twice().await);
    let subjects: BTreeSet<&str> = letters.iter().map(|letter| letter.subject.as_str()).collect();
    for scheme in [Scheme::Light, Scheme::Dark] {
        let browser = Browser::start(scheme).await;
        for subject in &subjects {
            let letter = letters.iter().find(|letter| letter.subject == *subject).unwrap();
            browser.open("about:blank").await;
            let write = "document.open(); document.write(arguments[0]); document.close();";
            browser.client.execute(write, vec![json!(letter.html)]).await.unwrap();
            browser.assert_fit(subject).await;
            let shown = browser.text().await;
            for link in letter.text.lines().filter(|line| line.starts_with("http")) {
                assert!(shown.contains(link), "{subject} does not show {link}");
            }
        }
        browser.stop().await;
    }
    // Whoever is invited has not chosen a language yet.
    assert_eq!(subjects.len(), 13 + 12, "{subjects:#?}");
}

/// What the owner of an address hears when someone registers it once more, where registering is private.
async fn registered_twice() -> Vec<Letter> {
    let app = App::with(&[("REGISTRATION", "private")]).await;
    for language in ["en", "de"] {
        let email = format!("bob.{language}@example.com");
        let register = async || app.post("/auth/register", json!({ "email": email, "password": PASSWORD })).await;
        register().await;
        let token = app.verification_token(&email).await;
        app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
        let bob = app.sign_in(&email).await;
        app.patch_as(&bob, "/api/v1/users/me/preferences", json!({ "language": language })).await;
        register().await;
    }
    app.all_letters().await
}
