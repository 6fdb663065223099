use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::client::App;

const PASSWORD: &str = "a-password-of-carols-own";

#[tokio::test]
async fn an_invited_person_chooses_a_password_and_is_verified_by_it() {
    let (app, root) = App::with_admin(&[]).await;
    let body =
        json!({ "email": "Carol@Example.com", "name": "Carol", "role": "ADMIN", "subscription_tier": "premium" });
    let made = app.post_as(&root, "/api/v1/users", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let user = made.json();
    assert_eq!((&user["email"], &user["is_verified"]), (&json!("carol@example.com"), &json!(false)));
    assert_eq!((&user["role"], &user["subscription_tier"]), (&json!("ADMIN"), &json!("premium")));
    let token = app.mailed_token("carol@example.com", "/accept-invitation?token=").await;
    let page = app.get(&format!("/accept-invitation?token={token}")).await;
    assert!(page.text.contains("Choose a new password") && page.text.contains(&token), "{}", page.text);

    let weak = app.post("/auth/reset-password", json!({ "token": token, "new_password": "password" })).await;
    assert_eq!(weak.refused_fields(), ["new_password"]);
    let accepted = app.post("/auth/reset-password", json!({ "token": token, "new_password": PASSWORD })).await;
    assert_eq!(accepted.status, StatusCode::OK, "{}", accepted.text);
    let again =
        app.post("/auth/reset-password", json!({ "token": token, "new_password": "another-horse-battery" })).await;
    assert_eq!(again.code(), "invalid_reset_code", "an invitation is accepted once");
    let login = app.login("carol@example.com", PASSWORD).await;
    assert_eq!((login.status, &login.json()["user"]["is_verified"]), (StatusCode::OK, &json!(true)));
    assert!(app.letters("carol@example.com").await.iter().all(|letter| !letter.subject.contains("password was")));
}

#[tokio::test]
async fn an_invitation_lives_for_seven_days_and_a_reset_does_not_end_it() {
    let (app, root) = App::with_admin(&[]).await;
    app.post_as(&root, "/api/v1/users", json!({ "email": "carol@example.com" })).await;
    let token = app.mailed_token("carol@example.com", "/accept-invitation?token=").await;
    app.post("/auth/forgot-password", json!({ "email": "carol@example.com" })).await;
    app.advance(6 * 86400).await;
    let login = app.login("carol@example.com", PASSWORD).await;
    assert_eq!(login.code(), "invalid_credentials", "nobody has a password yet");
    let root = app.sign_in("root@example.com").await;
    app.post_as(&root, "/api/v1/users", json!({ "email": "late@example.com" })).await;
    let late = app.mailed_token("late@example.com", "/accept-invitation?token=").await;
    // Who is verified is not swept away with those who are not.
    let kept = app.post_as(&root, "/api/v1/users", json!({ "email": "kept@example.com" })).await.json();
    let path = format!("/api/v1/users/{}", kept["id"].as_str().unwrap());
    assert_eq!(app.patch_as(&root, &path, json!({ "is_verified": true })).await.status, StatusCode::OK);
    let kept = app.mailed_token("kept@example.com", "/accept-invitation?token=").await;
    let accepted = app.post("/auth/reset-password", json!({ "token": token, "new_password": PASSWORD })).await;
    assert_eq!(accepted.status, StatusCode::OK, "{}", accepted.text);
    app.advance(7 * 86400 + 1).await;
    for token in [late, kept] {
        let dead = app.post("/auth/reset-password", json!({ "token": token, "new_password": PASSWORD })).await;
        assert_eq!(dead.code(), "invalid_reset_code");
    }
}

#[tokio::test]
async fn an_invitation_that_nobody_accepts_goes_with_its_account_whatever_an_admin_did_to_it() {
    let (app, root) = App::with_admin(&[]).await;
    let made = app.post_as(&root, "/api/v1/users", json!({ "email": "carol@example.com" })).await.json();
    let path = format!("/api/v1/users/{}", made["id"].as_str().unwrap());
    let edited = app.patch_as(&root, &path, json!({ "subscription_tier": "premium" })).await;
    assert_eq!(edited.status, StatusCode::OK, "{}", edited.text);
    app.advance(7 * 86400 - 60).await;
    assert!(app.dump().await.contains("EMAIL#carol@example.com"));
    app.advance(120).await;
    assert!(!app.dump().await.contains("EMAIL#carol@example.com"));
}

#[tokio::test]
async fn only_admins_make_accounts_and_an_address_has_one() {
    let (app, root) = App::with_admin(&[]).await;
    let bob = app.member("bob@example.com").await;
    let body = json!({ "email": "carol@example.com" });
    assert_eq!(app.post("/api/v1/users", body.clone()).await.code(), "authentication_required");
    assert_eq!(app.post_as(&bob, "/api/v1/users", body).await.code(), "forbidden");
    assert_eq!(app.post_as(&root, "/api/v1/users", json!({ "email": "BOB@example.com" })).await.code(), "email_taken");
    let wrong = json!({ "email": "nobody", "role": "KING", "subscription_tier": "gold", "name": "" });
    let wrong = app.post_as(&root, "/api/v1/users", wrong).await;
    assert_eq!(wrong.refused_fields(), ["email", "name", "role", "subscription_tier"]);
    let smuggled = app.post_as(&root, "/api/v1/users", json!({ "email": "c@example.com", "is_verified": true })).await;
    assert_eq!((smuggled.status, smuggled.json()["id"].clone()), (StatusCode::UNPROCESSABLE_ENTITY, Value::Null));
}
