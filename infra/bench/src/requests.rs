//! Events and requests that the bench sends.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tests::{
    client::{App, Member, PASSWORD},
    derived::root,
};

use crate::{Failure, Result};

/// Settings of the stack under the bench: limits so wide that nothing is refused, and counted as at a deployment.
pub const SETTINGS: [(&str, &str); 7] = [
    ("RATE_IP_PER_MINUTE", "1000000"),
    ("RATE_LOGIN_PER_MINUTE", "1000000"),
    ("RATE_REGISTER_PER_HOUR", "1000000"),
    ("RATE_RESET_PER_HOUR", "1000000"),
    ("RATE_RESET_PER_DAY", "1000000"),
    ("DIRECTORY_ACCESS", "members"),
    ("ADMIN_EMAILS", "root@example.com"),
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
    let fine = status.is_null() || status.as_u64().is_some_and(|status| status < 400);
    if fine { Ok(()) } else { Err(Failure(format!("{name}: {answer}"))) }
}

/// A submission.
pub fn attempt() -> Value {
    json!({ "question_id": 1, "language": "python", "submitted_code": "def solution(numbers):\n    return sum(numbers)\n",
        "passed_tests": 10, "total_tests": 10 })
}

/// How many people have registered by [`Ask::Register`].
static NEW: AtomicU64 = AtomicU64::new(0);

/// What clients ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    Healthz,
    Me,
    Register,
    Login,
    Refresh,
    Introspect,
    Submit,
    History,
    Summary,
    Profile,
    EditProfile,
    Stats,
    Avatar,
    Search,
}

impl Ask {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Healthz,
        Self::Me,
        Self::Register,
        Self::Login,
        Self::Refresh,
        Self::Introspect,
        Self::Submit,
        Self::History,
        Self::Summary,
        Self::Profile,
        Self::EditProfile,
        Self::Stats,
        Self::Avatar,
        Self::Search,
    ];

    /// All but those that hash a password.
    pub fn without_hash() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|ask| ![Self::Register, Self::Login].contains(ask))
    }

    /// The operation's id.
    pub fn operation(self) -> &'static str {
        match self {
            Self::Healthz => "healthz",
            Self::Me => "me",
            Self::Register => "register",
            Self::Login => "login",
            Self::Refresh => "refresh",
            Self::Introspect => "introspect",
            Self::Submit => "submit",
            Self::History => "history",
            Self::Summary => "summary",
            Self::Profile => "profile",
            Self::EditProfile => "update_profile",
            Self::Stats => "stats",
            Self::Avatar => "avatar",
            Self::Search => "search",
        }
    }

    /// The request of that member.
    pub fn request(self, app: &App, member: &Member, secret: &str) -> RequestBuilder {
        let get = |path: &str| app.request(Method::GET, path).bearer_auth(&member.access_token);
        let post = |path: &str, body: Value| app.request(Method::POST, path).json(&body);
        match self {
            Self::Healthz => app.request(Method::GET, "/healthz"),
            Self::Me => get("/api/v1/auth/me"),
            Self::Register => {
                let email = format!("new{}@example.com", NEW.fetch_add(1, Ordering::Relaxed));
                post("/api/v1/auth/register", json!({ "email": email, "password": PASSWORD }))
            }
            Self::Login => post("/api/v1/auth/login", json!({ "email": member.email, "password": PASSWORD })),
            Self::Refresh => post("/api/v1/auth/refresh", json!({ "refresh_token": member.refresh_token })),
            Self::Introspect => app
                .request(Method::POST, "/oauth/introspect")
                .basic_auth("introspection", Some(secret))
                .form(&[("token", &member.access_token)]),
            Self::Submit => post("/api/v1/attempts/", attempt()).bearer_auth(&member.access_token),
            Self::History => get("/api/v1/attempts/me?limit=20"),
            Self::Summary => get("/api/v1/attempts/me/summary"),
            Self::Profile => get("/api/v1/users/me/profile"),
            Self::EditProfile => app
                .request(Method::PUT, "/api/v1/users/me/profile")
                .bearer_auth(&member.access_token)
                .json(&json!({ "skills": ["Rust"] })),
            Self::Stats => get("/api/v1/users/me/stats"),
            Self::Avatar => get(&format!("/api/v1/users/{}/avatar", member.id)),
            Self::Search => get("/api/v1/users/search?q=anna&limit=20"),
        }
    }
}

/// A stack, and so many people who are signed in.
pub async fn crowd(count: usize) -> Result<(App, Vec<Member>)> {
    let app = App::with(&SETTINGS).await;
    let mut members = Vec::new();
    for number in 0..count {
        let member = app.member(&format!("member{number}@example.com")).await;
        app.load_attempts(&member, 50);
        dress(&app, &member).await?;
        members.push(member);
    }
    app.load_people(0, 1_000);
    app.all_letters().await;
    Ok((app, members))
}

/// Gives someone an avatar.
pub async fn dress(app: &App, member: &Member) -> Result<()> {
    let event = event("avatars", "upload_avatar")?;
    let picture = data_encoding::BASE64.decode(event["body"].as_str().unwrap_or_default().as_bytes())?;
    let request = app.request(Method::POST, &format!("/api/v1/users/{}/avatar", member.id));
    let request = request.bearer_auth(&member.access_token).header("content-type", "image/png").body(picture);
    let answer = app.send(request).await;
    if answer.status.is_success() { Ok(()) } else { Err(Failure(format!("upload_avatar: {}", answer.text))) }
}

/// The secret of the client that introspects.
pub async fn introspection_secret(app: &App) -> String {
    app.secret("Clients").await["introspection"].as_str().unwrap_or_default().to_owned()
}
