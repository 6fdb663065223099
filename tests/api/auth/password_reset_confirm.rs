use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::client::{App, PASSWORD};

const PATHS: [&str; 3] =
    ["/api/v1/auth/password-reset-confirm", "/auth/reset-password", "/api/v1/users/auth/reset-password"];
const EMAIL: &str = "alice@example.com";
const NEW: &str = "another-fine-horse";

async fn requested(app: &App) -> (String, String) {
    app.post("/auth/forgot-password", json!({ "email": EMAIL })).await;
    app.reset_secrets(EMAIL).await
}

fn by_code(code: &str) -> Value {
    json!({ "email": EMAIL, "code": code, "new_password": NEW })
}

#[tokio::test]
async fn a_code_sets_the_password_once_ends_every_session_and_mails_a_notice() {
    let app = App::start().await;
    let member = app.member(EMAIL).await;
    let (code, link) = requested(&app).await;
    let answer = app.post(PATHS[0], by_code(&code)).await;
    assert_eq!((answer.status, &answer.json()["ok"]), (StatusCode::OK, &json!(true)), "{}", answer.text);
    assert_eq!(app.get_as(&member, "/users/me").await.code(), "session_ended");
    assert_eq!(app.login(EMAIL, PASSWORD).await.code(), "invalid_credentials");
    assert_eq!(app.login(EMAIL, NEW).await.status, StatusCode::OK);
    assert!(app.letters(EMAIL).await.iter().any(|letter| letter.subject.contains("password was changed")));
    let again = json!({ "token": link, "new_password": "yet-another-horse" });
    assert_eq!(app.post(PATHS[0], by_code(&code)).await.code(), "invalid_reset_code", "single use");
    assert_eq!(app.post(PATHS[0], again).await.code(), "invalid_reset_code", "the link dies with the code");
}

#[tokio::test]
async fn a_link_does_the_same_on_every_path() {
    let app = App::start().await;
    app.member(EMAIL).await;
    for (number, path) in PATHS.into_iter().enumerate() {
        let (_, link) = requested(&app).await;
        let password = format!("{NEW}-{number}");
        let answer =
            app.post(path, json!({ "token": link, "new_password": password, "confirm_password": password })).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} {}", answer.text);
        assert_eq!(app.login(EMAIL, &password).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn five_wrong_tries_over_both_doors_kill_code_and_link() {
    let app = App::start().await;
    app.member(EMAIL).await;
    let (code, link) = requested(&app).await;
    let wrong = App::other_code(&code);
    let verify = json!({ "email": EMAIL, "code": wrong });
    for number in 0..5 {
        let answer = if number % 2 == 0 {
            app.post("/auth/verify-reset-code", verify.clone()).await
        } else {
            app.post(PATHS[0], by_code(&wrong)).await
        };
        assert_eq!(answer.code(), "invalid_reset_code");
    }
    assert_eq!(app.post(PATHS[0], by_code(&code)).await.code(), "invalid_reset_code");
    assert_eq!(app.post(PATHS[0], json!({ "token": link, "new_password": NEW })).await.code(), "invalid_reset_code");
    assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_link_that_a_fifth_wrong_try_kills_meanwhile_sets_nothing() {
    let app = App::start().await;
    app.member(EMAIL).await;
    let (code, link) = requested(&app).await;
    let wrong = by_code(&App::other_code(&code));
    for _ in 0..4 {
        app.post(PATHS[0], wrong.clone()).await;
    }
    // The link is alive when it is looked at, and its write waits.
    app.fault(json!({ "service": "dynamodb", "table": "UsersTable", "operation": "UpdateItem", "kind": "slow", "milliseconds": 1000, "count": 1 })).await;
    let fifth = async {
        app.struck().await;
        app.post(PATHS[0], wrong.clone()).await
    };
    let (by_link, fifth) = tokio::join!(app.post(PATHS[0], json!({ "token": link, "new_password": NEW })), fifth);
    assert_eq!(fifth.code(), "invalid_reset_code");
    assert_eq!(by_link.code(), "invalid_reset_code");
    assert_eq!(app.login(EMAIL, PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn four_wrong_tries_leave_the_right_one() {
    let app = App::start().await;
    app.member(EMAIL).await;
    let (code, _) = requested(&app).await;
    let wrong = App::other_code(&code);
    join_all((0..4).map(|_| app.post(PATHS[0], by_code(&wrong)))).await;
    assert_eq!(app.post(PATHS[0], by_code(&code)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn fifty_wrong_tries_at_once_are_five() {
    let app = App::start().await;
    app.member(EMAIL).await;
    let (code, _) = requested(&app).await;
    let wrong = App::other_code(&code);
    let answers =
        join_all((0..50).map(|_| app.post("/auth/verify-reset-code", json!({ "email": EMAIL, "code": wrong })))).await;
    assert!(answers.iter().all(|answer| answer.code() == "invalid_reset_code"));
    let tries = app.scan("UsersTable").await.to_string();
    assert!(tries.contains(r#""tries":{"N":"5"}"#), "{tries}");
    assert_eq!(app.post(PATHS[0], by_code(&code)).await.code(), "invalid_reset_code");
}

#[tokio::test]
async fn ten_uses_at_once_are_one() {
    let app = App::start().await;
    app.member(EMAIL).await;
    let (_, link) = requested(&app).await;
    let body = |number: usize| json!({ "token": link, "new_password": format!("{NEW}-{number}") });
    let answers = join_all((0..10).map(|number| app.post(PATHS[0], body(number)))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::OK).count(), 1, "{answers:?}");
}

#[tokio::test]
async fn a_reset_lifts_a_lock_and_verifies_the_address() {
    let app = App::with(&[("ADMIN_EMAILS", EMAIL)]).await;
    app.register(EMAIL).await;
    for _ in 0..3 {
        app.login(EMAIL, "wrong").await;
    }
    assert_eq!(app.login(EMAIL, PASSWORD).await.code(), "account_locked");
    let (code, _) = requested(&app).await;
    assert_eq!(app.post(PATHS[0], by_code(&code)).await.status, StatusCode::OK);
    let login = app.login(EMAIL, NEW).await;
    assert_eq!(login.status, StatusCode::OK, "{}", login.text);
    assert_eq!(login.json()["user"]["role"], "ADMIN", "verified here, and listed");
}

#[tokio::test]
async fn a_password_that_is_refused_spends_nothing() {
    let app = App::start().await;
    app.member(EMAIL).await;
    let (code, link) = requested(&app).await;
    for bad in ["short", "password123", EMAIL] {
        let by_code = json!({ "email": EMAIL, "code": code, "new_password": bad });
        let by_link = json!({ "token": link, "new_password": bad });
        for body in [&by_code, &by_link, &by_code, &by_link, &by_code] {
            let answer = app.post(PATHS[0], body.clone()).await;
            assert_eq!(
                (answer.status, answer.refused_fields()),
                (StatusCode::UNPROCESSABLE_ENTITY, vec!["new_password".into()]),
                "{body} {}",
                answer.text
            );
        }
    }
    let mismatch = json!({ "email": EMAIL, "code": code, "new_password": NEW, "confirm_password": "x" });
    assert_eq!(app.post(PATHS[0], mismatch).await.refused_fields(), ["confirm_password"]);
    assert_eq!(app.post(PATHS[0], json!({ "new_password": NEW })).await.refused_fields(), ["email", "code"]);
    assert_eq!(app.post(PATHS[0], by_code(&code)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_page_sends_a_form_and_shows_what_came_of_it() {
    let app = App::start().await;
    app.member(EMAIL).await;
    let (_, link) = requested(&app).await;
    let send = async |password: &str, again: &str| {
        let form = [("token", link.as_str()), ("new_password", password), ("confirm_password", again)];
        app.send(app.request(Method::POST, PATHS[0]).header("accept", "text/html").form(&form)).await
    };
    let refused = send("password123", "password123").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("guessed first") && refused.text.contains(&link));
    let unlike = send(NEW, PASSWORD).await;
    assert_eq!(unlike.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unlike.text.contains("The two passwords are not the same.") && unlike.text.contains(&link));
    app.fault(json!({ "service": "dynamodb", "operation": "GetItem", "kind": "error", "count": 100 })).await;
    assert_eq!(send(NEW, NEW).await.code(), "unavailable", "the link is not said to be used");
    app.fault(json!({ "service": "dynamodb", "kind": "error", "count": 0 })).await;
    assert!(send(NEW, NEW).await.text.contains("Password changed"));
    let used = send(NEW, NEW).await;
    assert_eq!((used.status, used.header("www-authenticate")), (StatusCode::UNAUTHORIZED, "Bearer"));
    assert!(used.text.contains("This link does not work") && !used.text.contains(&link), "{}", used.text);
}

#[tokio::test]
async fn a_reset_keeps_its_budget() {
    let app = App::start().await;
    app.member(EMAIL).await;
    let (code, _) = requested(&app).await;
    app.slow_aws().await;
    let answer = app.post(PATHS[0], by_code(&code)).await;
    assert_eq!(answer.status, StatusCode::OK);
    app.cost(&answer).await.within(3, 2.0, 1.0);
}
