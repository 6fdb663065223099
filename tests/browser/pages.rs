use fantoccini::Locator;
use serde_json::json;
use tests::client::{App, PASSWORD};

use crate::browser::{Browser, Scheme};

const NEW: &str = "another-horse-battery";

async fn click(browser: &Browser) {
    let button = browser.client.find(Locator::Css("button[type=submit]")).await.unwrap();
    button.click().await.unwrap();
}

async fn choose(browser: &Browser, password: &str, confirmation: &str) {
    for (id, text) in [("#new", password), ("#confirm", confirmation)] {
        browser.client.find(Locator::Css(id)).await.unwrap().send_keys(text).await.unwrap();
    }
    click(browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_fit_for_a_phone_and_work_by_hand_in_light_and_dark() {
    for scheme in [Scheme::Light, Scheme::Dark] {
        let (app, root) = App::with_admin(&[]).await;
        let browser = Browser::start(scheme).await;
        for path in ["/", "/_local/mailbox"] {
            browser.open(&app.address(path)).await;
            browser.assert_fit(path).await;
        }

        app.register("alice@example.com").await;
        let token = app.verification_token("alice@example.com").await;
        browser.open(&app.address(&format!("/verify-email?token={token}"))).await;
        browser.assert_fit("verify").await;
        click(&browser).await;
        browser.wait_for("Address verified").await;
        browser.assert_fit("verified").await;

        app.post("/auth/forgot-password", json!({ "email": "alice@example.com" })).await;
        let (_, token) = app.reset_secrets("alice@example.com").await;
        browser.open(&app.address(&format!("/reset-password?token={token}"))).await;
        browser.assert_fit("reset").await;
        choose(&browser, NEW, "something-else").await;
        browser.wait_for("are not the same").await;
        browser.assert_fit("reset, refused").await;
        choose(&browser, NEW, NEW).await;
        browser.wait_for("Password changed").await;
        browser.assert_fit("reset, done").await;
        browser.open(&app.address(&format!("/reset-password?token={token}"))).await;
        choose(&browser, NEW, NEW).await;
        browser.wait_for("This link does not work").await;
        browser.assert_fit("reset, used up").await;
        assert!(app.login("alice@example.com", NEW).await.status.is_success());

        app.post_as(&root, "/api/v1/users", json!({ "email": "carol@example.com" })).await;
        let token = app.mailed_token("carol@example.com", "/accept-invitation?token=").await;
        browser.open(&app.address(&format!("/accept-invitation?token={token}"))).await;
        browser.assert_fit("invitation").await;
        choose(&browser, NEW, NEW).await;
        browser.wait_for("Password changed").await;
        assert!(app.login("carol@example.com", NEW).await.status.is_success());

        let body = json!({ "new_email": "root@example.org", "password": PASSWORD });
        app.post_as(&root, "/api/v1/users/me/email", body).await;
        let token = app.mailed_token("root@example.org", "/verify-email?token=").await;
        browser.open(&app.address(&format!("/verify-email?token={token}"))).await;
        click(&browser).await;
        browser.wait_for("Address verified").await;
        let token = app.mailed_token("root@example.com", "/undo-email-change?token=").await;
        browser.open(&app.address(&format!("/undo-email-change?token={token}"))).await;
        browser.assert_fit("undo").await;
        click(&browser).await;
        browser.wait_for("The change is undone").await;
        browser.assert_fit("undone").await;
        browser.stop().await;
    }
}
