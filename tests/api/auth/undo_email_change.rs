use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::client::{App, Member, PASSWORD};

const OLD: &str = "alice@example.com";

async fn change(app: &App, member: &Member, email: &str) -> StatusCode {
    let body = json!({ "new_email": email, "password": PASSWORD });
    let asked = app.post_as(member, "/api/v1/users/me/email", body).await;
    if asked.status != StatusCode::ACCEPTED {
        return asked.status;
    }
    let token = app.mailed_token(email, "/verify-email?token=").await;
    app.post("/api/v1/auth/verify-email", json!({ "token": token })).await.status
}

async fn undo(app: &App, token: &str) -> StatusCode {
    app.post("/api/v1/auth/undo-email-change", json!({ "token": token })).await.status
}

#[tokio::test]
async fn the_old_address_takes_the_account_back_and_every_session_ends() {
    let app = App::start().await;
    let alice = app.member(OLD).await;
    assert_eq!(change(&app, &alice, "thief@example.org").await, StatusCode::OK);
    let token = app.mailed_token(OLD, "/undo-email-change?token=").await;
    app.advance(6 * 86400).await;
    let send = async || {
        let form = app.request(Method::POST, "/api/v1/auth/undo-email-change").header("accept", "text/html");
        app.send(form.form(&[("token", token.as_str())])).await
    };
    app.fault(json!({ "service": "dynamodb", "operation": "GetItem", "kind": "error", "count": 100 })).await;
    assert_eq!(send().await.code(), "unavailable", "the link is not said to be used");
    app.fault(json!({ "service": "dynamodb", "kind": "error", "count": 0 })).await;
    let page = send().await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("The change is undone"), "{}", page.text);
    assert_eq!(app.get_as(&alice, "/users/me").await.status, StatusCode::UNAUTHORIZED);
    let refreshed = app.post("/auth/refresh", json!({ "refresh_token": alice.refresh_token })).await;
    assert_eq!(refreshed.code(), "invalid_refresh_token");
    assert_eq!(app.login("thief@example.org", PASSWORD).await.code(), "invalid_credentials");
    assert_eq!(app.login(OLD, PASSWORD).await.status, StatusCode::OK);
    assert!(app.letters(OLD).await.iter().any(|letter| letter.subject.contains("is the old one again")));
    assert_eq!(undo(&app, &token).await, StatusCode::BAD_REQUEST, "once");
    let used = send().await;
    assert_eq!(used.status, StatusCode::BAD_REQUEST);
    assert!(used.text.contains("This link does not work"), "{}", used.text);
    let free = app.post("/auth/register", json!({ "email": "thief@example.org", "password": PASSWORD })).await;
    assert_eq!(free.status, StatusCode::CREATED);
}

#[tokio::test]
async fn further_changes_do_not_wash_out_the_way_back() {
    let app = App::start().await;
    let alice = app.member(OLD).await;
    let addresses = ["one@example.org", "two@example.org", "three@example.org"];
    for address in addresses {
        assert_eq!(change(&app, &alice, address).await, StatusCode::OK, "{address}");
    }
    assert_eq!(change(&app, &alice, "four@example.org").await, StatusCode::TOO_MANY_REQUESTS);
    let own = app.mailed_token(OLD, "/undo-email-change?token=").await;
    let thiefs = app.mailed_token("one@example.org", "/undo-email-change?token=").await;
    assert_eq!(undo(&app, &own).await, StatusCode::OK);
    assert_eq!(undo(&app, &thiefs).await, StatusCode::BAD_REQUEST, "what came after goes with it");
    assert_eq!(app.login(OLD, PASSWORD).await.status, StatusCode::OK);
    for address in addresses {
        let free = app.post("/auth/register", json!({ "email": address, "password": PASSWORD })).await;
        assert_eq!(free.status, StatusCode::CREATED, "{address}");
    }
}

#[tokio::test]
async fn one_may_go_back_by_changing_again() {
    let app = App::start().await;
    let alice = app.member(OLD).await;
    assert_eq!(change(&app, &alice, "new@example.org").await, StatusCode::OK);
    assert_eq!(change(&app, &alice, OLD).await, StatusCode::OK);
    assert_eq!(app.login(OLD, PASSWORD).await.status, StatusCode::OK);
    app.advance(8 * 86400).await;
    assert_eq!(app.login(OLD, PASSWORD).await.status, StatusCode::OK, "the address is held no longer, but owned");
    let taken = app.post("/auth/register", json!({ "email": OLD, "password": PASSWORD })).await;
    assert_eq!(taken.code(), "email_taken");
}

#[tokio::test]
async fn a_link_for_something_else_undoes_nothing() {
    let app = App::start().await;
    let alice = app.member(OLD).await;
    change(&app, &alice, "new@example.org").await;
    let confirmation = app.mailed_token("new@example.org", "/verify-email?token=").await;
    for token in [confirmation.clone(), confirmation.replacen("ac1_", "au1_", 1), "au1_".into(), "nonsense".into()] {
        assert_eq!(undo(&app, &token).await, StatusCode::BAD_REQUEST, "{token}");
    }
}
