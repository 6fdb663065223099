use reqwest::StatusCode;
use tests::client::App;

#[tokio::test]
async fn there_is_none_before_one_is_asked_for() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let answer = app.get_as(&alice, "/api/v1/users/me/export").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"));
}
