//! The Lambda authorizer, with the events of every kind of API that asks it.

use std::fs;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{
    client::{App, Member},
    derived::root,
};

const PLACEHOLDER: &str = "paste-an-access-token-here";
/// The forms that are answered with a policy where a caller may pass.
const POLICIES: [&str; 5] = ["http_1_0", "rest_token", "rest_request", "websocket_query", "websocket_protocol"];

/// What API Gateway is answered where that kind of API asks about a token; nothing stands for its 401.
pub async fn ask(app: &App, form: &str, token: &str) -> Option<Value> {
    let text = fs::read_to_string(root().join(format!("events/authorizer/{form}.json"))).unwrap();
    let event = serde_json::from_str(&text.replace(PLACEHOLDER, token)).unwrap();
    app.invoke("authorizer", event).await
}

/// Whether the caller may pass.
fn allowed(answer: &Option<Value>) -> bool {
    let Some(answer) = answer else { return false };
    answer["isAuthorized"] == true || answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"
}

/// Whether a token lets its bearer pass, wherever it is sent; all forms have to agree.
pub async fn passes(app: &App, token: &str) -> bool {
    let simple = allowed(&ask(app, "http_2_0", token).await);
    for form in POLICIES {
        assert_eq!(allowed(&ask(app, form, token).await), simple, "{form}");
    }
    simple
}

#[tokio::test]
async fn every_form_is_answered_in_its_own_way() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let context = |answer: &Value| {
        let context = &answer["context"];
        assert!(context.as_object().unwrap().values().all(Value::is_string), "{context}");
        assert_eq!(
            (&context["sub"], &context["email"], &context["role"], &context["plan"], &context["scope"]),
            (&json!(member.id), &json!("alice@example.com"), &json!("USER"), &json!("basic"), &json!("user"))
        );
        assert_eq!(context.as_object().unwrap().len(), 6);
    };
    let simple = ask(&app, "http_2_0", &member.access_token).await.unwrap();
    assert_eq!(simple["isAuthorized"], true);
    context(&simple);
    for form in POLICIES {
        let answer = ask(&app, form, &member.access_token).await.unwrap();
        context(&answer);
        assert_eq!(answer["principalId"], member.id.as_str());
        let statement = json!({
            "Action": "execute-api:Invoke", "Effect": "Allow",
            "Resource": "arn:aws:execute-api:eu-central-1:123456789012:abcdef123/prod/*",
        });
        assert_eq!(answer["policyDocument"], json!({ "Version": "2012-10-17", "Statement": [statement] }), "{form}");
    }
    assert_eq!(ask(&app, "http_2_0", "x").await.unwrap(), json!({ "isAuthorized": false }));
    assert_eq!(ask(&app, "http_1_0", "x").await.unwrap()["policyDocument"]["Statement"][0]["Effect"], "Deny");
    for form in &POLICIES[1..] {
        assert_eq!(ask(&app, form, "x").await, None, "{form}");
    }
}

#[tokio::test]
async fn tokens_that_are_over_or_not_verified_do_not_pass() {
    let app = App::start().await;
    let (member, unverified) = (app.member("alice@example.com").await, app.register("bob@example.com").await);
    assert!(passes(&app, &member.access_token).await);
    assert!(!passes(&app, &unverified.access_token).await);
    assert!(!passes(&app, &member.refresh_token).await);
    app.advance(901).await;
    assert!(!passes(&app, &member.access_token).await);
}

async fn log_out(app: &App, member: &Member) {
    let answer = app.send(app.request(Method::POST, "/auth/logout").bearer_auth(&member.access_token)).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn offline_a_token_outlives_its_session_until_it_expires() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    log_out(&app, &member).await;
    assert!(passes(&app, &member.access_token).await);
    app.fault(json!({ "service": "dynamodb", "kind": "error", "count": 1000 })).await;
    app.fault(json!({ "service": "secretsmanager", "kind": "error", "count": 1000 })).await;
    assert!(passes(&app, &member.access_token).await, "nothing is asked of AWS");
}

#[tokio::test]
async fn with_the_session_checked_the_next_call_after_logout_is_denied() {
    let (app, root) = App::with_admin(&[("AUTHORIZER_CHECK_SESSION", "true")]).await;
    let member = app.member("alice@example.com").await;
    assert!(passes(&app, &member.access_token).await);
    app.patch_as(&root, &format!("/api/v1/users/{}", member.id), json!({ "subscription_tier": "premium" })).await;
    let answer = ask(&app, "http_2_0", &member.access_token).await.unwrap();
    assert_eq!((&answer["context"]["plan"], &answer["context"]["scope"]), (&json!("premium"), &json!("user premium")));
    log_out(&app, &member).await;
    assert!(!passes(&app, &member.access_token).await);

    let other = app.sign_in("alice@example.com").await;
    app.fault(json!({ "service": "dynamodb", "operation": "GetItem", "kind": "error", "count": 100 })).await;
    assert_eq!(ask(&app, "http_2_0", &other.access_token).await, None, "without an answer nobody passes");
}

#[tokio::test]
async fn what_is_no_authorizers_event_is_an_error() {
    let app = App::start().await;
    for event in [json!({}), json!({ "type": "TOKEN" }), json!({ "version": "1.0", "type": "REQUEST" }), json!("x")] {
        assert_eq!(app.invoke("authorizer", event).await, None);
    }
}
