use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::client::{Answer, App, PASSWORD};

const EMAIL: &str = "alice@example.com";
/// So that the lock is what refuses, and not the limiter before it.
const UNLIMITED: [(&str, &str); 1] = [("RATE_LOGIN_PER_MINUTE", "10000")];
const LOCKED: &str = "Your user-service account is locked for 15 minutes";

async fn wrong(app: &App, email: &str) -> (StatusCode, String) {
    let answer = app.login(email, "not-the-password").await;
    (answer.status, answer.code())
}

fn refused() -> (StatusCode, String) {
    (StatusCode::UNAUTHORIZED, "invalid_credentials".to_owned())
}

fn locked() -> (StatusCode, String) {
    (StatusCode::FORBIDDEN, "account_locked".to_owned())
}

async fn alerts(app: &App) -> usize {
    app.letters(EMAIL).await.iter().filter(|letter| letter.subject == LOCKED).count()
}

#[tokio::test]
async fn every_path_takes_address_or_username() {
    let app = App::start().await;
    let body = json!({ "email": EMAIL, "password": PASSWORD, "username": "Alice" });
    app.post("/auth/register", body).await;
    let token = app.verification_token(EMAIL).await;
    app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    for path in ["/api/v1/auth/login", "/auth/login", "/api/v1/users/auth/login"] {
        for name in [EMAIL, "ALICE@Example.com", "alice", "ALICE"] {
            let answer = app.post(path, json!({ "email": name, "password": PASSWORD })).await;
            assert_eq!(answer.status, StatusCode::OK, "{path} {name} {}", answer.text);
            assert_eq!(answer.json()["user"]["email"], EMAIL);
            assert!(answer.json()["user"]["last_login_at"].is_string());
        }
    }
}

#[tokio::test]
async fn a_third_wrong_password_locks_the_account_for_fifteen_minutes() {
    let app = App::start().await;
    app.member(EMAIL).await;
    for _ in 0..3 {
        assert_eq!(wrong(&app, EMAIL).await, refused());
    }
    let answer = app.login(EMAIL, PASSWORD).await;
    assert_eq!((answer.status, answer.code()), locked());
    assert_eq!(answer.json()["detail"], "Account is locked. Please try again later.");
    let wait: u32 = answer.header("retry-after").parse().unwrap();
    assert!((890..=900).contains(&wait), "{wait}");
    assert_eq!(alerts(&app).await, 1);

    app.advance(14 * 60).await;
    assert_eq!(wrong(&app, EMAIL).await, locked());
    app.advance(60).await;
    assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::OK);
    assert_eq!(alerts(&app).await, 1);
}

#[tokio::test]
async fn a_success_starts_the_row_anew_and_a_lock_that_ended_does_too() {
    let app = App::start().await;
    app.member(EMAIL).await;
    for _ in 0..3 {
        assert_eq!(wrong(&app, EMAIL).await, refused());
        assert_eq!(wrong(&app, EMAIL).await, refused());
        assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::OK);
    }
    for _ in 0..2 {
        for _ in 0..3 {
            assert_eq!(wrong(&app, EMAIL).await, refused());
        }
        assert_eq!(wrong(&app, EMAIL).await, locked());
        app.advance(15 * 60).await;
    }
    assert_eq!(alerts(&app).await, 2);
}

#[tokio::test]
async fn wrong_passwords_stay_in_a_row_however_long_apart() {
    let app = App::start().await;
    app.member(EMAIL).await;
    for _ in 0..3 {
        assert_eq!(wrong(&app, EMAIL).await, refused());
        app.advance(3600).await;
    }
    // The lock began with the third and is over by now: a new row.
    assert_eq!(wrong(&app, EMAIL).await, refused());
    assert_eq!(alerts(&app).await, 1);
}

#[tokio::test]
async fn two_hundred_guesses_at_once_compare_exactly_three() {
    let app = App::with(&UNLIMITED).await;
    app.member(EMAIL).await;
    let answers = join_all((0..200).map(|_| app.login(EMAIL, "not-the-password"))).await;
    let of = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!(of(StatusCode::UNAUTHORIZED), 3);
    assert_eq!(of(StatusCode::FORBIDDEN) + of(StatusCode::TOO_MANY_REQUESTS), 197);
    app.advance(60).await;
    assert_eq!(wrong(&app, EMAIL).await, locked());
    assert_eq!(alerts(&app).await, 1);
}

#[tokio::test]
async fn guesses_through_every_door_at_once_are_three_in_all() {
    let app = App::with(&UNLIMITED).await;
    let member = app.member(EMAIL).await;
    let door = async |number: usize, password: &str| match number % 6 {
        0 => app.login(EMAIL, password).await,
        1 => {
            let request = app.request(Method::POST, "/api/v1/auth/token");
            app.send(request.form(&[("username", EMAIL), ("password", password)])).await
        }
        2 => app.post_as(&member, "/api/v1/auth/verify-password", json!({ "password": password })).await,
        3 => {
            let change = json!({ "current_password": password, "new_password": "another-horse-battery" });
            app.post_as(&member, "/api/v1/auth/change-password", change).await
        }
        4 => {
            let change = json!({ "new_email": "new@example.com", "password": password });
            app.post_as(&member, "/api/v1/users/me/email", change).await
        }
        _ => {
            let change = json!({ "old_password": password, "new_password": "another-horse-battery" });
            app.patch_as(&member, "/api/v1/users/me", change).await
        }
    };
    let answers = join_all((0..24).map(|number| door(number, "not-the-password"))).await;
    let compared = |answer: &&Answer| answer.status == StatusCode::UNAUTHORIZED || answer.json()["ok"] == false;
    assert_eq!(answers.iter().filter(compared).count(), 3);
    let refused = [StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS];
    assert_eq!(answers.iter().filter(|answer| refused.contains(&answer.status)).count(), 21);
    app.advance(60).await;
    for number in 0..6 {
        let answer = door(number, PASSWORD).await;
        assert!(
            answer.status == StatusCode::FORBIDDEN && answer.text.contains("account_locked"),
            "{number} {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_burst_of_right_passwords_locks_nothing_and_mails_no_alert() {
    let app = App::start().await;
    app.member(EMAIL).await;
    for answer in join_all((0..10).map(|_| app.login(EMAIL, PASSWORD))).await {
        match answer.status {
            StatusCode::OK => {}
            StatusCode::TOO_MANY_REQUESTS => assert_eq!(answer.header("retry-after"), "1"),
            other => panic!("{other} {}", answer.text),
        }
    }
    assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::OK);
    assert_eq!(alerts(&app).await, 0);
}

#[tokio::test]
async fn an_unknown_address_reads_like_a_known_one() {
    let app = App::start().await;
    app.member(EMAIL).await;
    for nobody in ["nobody@example.com", "nobody", "not an address at all"] {
        for _ in 0..3 {
            let (known, unknown) = (app.login(EMAIL, "wrong").await, app.login(nobody, "wrong").await);
            let without_id = |answer: &tests::client::Answer| {
                let mut body = answer.json();
                body["request_id"].take();
                body
            };
            assert_eq!(known.status, unknown.status);
            assert_eq!(without_id(&known), without_id(&unknown));
        }
        assert_eq!(wrong(&app, nobody).await, locked());
        app.advance(15 * 60).await;
        assert_eq!(wrong(&app, nobody).await, refused());
        assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn an_unverified_account_is_told_only_after_the_right_password() {
    let app = App::start().await;
    app.register(EMAIL).await;
    assert_eq!(wrong(&app, EMAIL).await, refused());
    let answer = app.login(EMAIL, PASSWORD).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "email_not_verified"));
    assert_eq!(answer.json()["detail"], "Email not verified");
    for _ in 0..2 {
        assert_eq!(wrong(&app, EMAIL).await, refused(), "the right password began a new row");
    }
}

#[tokio::test]
async fn a_sixth_session_ends_the_one_idle_longest_at_once() {
    let app = App::start().await;
    let mut members = vec![app.member(EMAIL).await];
    for _ in 0..3 {
        app.advance(1).await;
        members.push(app.sign_in(EMAIL).await);
    }
    // Registering opened the first session of the five.
    assert_eq!(app.get_as(&members[0], "/users/me").await.status, StatusCode::OK);
    app.advance(1).await;
    members.push(app.sign_in(EMAIL).await);
    app.advance(1).await;
    members.push(app.sign_in(EMAIL).await);
    let answer = app.get_as(&members[0], "/users/me").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "session_ended"));
    for member in &members[1..] {
        assert_eq!(app.get_as(member, "/users/me").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn ten_logins_at_once_never_exceed_the_cap() {
    let app = App::with(&[("MAX_ACTIVE_SESSIONS", "2")]).await;
    app.member(EMAIL).await;
    let answers = join_all((0..10).map(|_| app.login(EMAIL, PASSWORD))).await;
    let mut alive = 0;
    for answer in answers.iter().filter(|answer| answer.status == StatusCode::OK) {
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        let me = app.send(app.request(reqwest::Method::GET, "/users/me").bearer_auth(token)).await;
        alive += u32::from(me.status == StatusCode::OK);
    }
    assert_eq!(alive, 2);
}

#[tokio::test]
async fn a_session_not_to_be_remembered_ends_after_a_day_and_any_other_after_a_week() {
    const DAY: u32 = 24 * 3600;
    let app = App::start().await;
    app.member(EMAIL).await;
    for (remember, days) in [(Some(false), 1), (Some(true), 7), (None, 7)] {
        let mut body = json!({ "email": EMAIL, "password": PASSWORD });
        if let Some(remember) = remember {
            body["remember_me"] = json!(remember);
        }
        let alive = app.post("/auth/login", body.clone()).await.json();
        let ended = app.post("/auth/login", body).await.json();
        let refresh = |token: &serde_json::Value| json!({ "refresh_token": token["refresh_token"] });
        app.advance(days * DAY - 60).await;
        assert_eq!(app.post("/auth/refresh", refresh(&alive)).await.status, StatusCode::OK, "{remember:?}");
        app.advance(60).await;
        assert_eq!(app.post("/auth/refresh", refresh(&ended)).await.code(), "invalid_refresh_token", "{remember:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_counts_a_guess_once() {
    for number in 0..2 {
        let app = App::start().await;
        app.member(EMAIL).await;
        app.fault(json!({ "service": "dynamodb", "table": "UsersTable", "operation": "UpdateItem", "kind": "lost", "count": 2 })).await;
        // The first answers to the reservation and to the settling are lost; the SDK repeats both calls.
        assert_eq!(wrong(&app, EMAIL).await, refused());
        assert_eq!(wrong(&app, EMAIL).await, refused());
        if number == 0 {
            assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::OK);
        } else {
            assert_eq!(wrong(&app, EMAIL).await, refused());
            assert_eq!(wrong(&app, EMAIL).await, locked());
        }
    }
}

#[tokio::test]
async fn a_lost_answer_to_the_last_write_signs_in_once() {
    let app = App::start().await;
    app.member(EMAIL).await;
    app.fault(
        json!({ "service": "dynamodb", "table": "UsersTable", "operation": "UpdateItem", "kind": "lost", "count": 2 }),
    )
    .await;
    let member = app.sign_in(EMAIL).await;
    assert_eq!(app.get_as(&member, "/users/me").await.status, StatusCode::OK);
    let sessions = app.scan("UsersTable").await.to_string().matches("\"abs\"").count();
    assert_eq!(sessions, 3, "registering, the first login, and this one");
}

#[tokio::test]
async fn a_right_password_is_no_wrong_guess_where_the_profile_cannot_be_read() {
    let app = App::start().await;
    app.member(EMAIL).await;
    // The claim is read; what fails is the profile, and while the last write is on its way.
    let faults = [
        ("GetItem", "slow", 0, 1),
        ("GetItem", "error", 0, 4),
        ("UpdateItem", "slow", 0, 1),
        ("UpdateItem", "slow", 2000, 1),
    ];
    for _ in 0..3 {
        for (operation, kind, milliseconds, count) in faults {
            app.fault(json!({ "service": "dynamodb", "table": "UsersTable", "operation": operation, "kind": kind, "milliseconds": milliseconds, "count": count })).await;
        }
        let answer = app.login(EMAIL, PASSWORD).await;
        assert!(answer.status.is_server_error(), "{}", answer.text);
    }
    app.sign_in(EMAIL).await;
}

#[tokio::test]
async fn a_right_password_is_no_wrong_guess_where_an_admin_disables_the_account_meanwhile() {
    let (app, root) = App::with_admin(&[]).await;
    let alice = app.member(EMAIL).await;
    let path = format!("/api/v1/users/{}", alice.id);
    for _ in 0..3 {
        // The guess is reserved; the write that would sign in waits.
        for milliseconds in [0, 1000] {
            app.fault(json!({ "service": "dynamodb", "table": "UsersTable", "operation": "UpdateItem", "kind": "slow", "milliseconds": milliseconds, "count": 1 })).await;
        }
        let disabling = async {
            app.struck().await;
            app.patch_as(&root, &path, json!({ "is_active": false })).await.status
        };
        let (answer, disabled) = tokio::join!(app.login(EMAIL, PASSWORD), disabling);
        assert_eq!((disabled, answer.code().as_str()), (StatusCode::OK, "account_disabled"), "{}", answer.text);
        assert_eq!(app.patch_as(&root, &path, json!({ "is_active": true })).await.status, StatusCode::OK);
    }
    assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_transaction_on_the_account_does_not_fail_a_login() {
    let app = App::start().await;
    app.member(EMAIL).await;
    for _ in 0..3 {
        app.fault(json!({ "service": "dynamodb", "table": "UsersTable", "operation": "UpdateItem", "kind": "conflict", "count": 2 })).await;
        assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn two_wrong_and_one_right_at_once_leave_the_account_open() {
    let app = App::start().await;
    app.member(EMAIL).await;
    let (right, first, second) = tokio::join!(app.login(EMAIL, PASSWORD), wrong(&app, EMAIL), wrong(&app, EMAIL));
    assert_eq!((right.status, first, second), (StatusCode::OK, refused(), refused()));
    assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::OK);
    assert_eq!(alerts(&app).await, 0);
}

#[tokio::test]
async fn guesses_that_were_never_settled_count_as_wrong_after_half_a_minute() {
    let app = App::start().await;
    app.member(EMAIL).await;
    // The reservation is written; the settling fails for good.
    for _ in 0..3 {
        app.fault(json!({ "service": "dynamodb", "table": "UsersTable", "operation": "UpdateItem", "kind": "slow", "count": 1 })).await;
        app.fault(json!({ "service": "dynamodb", "table": "UsersTable", "operation": "UpdateItem", "kind": "error", "count": 4 })).await;
        assert_eq!(app.login(EMAIL, "wrong").await.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
    app.advance(30).await;
    assert_eq!(wrong(&app, EMAIL).await, locked());
    app.advance(15 * 60).await;
    assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::OK);
    assert_eq!(alerts(&app).await, 0, "only settled guesses mail");
}

#[tokio::test]
async fn logins_keep_their_budgets() {
    let app = App::start().await;
    app.member(EMAIL).await;
    app.slow_aws().await;
    app.cost(&app.login(EMAIL, PASSWORD).await).await.within(3, 3.0, 3.0);
    for email in [EMAIL, "nobody@example.com"] {
        for _ in 0..3 {
            app.cost(&app.login(email, "wrong").await).await.within(3, 2.0, 1.0);
        }
        let answer = app.login(email, "wrong").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        app.cost(&answer).await.within(2, 1.0, 1.0);
    }
}

#[tokio::test]
async fn known_and_unknown_addresses_cost_the_same_writes() {
    for registration in ["open", "private"] {
        let app = App::with(&[("REGISTRATION", registration)]).await;
        for email in [EMAIL, "unverified@example.com"] {
            app.post("/auth/register", json!({ "email": email, "password": PASSWORD })).await;
        }
        let token = app.verification_token(EMAIL).await;
        app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
        for _ in 0..4 {
            let known = app.cost(&app.login(EMAIL, "wrong").await).await;
            for other in ["unverified@example.com", "nobody@example.com"] {
                let other = app.cost(&app.login(other, "wrong").await).await;
                let operations =
                    |entry: &local::Entry| entry.calls.iter().map(|call| call.operation.clone()).collect::<Vec<_>>();
                assert_eq!(operations(&known), operations(&other), "{registration}");
                assert!((known.wru() - other.wru()).abs() < f64::EPSILON);
            }
        }
    }
}

#[tokio::test]
async fn a_hash_that_was_brought_in_verifies_once_and_is_replaced() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    // "correct-horse-battery" under bcrypt, cost 4.
    let bcrypt = bcrypt::hash(PASSWORD, 4).unwrap();
    let key = json!({ "pk": { "S": format!("USER#{}", member.id) }, "sk": { "S": "ACCOUNT" } });
    app.dynamodb(
        "UpdateItem",
        json!({
            "TableName": "UsersTable", "Key": key, "UpdateExpression": "SET #hash = :hash",
            "ExpressionAttributeNames": { "#hash": "hash" }, "ExpressionAttributeValues": { ":hash": { "S": bcrypt } },
        }),
    )
    .await;
    let stored = async || {
        let item = app.dynamodb("GetItem", json!({ "TableName": "UsersTable", "Key": key })).await;
        item["Item"]["hash"]["S"].as_str().unwrap().to_owned()
    };
    assert_eq!(wrong(&app, EMAIL).await, refused());
    assert_eq!(stored().await, bcrypt);
    for answer in join_all((0..2).map(|_| app.login(EMAIL, PASSWORD))).await {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    assert!(stored().await.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_password_is_taken_as_it_is_to_the_last_character() {
    let password = format!(" Öl{}q ", "x".repeat(122));
    assert_eq!(password.chars().count(), 127);
    let app = App::start().await;
    app.member_with(EMAIL, &password).await;
    let composed = password.replace('Ö', "O\u{308}");
    let shorter: String = password.chars().take(126).collect();
    for twin in [password.trim(), &password.to_lowercase(), &composed, &shorter, &password.replace("q ", "p ")] {
        assert_eq!(app.login(EMAIL, twin).await.status, StatusCode::UNAUTHORIZED, "{twin:?}");
        assert_eq!(app.login(EMAIL, &password).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_password_does_not_expire() {
    let app = App::start().await;
    app.member(EMAIL).await;
    app.advance(2 * 366 * 24 * 3600).await;
    assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_longer_password_than_any_and_an_empty_one_are_refused_before_they_are_hashed() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    for password in ["x".repeat(129), String::new()] {
        let logins = app.login(EMAIL, &password).await;
        let verifies = app.post_as(&member, "/api/v1/auth/verify-password", json!({ "password": password })).await;
        for answer in [logins, verifies] {
            assert_eq!(
                (answer.status, answer.refused_fields()),
                (StatusCode::UNPROCESSABLE_ENTITY, vec!["password".into()])
            );
        }
    }
    // None of them was a guess.
    assert_eq!(wrong(&app, EMAIL).await, refused());
    assert_eq!(wrong(&app, EMAIL).await, refused());
    assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::OK);
}
