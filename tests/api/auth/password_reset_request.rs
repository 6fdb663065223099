use reqwest::StatusCode;
use serde_json::json;
use tests::client::App;

const PATHS: [&str; 3] =
    ["/api/v1/auth/password-reset-request", "/auth/forgot-password", "/api/v1/users/auth/forgot-password"];
const EMAIL: &str = "alice@example.com";

#[tokio::test]
async fn known_and_unknown_addresses_answer_and_cost_alike() {
    let app = App::start().await;
    app.member(EMAIL).await;
    app.slow_aws().await;
    let (known, unknown) = (
        app.post(PATHS[0], json!({ "email": EMAIL })).await,
        app.post(PATHS[0], json!({ "email": "no@example.com" })).await,
    );
    assert_eq!((known.status, &known.text), (StatusCode::OK, &unknown.text));
    let (known, unknown) = (app.cost(&known).await, app.cost(&unknown).await);
    let operations =
        |cost: &tests::client::Cost| cost.calls.iter().map(|call| call.operation.clone()).collect::<Vec<_>>();
    assert_eq!((operations(&known), known.wru() as u32), (operations(&unknown), unknown.wru() as u32));
    known.within(2, 1.0, 1.0);
    assert_eq!(app.letters("no@example.com").await.len(), 0);
}

#[tokio::test]
async fn every_path_mails_a_code_and_a_link_and_only_the_newest_count() {
    let app = App::start().await;
    app.member(EMAIL).await;
    let mut old: Option<(String, String)> = None;
    for path in PATHS {
        assert_eq!(app.post(path, json!({ "email": " ALICE@example.com" })).await.status, StatusCode::OK);
        let (code, link) = app.reset_secrets(EMAIL).await;
        assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()));
        if let Some((_, old_link)) = old.replace((code, link)) {
            let body = json!({ "token": old_link, "new_password": "another-fine-horse" });
            assert_eq!(app.post("/auth/reset-password", body).await.code(), "invalid_reset_code");
        }
    }
}

#[tokio::test]
async fn a_twin_of_an_address_is_mailed_nothing() {
    let app = App::start().await;
    app.member("mike@example.com").await;
    let before = app.letters("mike@example.com").await.len();
    for twin in ["mi\u{212a}e@example.com", "ｍike@example.com", "mıke@example.com", "mike@example.com\u{200b}"] {
        app.post(PATHS[0], json!({ "email": twin })).await;
        assert!(app.letters(twin).await.is_empty(), "{twin}");
    }
    let letters = app.all_letters().await;
    assert!(letters.iter().all(|letter| letter.to == "mike@example.com"), "{letters:?}");
    assert!(letters.len() > before, "another spelling of the same address is the same account's");
}

#[tokio::test]
async fn a_call_whose_answer_is_lost_counts_once() {
    let app = App::with(&[("RATE_IP_PER_MINUTE", "3")]).await;
    app.begin_day().await;
    for number in 0..4 {
        let lost = json!({ "service": "dynamodb", "table": "TokensTable", "operation": "UpdateItem", "kind": "lost", "count": 1 });
        app.fault(lost).await;
        let answer = app.post("/auth/forgot-password", json!({ "email": format!("{number}@example.com") })).await;
        let expected = if number < 3 { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(answer.status, expected, "{number}: {}", answer.text);
    }
}

#[tokio::test]
async fn an_address_is_mailed_three_times_an_hour_and_ten_times_a_day() {
    let app = App::start().await;
    app.begin_day().await;
    app.member(EMAIL).await;
    let mut mailed = 0;
    for _ in 0..5 {
        for _ in 0..4 {
            let answer = app.post(PATHS[0], json!({ "email": EMAIL })).await;
            mailed += usize::from(answer.status == StatusCode::OK);
            assert!(answer.header("ratelimit-policy").contains("\"reset\";q=3;w=3600"), "{:?}", answer.headers);
        }
        app.advance(3600).await;
    }
    assert_eq!(mailed, 10);
    let resets = app.letters(EMAIL).await.iter().filter(|letter| letter.subject.starts_with("Reset")).count();
    assert_eq!(resets, 10);
}
