//! Events that the bench hands out, and what they are made of.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tests::{
    client::{App, Member},
    derived::root,
};

use crate::{Failure, Result};

/// Who is an admin.
pub const ADMIN: &str = "root@example.com";
/// Settings of the stack under the bench: limits so wide that nothing is refused, and counted as at a deployment, and access tokens
/// that outlive a part of the bench.
pub const SETTINGS: [(&str, &str); 9] = [
    ("ACCESS_TTL_MIN", "60"),
    ("RATE_IP_PER_MINUTE", "1000000"),
    ("RATE_LOGIN_PER_MINUTE", "1000000"),
    ("RATE_REGISTER_PER_HOUR", "1000000"),
    ("RATE_RESEND_PER_HOUR", "1000000"),
    ("RATE_RESET_PER_HOUR", "1000000"),
    ("RATE_RESET_PER_DAY", "1000000"),
    ("DIRECTORY_ACCESS", "members"),
    ("ADMIN_EMAILS", ADMIN),
];

/// The event of that name, of those that `sam local invoke` takes.
pub fn event(function: &str, name: &str) -> Result<Value> {
    let path = root().join(format!("events/{function}/{name}.json"));
    let text = fs::read_to_string(&path).map_err(|error| Failure(format!("{}: {error}", path.display())))?;
    Ok(serde_json::from_str(&text)?)
}

/// The event as that member would send it.
pub fn by(mut event: Value, member: &Member) -> Value {
    event["headers"]["authorization"] = json!(format!("Bearer {}", member.access_token));
    event
}

/// The event with that body.
pub fn with_body(event: Value, body: &Value) -> Value {
    with_text(event, &body.to_string())
}

/// The event with that text as its body.
pub fn with_text(mut event: Value, text: &str) -> Value {
    event["body"] = json!(text);
    event
}

/// The event at that path.
pub fn at(mut event: Value, path: &str) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    event["rawPath"] = json!(path);
    event["requestContext"]["http"]["path"] = json!(path);
    event["rawQueryString"] = json!(query);
    event
}

/// What an answer's body says.
pub fn body(answer: &Value) -> Result<Value> {
    Ok(serde_json::from_str(answer["body"].as_str().unwrap_or("null"))?)
}

/// Refuses an answer that is none of success: what failed is no figure.
pub fn succeeded(name: &str, answer: &Value) -> Result<()> {
    let status = &answer["statusCode"];
    let refused = answer["isAuthorized"] == false
        || answer["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty())
        || !(status.is_null() || status.as_u64().is_some_and(|status| status < 400));
    if !refused { Ok(()) } else { Err(Failure(format!("{name}: {answer}"))) }
}

/// The event of a stream, of someone new each time: nobody is mailed, and nothing is counted, of the same event again.
pub fn of_someone_new(event: &Value) -> Result<Value> {
    static REGISTERED: AtomicU64 = AtomicU64::new(1);
    let number = REGISTERED.fetch_add(1, Ordering::Relaxed);
    let mut event: Value =
        serde_json::from_str(&event.to_string().replace("-000000000001", &format!("-{number:012x}")))?;
    event["Records"][0]["eventID"] = json!(number.to_string());
    Ok(event)
}

/// A submission.
pub fn attempt() -> Value {
    json!({ "question_id": 1, "language": "python", "submitted_code": "def solution(numbers):\n    return sum(numbers)\n",
        "passed_tests": 10, "total_tests": 10 })
}

/// The upload of an avatar.
pub fn upload(app: &App, member: &Member, picture: &[u8]) -> RequestBuilder {
    let request = app.request(Method::POST, &format!("/api/v1/users/{}/avatar", member.id));
    request.bearer_auth(&member.access_token).header("content-type", "image/png").body(picture.to_vec())
}

/// A picture.
pub fn picture() -> Result<Vec<u8>> {
    let event = event("avatars", "upload_avatar")?;
    Ok(data_encoding::BASE64.decode(event["body"].as_str().unwrap_or_default().as_bytes())?)
}

/// Gives someone an avatar.
pub async fn dress(app: &App, member: &Member) -> Result<()> {
    let answer = app.send(upload(app, member, &picture()?)).await;
    if answer.status.is_success() { Ok(()) } else { Err(Failure(format!("upload_avatar: {}", answer.text))) }
}

/// The token of who scrapes the metrics.
pub async fn scrape_token(app: &App) -> String {
    app.secret("ScrapeToken").await["token"].as_str().unwrap_or_default().to_owned()
}

/// The secret of the client that introspects.
pub async fn introspection_secret(app: &App) -> String {
    app.secret("Clients").await["introspection"].as_str().unwrap_or_default().to_owned()
}
