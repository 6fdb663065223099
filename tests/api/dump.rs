//! What a thief learns who has a dump of every table.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::client::{App, Member, PASSWORD};

/// Every text and number in a dump, and what stands between the marks in its keys.
fn words(dump: &str) -> BTreeSet<String> {
    let words = dump.split(['"', ',', ':', '{', '}', '[', ']']).filter(|word| word.len() >= 6);
    let parts = words.clone().flat_map(|word| word.split('#'));
    words.chain(parts).map(str::to_owned).collect()
}

/// Someone with everything under way that is ever under way.
async fn busy(app: &App, root: &Member) -> Vec<String> {
    let alice = app.member("alice@example.com").await;
    app.patch_as(&alice, "/users/me", json!({ "username": "alice" })).await;
    app.register("new@example.com").await;
    let other = app.member("other@example.com").await;
    for (email, member) in [("one@example.org", &other), ("two@example.org", &other)] {
        let body = json!({ "new_email": email, "password": PASSWORD });
        app.post_as(member, "/api/v1/users/me/email", body).await;
        if email == "one@example.org" {
            let token = app.mailed_token(email, "/verify-email?token=").await;
            app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
        }
    }
    app.post_as(root, "/api/v1/users", json!({ "email": "carol@example.com" })).await;
    app.post("/auth/forgot-password", json!({ "email": "alice@example.com" })).await;
    app.login("alice@example.com", "wrong-password").await;
    let (code, reset) = app.reset_secrets("alice@example.com").await;
    vec![
        code,
        reset,
        app.verification_token("new@example.com").await,
        app.mailed_token("two@example.org", "/verify-email?token=").await,
        app.mailed_token("other@example.com", "/undo-email-change?token=").await,
        app.mailed_token("carol@example.com", "/accept-invitation?token=").await,
        alice.access_token,
        alice.refresh_token,
        PASSWORD.to_owned(),
    ]
}

/// A word by itself, and with the prefix of each kind of token, at every door that takes a token.
async fn opens_nothing(app: &App, word: &str) {
    for prefix in ["", "rt1_", "pr1_", "ve1_", "ac1_", "au1_", "in1_"] {
        let token = format!("{prefix}{word}");
        let doors: [(&str, Value); 4] = [
            ("/auth/refresh", json!({ "refresh_token": token })),
            ("/auth/reset-password", json!({ "token": token, "new_password": "another-horse-battery" })),
            ("/api/v1/auth/verify-email", json!({ "token": token })),
            ("/api/v1/auth/undo-email-change", json!({ "token": token })),
        ];
        for (path, body) in doors {
            let answer = app.post(path, body).await;
            assert!(answer.status.is_client_error(), "{path} took {token}: {}", answer.text);
        }
    }
    let bearer = app.request(Method::GET, "/users/me").header("authorization", format!("Bearer {word}"));
    assert_eq!(app.send(bearer).await.status, StatusCode::UNAUTHORIZED, "{word}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_a_dump_of_every_table_logs_in() {
    let (app, root) = App::with_admin(&[]).await;
    let secrets = busy(&app, &root).await;
    let dump = app.dump().await;
    let words = words(&dump);
    assert!(words.len() > 100, "{words:?}");
    let [code, others @ ..] = secrets.as_slice() else { panic!("no secrets") };
    for secret in others {
        assert!(!dump.contains(secret), "{secret}");
    }
    // As part of a longer number, a time for one, it is there now and then.
    let holds_code = dump.split(|character: char| !character.is_ascii_digit()).any(|digits| digits == code);
    assert!(!holds_code, "{code}");
    // Many at once: each reset is answered no sooner than it may be.
    stream::iter(&words).for_each_concurrent(16, |word| opens_nothing(&app, word)).await;
    // As passwords, as often as the lock lets anyone try: hashes and ids first, since they look the likeliest.
    let mut likely: Vec<&String> = words.iter().collect();
    likely.sort_by_key(|word| (!word.starts_with("$argon2id"), std::cmp::Reverse(word.len())));
    for email in ["alice@example.com", "one@example.org", "carol@example.com", "root@example.com"] {
        for word in &likely {
            let answer = app.login(email, word).await;
            assert_ne!(answer.status, StatusCode::OK, "{email} {word}");
            if answer.code() == "account_locked" {
                break;
            }
        }
    }
}
