use reqwest::StatusCode;
use tests::client::App;

use super::submit::attempt;

#[tokio::test]
async fn the_code_comes_back_byte_for_byte() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let full = "é".repeat(128 * 1024);
    for code in ["", "print('hi')\r\n\t\u{1}\u{7f}", "日本語 🦀 \u{10ffff} e\u{301}", full.as_str()] {
        let submitted = app.post_as(&member, "/api/v1/attempts/", attempt(1, 1, code)).await;
        assert_eq!(submitted.status, StatusCode::CREATED, "{}", submitted.text);
        let mut expected = submitted.json();
        let path = format!("/api/v1/attempts/{}", expected["id"].as_str().unwrap());
        expected["submitted_code"] = code.into();
        assert_eq!(app.get_as(&member, &path).await.json(), expected);
    }
}

#[tokio::test]
async fn another_persons_attempt_is_not_found_but_for_an_admin() {
    let app = App::with(&[("ADMIN_EMAILS", "root@example.com")]).await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    let submitted = app.post_as(&alice, "/api/v1/attempts/", attempt(1, 1, "x")).await;
    let path = format!("/api/v1/attempts/{}", submitted.json()["id"].as_str().unwrap());
    for path in [path.as_str(), "/api/v1/attempts/01936b1e-0000-7000-8000-000000000000", "/api/v1/attempts/nonsense"] {
        let answer = app.get_as(&bob, path).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{path}");
    }
    let admin = app.member("root@example.com").await;
    assert_eq!(app.get_as(&admin, &path).await.json()["submitted_code"], "x");
    assert_eq!(app.get(&path).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn one_attempt_keeps_its_budget() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let submitted = app.post_as(&member, "/api/v1/attempts/", attempt(1, 1, "def f(): pass")).await;
    app.slow_aws().await;
    let path = format!("/api/v1/attempts/{}", submitted.json()["id"].as_str().unwrap());
    app.cost(&app.get_as(&member, &path).await).await.within(1, 0.0, 2.0);
}
