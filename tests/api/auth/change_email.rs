use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::{
    client::{Answer, App, Member, PASSWORD},
    defence::Defence,
};

const PATH: &str = "/api/v1/users/me/email";
const OLD: &str = "alice@example.com";
const NEW: &str = "alice@example.org";

async fn ask(app: &App, member: &Member, email: &str) -> Answer {
    app.post_as(member, PATH, json!({ "new_email": email, "password": PASSWORD })).await
}

async fn confirm(app: &App, email: &str) -> Answer {
    let token = app.mailed_token(email, "/verify-email?token=").await;
    app.post("/api/v1/auth/verify-email", json!({ "token": token })).await
}

#[tokio::test]
async fn the_address_changes_when_the_new_one_confirms_and_other_sessions_end() {
    let app = App::start().await;
    let alice = app.member(OLD).await;
    let other = app.sign_in(OLD).await;
    let asked = ask(&app, &alice, "Alice@Example.ORG ").await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text);
    assert_eq!(app.get_as(&alice, "/users/me").await.json()["email"], OLD, "nothing is changed yet");
    let token = app.mailed_token(NEW, "/verify-email?token=").await;
    let page =
        app.send(app.request(Method::GET, &format!("/verify-email?token={token}")).header("accept", "text/html")).await;
    assert!(page.text.contains("<form"), "a scanner that follows the link changes nothing");
    assert_eq!(app.get_as(&alice, "/users/me").await.json()["email"], OLD);
    for _ in 0..2 {
        assert_eq!(confirm(&app, NEW).await.status, StatusCode::OK, "and again, while the link lives");
    }
    assert_eq!(app.get_as(&alice, "/users/me").await.json()["email"], NEW);
    assert_eq!(app.get_as(&other, "/users/me").await.code(), "session_ended");
    assert_eq!(app.login(OLD, PASSWORD).await.code(), "invalid_credentials");
    assert_eq!(app.login(NEW, PASSWORD).await.status, StatusCode::OK);
    let notice = &app.letters(OLD).await[0];
    assert!(notice.text.contains(NEW) && notice.text.contains("/undo-email-change?token="), "{}", notice.text);
}

#[tokio::test]
async fn the_old_address_is_held_for_seven_days_and_then_free() {
    let app = App::start().await;
    let alice = app.member(OLD).await;
    ask(&app, &alice, NEW).await;
    confirm(&app, NEW).await;
    let register = async || app.post("/auth/register", json!({ "email": OLD, "password": PASSWORD })).await;
    assert_eq!(register().await.code(), "email_taken");
    app.post("/auth/forgot-password", json!({ "email": OLD })).await;
    assert!(app.letters(OLD).await.iter().all(|letter| !letter.subject.starts_with("Reset")), "it has no account");
    app.advance(7 * 86400 + 1).await;
    let undo = app.mailed_token(OLD, "/undo-email-change?token=").await;
    assert_eq!(register().await.status, StatusCode::CREATED);
    let late = app.post("/api/v1/auth/undo-email-change", json!({ "token": undo })).await;
    assert_eq!(late.code(), "invalid_verification_token");
    let alice = app.sign_in(NEW).await;
    assert_eq!(app.delete_as(&alice, "/users/me").await.status, StatusCode::OK, "and the newcomer keeps it");
    assert!(app.dump().await.contains(&format!("EMAIL#{OLD}")));
}

#[tokio::test]
async fn an_address_that_is_held_no_more_may_be_moved_to() {
    let app = App::start().await;
    let alice = app.member(OLD).await;
    app.member("bob@example.com").await;
    ask(&app, &alice, NEW).await;
    confirm(&app, NEW).await;
    let ask_for_it = async || ask(&app, &app.sign_in("bob@example.com").await, OLD).await;
    assert_eq!(ask_for_it().await.code(), "email_taken");
    app.advance(7 * 86400 + 1).await;
    assert_eq!(ask_for_it().await.status, StatusCode::ACCEPTED);
    assert_eq!(confirm(&app, OLD).await.status, StatusCode::OK);
    assert_eq!(app.login(OLD, PASSWORD).await.json()["user"]["email"], OLD);
}

#[tokio::test]
async fn a_wrong_password_counts_and_a_taken_address_is_told_as_registering_tells_it() {
    let app = App::start().await;
    let alice = app.member(OLD).await;
    app.member("bob@example.com").await;
    let wrong = app.post_as(&alice, PATH, json!({ "new_email": NEW, "password": "wrong-password" })).await;
    assert_eq!((wrong.status, wrong.code().as_str()), (StatusCode::UNAUTHORIZED, "invalid_credentials"));
    assert_eq!(ask(&app, &alice, "bob@example.com").await.code(), "email_taken");
    assert_eq!(ask(&app, &alice, OLD).await.refused_fields(), ["new_email"]);
    assert_eq!(ask(&app, &alice, "nonsense").await.refused_fields(), ["new_email"]);
    assert!(app.letters(NEW).await.is_empty());

    let private = App::with(&[("REGISTRATION", "private")]).await;
    private.post("/auth/register", json!({ "email": OLD, "password": PASSWORD })).await;
    let token = private.verification_token(OLD).await;
    private.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    private.post("/auth/register", json!({ "email": "bob@example.com", "password": PASSWORD })).await;
    let alice = private.sign_in(OLD).await;
    assert_eq!(ask(&private, &alice, "bob@example.com").await.status, StatusCode::ACCEPTED);
    assert_eq!(confirm(&private, "bob@example.com").await.code(), "invalid_verification_token");
}

#[tokio::test]
async fn a_right_password_is_none_of_the_wrong_ones_where_the_new_address_cannot_be_looked_at() {
    let app = App::start().await;
    let alice = app.member(OLD).await;
    for _ in 0..3 {
        // Once the account was read for its session, and before the address is looked at.
        app.fault(json!({
            "service": "dynamodb", "table": "TokensTable", "operation": "UpdateItem", "kind": "slow",
            "milliseconds": 500, "count": 1,
        }))
        .await;
        let breaking = async {
            app.struck().await;
            let fault = json!({
                "service": "dynamodb", "table": "UsersTable", "operation": "GetItem", "kind": "error", "count": 4,
            });
            app.post("/_local/faults", fault).await;
        };
        let (asked, ()) = tokio::join!(ask(&app, &alice, NEW), breaking);
        assert_eq!((asked.status, asked.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
        app.struck().await;
    }
    let asked = ask(&app, &alice, NEW).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text);
}

#[tokio::test]
async fn a_change_that_is_confirmed_meanwhile_makes_no_room_for_a_fourth() {
    for wanted in ["four@example.org", "three@example.org"] {
        let app = App::start().await;
        let alice = app.member(OLD).await;
        for address in ["one@example.org", "two@example.org"] {
            assert_eq!(ask(&app, &alice, address).await.status, StatusCode::ACCEPTED);
            assert_eq!(confirm(&app, address).await.status, StatusCode::OK);
        }
        assert_eq!(ask(&app, &alice, "three@example.org").await.status, StatusCode::ACCEPTED);
        let token = app.mailed_token("three@example.org", "/verify-email?token=").await;
        // The caller is admitted, and the limiter keeps them waiting.
        app.fault(json!({
            "service": "dynamodb", "table": "TokensTable", "operation": "UpdateItem", "kind": "slow",
            "milliseconds": 1000, "count": 1,
        }))
        .await;
        let confirming = async {
            app.struck().await;
            app.post("/api/v1/auth/verify-email", json!({ "token": token })).await.status
        };
        let (asked, confirmed) = tokio::join!(ask(&app, &alice, wanted), confirming);
        assert_eq!(confirmed, StatusCode::OK);
        assert!(asked.status.is_client_error(), "{wanted}: {}", asked.text);
        assert_eq!(app.get_as(&alice, "/users/me").await.json()["email"], "three@example.org");
        assert_eq!(app.login("three@example.org", PASSWORD).await.status, StatusCode::OK, "no guess was wrong");
    }
}

#[tokio::test]
async fn two_who_want_one_address_leave_it_to_one_of_them() {
    let app = App::start().await;
    let (alice, bob) = (app.member(OLD).await, app.member("bob@example.com").await);
    ask(&app, &alice, NEW).await;
    let first = app.mailed_token(NEW, "/verify-email?token=").await;
    ask(&app, &bob, NEW).await;
    let second = app.further_token(NEW, "/verify-email?token=", &first).await;
    let verify = async |token: &str| app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    let (first, second) = tokio::join!(verify(&first), verify(&second));
    let won = [&first, &second].iter().filter(|answer| answer.status == StatusCode::OK).count();
    let lost = [&first, &second].iter().filter(|answer| answer.code() == "invalid_verification_token").count();
    assert_eq!((won, lost), (1, 1));
}

#[tokio::test]
async fn a_link_dies_after_a_day_and_with_the_next_request() {
    let app = App::start().await;
    let alice = app.member(OLD).await;
    ask(&app, &alice, NEW).await;
    let first = app.mailed_token(NEW, "/verify-email?token=").await;
    ask(&app, &alice, "alice@example.net").await;
    let old = app.post("/api/v1/auth/verify-email", json!({ "token": first })).await;
    assert_eq!(old.code(), "invalid_verification_token");
    app.advance(86400 + 1).await;
    assert_eq!(confirm(&app, "alice@example.net").await.code(), "invalid_verification_token");
}

#[tokio::test]
async fn changing_the_address_keeps_its_budget() {
    let app = App::start().await;
    let alice = app.member(OLD).await;
    ask(&app, &alice, NEW).await;
    let token = app.mailed_token(NEW, "/verify-email?token=").await;
    app.slow_aws().await;
    let confirmed = app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
    assert_eq!(confirmed.status, StatusCode::OK);
    app.cost(&confirmed).await.within(3, 8.0, 1.0);
}

#[tokio::test]
async fn a_change_that_waits_dies_with_the_password_with_every_session_and_with_the_account() {
    for defence in Defence::ALL {
        let (app, root) = App::with_admin(&[]).await;
        let alice = app.member(OLD).await;
        ask(&app, &alice, "thief@example.org").await;
        let token = app.mailed_token("thief@example.org", "/verify-email?token=").await;
        defence.of(&app, &root, &alice).await;
        let late = app.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
        assert_eq!(late.code(), "invalid_verification_token", "{defence:?}");
    }
}

#[tokio::test]
async fn one_account_mails_no_more_than_a_few_strangers() {
    let app = App::start().await;
    // Someone else once more, where the hour of the limit ended meanwhile.
    for email in [OLD, "anna@example.com"] {
        let member = app.member(email).await;
        let (mut asked, mut rest) = (Vec::new(), Vec::new());
        for number in 0..7 {
            let answer = ask(&app, &member, &format!("stranger{number}@example.org")).await;
            asked.push(answer.status.as_u16());
            let (_, seconds) = answer.header("ratelimit").rsplit_once("t=").expect("a limit");
            rest.push(seconds.parse::<u32>().expect("seconds"));
        }
        if rest.is_sorted_by(|earlier, later| earlier >= later) {
            assert_eq!(asked, [202, 202, 202, 202, 202, 429, 429]);
            return;
        }
    }
    panic!("two hours ended");
}

#[tokio::test]
async fn an_admin_whom_a_new_address_verifies_again_counts_as_one() {
    let (app, root) = App::with_admin(&[]).await;
    let alice = app.member(OLD).await;
    let by_id = |member: &Member| format!("/api/v1/users/{}", member.id);
    app.patch_as(&root, &by_id(&alice), json!({ "role": "ADMIN" })).await;
    ask(&app, &alice, NEW).await;
    assert_eq!(app.patch_as(&root, &by_id(&alice), json!({ "is_verified": false })).await.status, StatusCode::OK);
    assert_eq!(confirm(&app, NEW).await.status, StatusCode::OK);
    let alice = app.sign_in(NEW).await;
    let demoted = app.patch_as(&alice, &by_id(&root), json!({ "role": "USER" })).await;
    assert_eq!(demoted.status, StatusCode::OK, "{}", demoted.text);
}
