use fantoccini::Locator;
use tests::client::{App, PASSWORD};

use crate::browser::{Browser, PATIENCE, Scheme};

#[tokio::test(flavor = "multi_thread")]
async fn swagger_ui_signs_in_through_the_token_form_and_calls_as_that_person() {
    let app = App::start().await;
    app.member("alice@example.com").await;
    let browser = Browser::start(Scheme::Light).await;
    browser.open(&app.address("/docs")).await;
    let page = &browser.client;
    let wait = async |css: &str| {
        page.wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await
            .unwrap_or_else(|error| panic!("{css}: {error}"))
    };
    let press = async |css: &str| {
        wait(css).await;
        // On a phone's screen a button may be below the fold.
        let script = "document.querySelector(arguments[0]).click()";
        page.execute(script, vec![css.into()]).await.unwrap();
    };
    press("button.authorize").await;
    wait("#oauth_username").await.send_keys("alice@example.com").await.unwrap();
    wait("#oauth_password").await.send_keys(PASSWORD).await.unwrap();
    let authorize =
        "[...document.querySelectorAll('.auth-container')].find(one => one.querySelector('#oauth_username'))
        .querySelector('button.authorize').click()";
    page.execute(authorize, Vec::new()).await.unwrap();
    // Once signed in, the form offers to log out.
    browser.wait_for("Logout").await;
    press(".btn-done").await;
    press("#operations-auth-me .opblock-summary-control").await;
    press("#operations-auth-me .execute").await;
    wait("#operations-auth-me .live-responses-table .response-col_status").await;
    let answer = page
        .execute("return document.querySelector('#operations-auth-me .live-responses-table').innerText", Vec::new())
        .await
        .unwrap();
    let answer = answer.as_str().unwrap();
    assert!(answer.contains("200") && answer.contains("alice@example.com"), "{answer}");
    browser.stop().await;
}
