use reqwest::StatusCode;
use serde_json::json;
use tests::client::App;

#[tokio::test]
async fn what_is_no_link_of_an_export_leads_nowhere() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    app.post_as(&alice, "/api/v1/users/me/export", json!({})).await;
    let token = app.mailed_token("alice@example.com", "/export?token=").await;
    let (head, tail) = token.split_at(token.len() - 1);
    let forged = format!("{head}{}", if tail == "A" { "B" } else { "A" });
    for token in ["", "nonsense", "ex1_", &forged, &token.replacen("ex1_", "au1_", 1)] {
        let answer = app.get(&format!("/export?token={token}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{token}");
    }
    assert_eq!(app.get("/export").await.status, StatusCode::NOT_FOUND);
}
