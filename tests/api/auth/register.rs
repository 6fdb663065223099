use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::client::{App, PASSWORD};

const PATHS: [&str; 3] = ["/api/v1/auth/register", "/auth/register", "/api/v1/users/auth/register"];

#[tokio::test]
async fn every_path_registers_and_answers_with_tokens_and_the_user() {
    let app = App::start().await;
    for (number, path) in PATHS.into_iter().enumerate() {
        let email = format!("alice{number}@example.com");
        let body =
            json!({ "email": email, "password": PASSWORD, "name": "Alice", "username": format!("alice-{number}") });
        let answer = app.post(path, body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        let body = answer.json();
        assert_eq!(body["token_type"], "bearer");
        assert_eq!(body["expires_in"], 900);
        assert!(
            body["access_token"].is_string()
                && body["refresh_token"].is_string()
                && body["refresh_token_id"].is_string()
        );
        assert_eq!(body["user"]["email"], email);
        assert_eq!(body["user"]["name"], "Alice");
        assert_eq!(body["user"]["role"], "USER");
        assert_eq!(body["user"]["is_verified"], false);
        assert_eq!(body["user"]["subscription_tier"], "basic");
    }
}

#[tokio::test]
async fn full_name_and_display_name_are_other_words_for_name() {
    let app = App::start().await;
    for field in ["name", "full_name", "display_name"] {
        let body = json!({ "email": format!("{field}@example.com"), "password": PASSWORD, field: "Zoë" });
        assert_eq!(app.post(PATHS[0], body).await.json()["user"]["name"], "Zoë", "{field}");
    }
}

#[tokio::test]
async fn an_address_has_one_account_however_it_is_spelt() {
    let app = App::start().await;
    app.register("mike@example.org").await;
    for twin in ["MIKE@example.org", "  mike@EXAMPLE.org", "ｍike@example.org", "mi\u{212a}e@example.org"] {
        let answer = app.post(PATHS[0], json!({ "email": twin, "password": PASSWORD })).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, "email_taken"), "{twin}");
    }
}

#[tokio::test]
async fn nobody_registers_an_address_that_no_mail_reaches() {
    let app = App::start().await;
    for unreachable in ["älice@example.org", "\u{430}lice@example.org", "a@b@example.org", "alice@"] {
        let answer = app.post(PATHS[0], json!({ "email": unreachable, "password": PASSWORD })).await;
        assert_eq!(answer.refused_fields(), ["email"], "{unreachable}");
    }
    let reachable = app.post(PATHS[0], json!({ "email": "alice@exämple.org", "password": PASSWORD })).await;
    assert_eq!(reachable.status, StatusCode::CREATED);
    assert_eq!(app.letters("alice@xn--exmple-cua.org").await.len(), 1);
}

#[tokio::test]
async fn a_username_has_one_account_whatever_its_case() {
    let app = App::start().await;
    let with = |email: &str, username: &str| json!({ "email": email, "password": PASSWORD, "username": username });
    assert_eq!(app.post(PATHS[0], with("a@example.com", "Alice_1")).await.status, StatusCode::CREATED);
    let answer = app.post(PATHS[0], with("b@example.com", "aLICE_1")).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, "username_taken"));
    assert_eq!(app.post(PATHS[0], with("b@example.com", "alice-2")).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn twenty_registrations_of_one_address_at_once_make_one_account() {
    let app = App::start().await;
    let body = json!({ "email": "race@example.com", "password": PASSWORD, "username": "racer" });
    let calls = (0..20).map(|_| app.post(PATHS[0], body.clone()));
    let mut statuses: Vec<_> = futures_util::future::join_all(calls).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], StatusCode::CREATED);
    assert!(statuses[1..].iter().all(|status| *status == StatusCode::CONFLICT), "{statuses:?}");
    assert_eq!(app.letters("race@example.com").await.len(), 1);
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named_at_once() {
    let app = App::start().await;
    let body = json!({ "email": "nobody", "password": PASSWORD, "username": "a b", "name": "x\r\nBcc: y", "confirm_password": "z" });
    let answer = app.post(PATHS[0], body).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "validation_failed"));
    let mut fields = answer.refused_fields();
    fields.sort();
    assert_eq!(fields, ["confirm_password", "email", "name", "username"]);
}

#[tokio::test]
async fn weak_common_and_own_passwords_are_refused() {
    let app = App::start().await;
    for password in ["short", "password123", "PASSWORD", "aliceexample", &"x".repeat(129)] {
        let body = json!({ "email": "alice@example.com", "username": "aliceexample", "password": password });
        assert_eq!(app.post(PATHS[0], body).await.refused_fields(), ["password"], "{password}");
    }
}

#[tokio::test]
async fn upper_lower_and_digit_are_wanted_where_the_setting_says_so() {
    let app = App::with(&[("PASSWORD_REQUIRE_MIXED", "true")]).await;
    let body = |password: &str| json!({ "email": "alice@example.com", "password": password });
    assert_eq!(app.post(PATHS[0], body(PASSWORD)).await.refused_fields(), ["password"]);
    assert_eq!(app.post(PATHS[0], body("SecurePass123")).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn nobody_smuggles_in_a_role() {
    let app = App::start().await;
    for field in ["role", "is_verified", "subscription_tier", "id"] {
        let answer =
            app.post(PATHS[0], json!({ "email": "a@example.com", "password": PASSWORD, field: "ADMIN" })).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.refused_fields(), [field]);
    }
}

#[tokio::test]
async fn until_the_address_is_verified_the_session_may_do_little() {
    let app = App::start().await;
    let member = app.register("new@example.com").await;
    assert_eq!(app.get_as(&member, "/users/me").await.status, StatusCode::OK);
    for path in ["/api/v1/attempts/me", "/api/v1/attempts/me/summary", "/home/", "/users/is-admin"] {
        let answer = app.get_as(&member, path).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "email_not_verified"), "{path}");
    }
    let token = app.verification_token("new@example.com").await;
    app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    assert_eq!(app.get_as(&member, "/home/").await.status, StatusCode::OK, "at once, with the same token");
}

#[tokio::test]
async fn in_private_one_registration_is_one_call_of_its_client() {
    let app = App::with(&[("REGISTRATION", "private"), ("RATE_IP_PER_MINUTE", "2")]).await;
    app.begin_day().await;
    let register = async |name: &str| {
        let body = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
        app.post(PATHS[0], body).await.status
    };
    assert_eq!(register("a").await, StatusCode::ACCEPTED);
    assert_eq!(register("b").await, StatusCode::ACCEPTED);
    assert_eq!(register("c").await, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn verification_can_be_waived() {
    let app = App::with(&[("REQUIRE_VERIFIED_EMAIL", "false")]).await;
    let member = app.register("new@example.com").await;
    assert_eq!(app.get_as(&member, "/api/v1/attempts/me/summary").await.status, StatusCode::OK);
    assert_eq!(app.login("new@example.com", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn registering_keeps_its_budget() {
    let app = App::start().await;
    app.slow_aws().await;
    let body = json!({ "email": "a@example.com", "password": PASSWORD, "name": "Alice", "username": "alice" });
    let answer = app.send(app.request(Method::POST, PATHS[0]).json(&body)).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    app.cost(&answer).await.within(2, 8.0, 0.0);
}

#[tokio::test]
async fn in_private_new_and_known_addresses_answer_and_cost_alike_and_the_owner_is_mailed() {
    let app = App::with(&[("REGISTRATION", "private")]).await;
    let register = async |email: &str, username: &str| {
        app.post(PATHS[0], json!({ "email": email, "password": PASSWORD, "username": username })).await
    };
    let made = register("alice@example.com", "alice").await;
    assert_eq!((made.status, made.json()["access_token"].is_null()), (StatusCode::ACCEPTED, true), "{}", made.text);
    let token = app.verification_token("alice@example.com").await;
    app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    app.advance(1).await;

    let (new, known) = (register("bob@example.com", "bob").await, register("alice@example.com", "other").await);
    assert_eq!((new.status, &new.text), (known.status, &known.text));
    let operations = async |answer: &tests::client::Answer| {
        let cost = app.cost(answer).await;
        cost.calls.iter().map(|call| call.operation.clone()).collect::<Vec<_>>()
    };
    assert_eq!(operations(&new).await, operations(&known).await);
    let told = app.letters("alice@example.com").await;
    assert!(told[0].subject.contains("already"), "{told:?}");
    assert_eq!(app.letters("bob@example.com").await.len(), 1, "the link to verify with, once");
    for email in ["alice@example.com", "carol@example.com"] {
        assert_eq!(register(email, "bob").await.code(), "username_taken", "{email}");
    }
    assert_eq!(app.login("alice@example.com", PASSWORD).await.status, StatusCode::OK, "nothing was changed");
}

/// What a stranger is told who guesses at an address, registers it, and then goes on with what they registered.
async fn told_to_a_stranger(app: &App, email: &str, username: &str) -> Vec<(u16, String)> {
    const CHOSEN: &str = "Another-Moth-55";
    let log_in = |name: &str, password: &str| ("/auth/login", json!({ "email": name, "password": password }));
    let register =
        |email: &str| ("/auth/register", json!({ "email": email, "password": CHOSEN, "username": username }));
    let mut told = Vec::new();
    for (path, body) in [
        log_in(email, "wrong"),
        log_in(email, "wrong"),
        register(email),
        log_in(username, CHOSEN),
        log_in(email, CHOSEN),
        log_in(email, CHOSEN),
        register(&format!("{username}@example.com")),
    ] {
        let answer = app.post(path, body).await;
        told.push((answer.status.as_u16(), answer.code()));
    }
    told
}

#[tokio::test]
async fn in_private_what_a_stranger_registered_tells_nothing_of_the_address_later_either() {
    let app = App::with(&[("REGISTRATION", "private")]).await;
    app.post(PATHS[0], json!({ "email": "alice@example.com", "password": PASSWORD })).await;
    let token = app.verification_token("alice@example.com").await;
    app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;

    let known = told_to_a_stranger(&app, "alice@example.com", "first").await;
    let codes: Vec<_> = known.iter().map(|(status, code)| (*status, code.as_str())).collect();
    let refused = (401, "invalid_credentials");
    assert_eq!(
        codes,
        [refused, refused, (202, ""), refused, refused, (403, "account_locked"), (409, "username_taken")]
    );
    assert_eq!(told_to_a_stranger(&app, "nobody@example.com", "second").await, known);

    app.advance(7 * 86400 + 120).await;
    for username in ["first", "second"] {
        let again = json!({ "email": format!("{username}@example.com"), "password": PASSWORD, "username": username });
        assert_eq!(app.post(PATHS[0], again).await.status, StatusCode::ACCEPTED, "{username} is free again");
    }
}

/// What a stranger chooses who registers somebody else's address.
const STRANGERS: &str = "Another-Moth-55";

/// Registers, and lets the mail arrive and the moment pass.
async fn register_in_private(app: &App, email: &str, password: &str) {
    let body = json!({ "email": email, "password": password });
    assert_eq!(app.post(PATHS[0], body).await.status, StatusCode::ACCEPTED, "{email}");
    app.all_letters().await;
    app.advance(1).await;
}

#[tokio::test]
async fn in_private_a_stranger_who_registers_an_address_first_knows_no_password_of_its_owners() {
    let app = App::with(&[("REGISTRATION", "private")]).await;
    for (email, follows_the_first) in [("alice@example.com", false), ("bob@example.com", true)] {
        register_in_private(&app, email, STRANGERS).await;
        let first = app.verification_token(email).await;
        register_in_private(&app, email, PASSWORD).await;
        let told = app.letters(email).await;
        assert!(told[0].subject.contains("Choose your password"), "{told:?}");
        let token = app.mailed_token(email, "/accept-invitation?token=").await;
        if follows_the_first {
            let verified = app.post("/api/v1/auth/verify-email", json!({ "token": first })).await;
            assert_eq!(verified.status, StatusCode::OK, "{}", verified.text);
        }
        assert_eq!(app.login(email, STRANGERS).await.code(), "invalid_credentials");
        let chosen = json!({ "token": token, "new_password": "Third-Lamp-77" });
        let set = app.post("/auth/reset-password", chosen).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.text);
        assert_eq!(app.login(email, STRANGERS).await.code(), "invalid_credentials");
        assert_eq!(app.login(email, "Third-Lamp-77").await.status, StatusCode::OK, "{email}");
    }
}

#[tokio::test]
async fn in_private_a_stranger_who_registers_in_the_middle_of_it_knows_no_password_of_the_owners() {
    let app = App::with(&[("REGISTRATION", "private")]).await;
    let owners = json!({ "email": "alice@example.com", "password": PASSWORD });
    app.hold_up_a_transaction().await;
    let strangers = async {
        app.struck().await;
        app.post(PATHS[0], json!({ "email": "alice@example.com", "password": STRANGERS })).await
    };
    let (owners, strangers) = tokio::join!(app.post(PATHS[0], owners), strangers);
    assert_eq!((owners.status, strangers.status), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
    let told = app.letters("alice@example.com").await;
    assert!(told[0].subject.contains("Choose your password"), "{told:?}");
    let token = app.verification_token("alice@example.com").await;
    app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    assert_eq!(app.login("alice@example.com", STRANGERS).await.code(), "invalid_credentials");
}

#[tokio::test]
async fn in_private_a_second_registration_takes_nothing_from_whom_an_admin_unverified() {
    let app = App::with(&[("REGISTRATION", "private"), ("ADMIN_EMAILS", "root@example.com")]).await;
    for email in ["root@example.com", "bob@example.com"] {
        register_in_private(&app, email, PASSWORD).await;
        let token = app.verification_token(email).await;
        app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    }
    let (root, bob) = (app.sign_in("root@example.com").await, app.sign_in("bob@example.com").await);
    let path = format!("/api/v1/users/{}", bob.id);
    app.patch_as(&root, &path, json!({ "is_verified": false })).await;
    assert_eq!(app.login("bob@example.com", STRANGERS).await.code(), "invalid_credentials");
    for _ in 0..3 {
        assert_eq!(app.login("bob@example.com", PASSWORD).await.code(), "email_not_verified", "no wrong guess");
    }
    register_in_private(&app, "bob@example.com", STRANGERS).await;
    let told = app.letters("bob@example.com").await;
    assert!(told[0].subject.contains("already"), "{told:?}");
    app.patch_as(&root, &path, json!({ "is_verified": true })).await;
    assert_eq!(app.get_as(&bob, "/users/me").await.status, StatusCode::OK);
    assert_eq!(app.login("bob@example.com", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn in_private_whoever_verified_signs_in_and_may_take_a_name_that_a_stranger_tried() {
    let app = App::with(&[("REGISTRATION", "private")]).await;
    let register = async |email: &str, username: &str| {
        let body = json!({ "email": email, "password": PASSWORD, "username": username });
        assert_eq!(app.post(PATHS[0], body).await.status, StatusCode::ACCEPTED, "{email}");
    };
    register("alice@example.com", "alice").await;
    assert_eq!(app.login("alice", PASSWORD).await.code(), "invalid_credentials", "nobody, before she verified");
    let token = app.verification_token("alice@example.com").await;
    app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    assert_eq!(app.login("alice", PASSWORD).await.status, StatusCode::OK);

    register("alice@example.com", "moth").await;
    let alice = app.sign_in("alice@example.com").await;
    let path = format!("/api/v1/users/{}", alice.id);
    assert_eq!(app.patch_as(&alice, &path, json!({ "username": "moth" })).await.code(), "username_taken");
    app.advance(7 * 86400 + 1).await;
    let alice = app.sign_in("alice@example.com").await;
    assert_eq!(app.patch_as(&alice, &path, json!({ "username": "moth" })).await.status, StatusCode::OK);
    assert_eq!(app.login("moth", PASSWORD).await.status, StatusCode::OK);
}
