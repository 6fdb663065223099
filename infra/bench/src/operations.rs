//! Every operation of the API, as clients ask for it: most again and again, some once, of what was prepared for that.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use shared::{crypto::Hasher, domain::Plaintext};
use tests::{
    client::{Answer, App, Member, PASSWORD},
    derived,
};

use crate::{
    Failure, Result,
    requests::{self, ADMIN, SETTINGS, attempt, dress},
    stats::ms,
};

/// What can be asked for once by each person, session or link, and what takes a code that lives for minutes.
const ONCE: [&str; 14] = [
    "change_password",
    "delete_avatar",
    "delete_user",
    "downgrade",
    "end_session",
    "logout",
    "logout_all",
    "password_reset_confirm",
    "revoke",
    "start_export",
    "undo_email_change",
    "upgrade",
    "verify_email",
    "verify_reset_code",
];
/// What hashes a password, and so waits for the place of another one.
const HASHES: [&str; 7] =
    ["change_email", "change_password", "login", "password_reset_confirm", "register", "token", "verify_password"];
/// What is answered no sooner than after 100 ms, so that nobody learns whether there is an account.
const HELD: [&str; 2] = ["password_reset_request", "verify_email_request"];

/// How many are prepared at a time.
const AT_ONCE: usize = 16;
/// What an admin did, at first.
const AUDITED: usize = 25;
/// Streams that took less than this had caught up.
const SETTLED: Duration = Duration::from_secs(3);
/// How long mails may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// An operation, by its id.
#[derive(Clone, Debug)]
pub struct Operation(String);

impl Operation {
    /// All of the API's.
    pub fn all() -> Result<Vec<Self>> {
        let document: Value = serde_json::from_str(&derived::openapi())?;
        let items = document["paths"].as_object().into_iter().flatten().filter_map(|(_, item)| item.as_object());
        let text = |operation: &Value, name: &str| operation[name].as_str().unwrap_or_default().to_owned();
        let own = items.flatten().filter(|(_, operation)| !text(operation, "description").starts_with("The same as"));
        let mut all: Vec<_> = own.map(|(_, operation)| text(operation, "operationId")).collect();
        all.retain(|name| !name.is_empty());
        all.sort();
        Ok(all.into_iter().map(Self).collect())
    }

    pub fn login() -> Self {
        Self("login".to_owned())
    }

    pub fn name(&self) -> &str {
        &self.0
    }

    pub fn is_sent_once(&self) -> bool {
        ONCE.contains(&self.name())
    }

    /// Whether its time is that of something else: of other passwords, or of a moment that is held to.
    pub fn waits(&self) -> bool {
        HASHES.contains(&self.name()) || HELD.contains(&self.name())
    }
}

/// Someone who asks.
pub struct Client {
    pub member: Member,
    attempt: String,
    export: String,
    /// The address of someone who has not verified it.
    unverified: String,
}

/// A stack, and those who ask it.
pub struct Stand {
    pub app: App,
    admin: Member,
    hash: String,
    introspection: String,
    scraper: String,
    picture: Vec<u8>,
    /// The next number of somebody new.
    next: AtomicU64,
}

impl Stand {
    /// A stack with a thousand people, and so many clients beside, with all that they may ask for.
    pub async fn with(clients: usize) -> Result<(Self, Vec<Client>)> {
        let app = App::with(&SETTINGS).await;
        let admin = app.member(ADMIN).await;
        let hashing = Hasher::new()?;
        let hash = hashing.place().await?.hash(Plaintext::parse(PASSWORD.to_owned())?).await?;
        let introspection = requests::introspection_secret(&app).await;
        let scraper = app.secret("ScrapeToken").await["token"].as_str().unwrap_or_default().to_owned();
        let picture = requests::picture()?;
        app.load_people(0, 1_000);
        let stand = Self { app, admin, hash, introspection, scraper, picture, next: AtomicU64::new(1_000) };
        let members = stand.newcomers(clients).await?;
        for member in &members {
            stand.app.load_attempts(member, 50);
            dress(&stand.app, member).await?;
        }
        stand.all(&members, |member| stand.posted(member, "/api/v1/users/me/export", &json!({}))).await?;
        let exports = stand.mailed(members.iter().map(|member| &member.email), "/export?token=").await?;
        let history = stand.all(&members, |member| stand.got(member, "/api/v1/attempts/me?limit=1")).await?;
        // The trail has a page of what an admin did.
        let invited: Vec<_> = (0..AUDITED).map(|_| format!("invited{}@example.com", stand.number())).collect();
        stand.all(&invited, |email| stand.invited(email)).await?;
        let unverified = stand.strangers(clients).await?;
        let clients = members.into_iter().zip(exports).zip(history).zip(unverified);
        let clients = clients.map(|(((member, export), history), unverified)| {
            let attempt = history.json()[0]["id"].as_str().map(str::to_owned);
            let attempt = attempt.ok_or_else(|| Failure("somebody's attempts are not there".into()))?;
            Ok(Client { member, attempt, export, unverified })
        });
        Ok((stand, clients.collect::<Result<_>>()?))
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    fn got(&self, member: &Member, path: &str) -> RequestBuilder {
        self.app.request(Method::GET, path).bearer_auth(&member.access_token)
    }

    fn posted(&self, member: &Member, path: &str, body: &Value) -> RequestBuilder {
        self.told(path, body).bearer_auth(&member.access_token)
    }

    fn told(&self, path: &str, body: &Value) -> RequestBuilder {
        self.app.request(Method::POST, path).json(body)
    }

    fn invited(&self, email: &str) -> RequestBuilder {
        self.posted(&self.admin, "/api/v1/users", &json!({ "email": email, "name": "Erin" }))
    }

    /// Waits until the streams have caught up: a look at the mailbox waits for them, but for some seconds at most.
    pub async fn settle(&self) {
        loop {
            let began = Instant::now();
            self.app.all_letters().await;
            if began.elapsed() < SETTLED {
                break;
            }
        }
    }

    /// What that client sends, again and again; nothing where it is sent once.
    fn again(&self, operation: &Operation, client: &Client) -> Option<RequestBuilder> {
        let Client { member, attempt: known, export, unverified } = client;
        let anyone = |path: &str| self.app.request(Method::GET, path);
        let got = |path: &str| self.got(member, path);
        let put =
            |path: &str, body: Value| self.app.request(Method::PUT, path).bearer_auth(&member.access_token).json(&body);
        let admin = |path: &str| self.got(&self.admin, path);
        let avatar = format!("/api/v1/users/{}/avatar", member.id);
        Some(match operation.name() {
            "accept_invitation_page" => anyone("/accept-invitation?token=x"),
            "activity" => got("/api/v1/attempts/me/activity"),
            "attempt" => got(&format!("/api/v1/attempts/{known}")),
            "audit" => admin("/api/v1/admin/audit"),
            "avatar" => got(&avatar),
            "change_email" => {
                let email = format!("other{}@example.com", self.number());
                self.posted(member, "/api/v1/users/me/email", &json!({ "new_email": email, "password": PASSWORD }))
            }
            "create_user" => self.invited(&format!("invited{}@example.com", self.number())),
            "db_status" => admin("/db/status"),
            "docs" => anyone("/docs"),
            "download_export" => anyone(&format!("/export?token={export}")),
            "export" => got("/api/v1/users/me/export"),
            "follow_verification_link" => anyone("/auth/verify-email?token=x").header("accept", "text/html"),
            "health" => anyone("/health"),
            "healthz" => anyone("/healthz"),
            "history" => got("/api/v1/attempts/me?limit=20"),
            "home" => got("/home/"),
            "introspect" => {
                let request = self.app.request(Method::POST, "/oauth/introspect");
                let request = request.basic_auth("introspection", Some(&self.introspection));
                request.form(&[("token", &member.access_token)])
            }
            "is_admin" => got("/users/is-admin"),
            "jwks" => anyone("/.well-known/jwks.json"),
            "list_users" => admin("/api/v1/users?limit=20"),
            "login" => self.told("/api/v1/auth/login", &json!({ "email": member.email, "password": PASSWORD })),
            "me" => got("/api/v1/auth/me"),
            "metrics" => anyone("/metrics").bearer_auth(&self.scraper),
            "openapi" => anyone("/openapi.json"),
            "openid_configuration" => anyone("/.well-known/openid-configuration"),
            "password_reset_request" => {
                self.told("/api/v1/auth/password-reset-request", &json!({ "email": member.email }))
            }
            "preferences" => got("/api/v1/users/me/preferences"),
            "profile" => got("/api/v1/users/me/profile"),
            "questions" => got("/api/v1/attempts/me/questions?limit=20"),
            "readyz" => anyone("/readyz"),
            "redoc" => anyone("/redoc"),
            "refresh" => self.told("/api/v1/auth/refresh", &json!({ "refresh_token": member.refresh_token })),
            "register" => {
                let email = format!("new{}@example.com", self.number());
                self.told("/api/v1/auth/register", &json!({ "email": email, "password": PASSWORD }))
            }
            "reset_password_page" => anyone("/reset-password?token=x"),
            "root" => anyone("/"),
            "search" => got("/api/v1/users/search?q=anna&limit=20"),
            "sessions" => got("/api/v1/auth/sessions"),
            "stats" => got("/api/v1/users/me/stats"),
            "submit" => self.posted(member, "/api/v1/attempts/", &attempt()),
            "summary" => got("/api/v1/attempts/me/summary"),
            "token" => {
                let form = [("username", member.email.as_str()), ("password", PASSWORD)];
                self.app.request(Method::POST, "/api/v1/auth/token").form(&form)
            }
            "undo_email_change_page" => anyone("/undo-email-change?token=x"),
            "update_preferences" => put("/api/v1/users/me/preferences", json!({ "theme": "dark" })),
            "update_profile" => put("/api/v1/users/me/profile", json!({ "skills": ["Rust"] })),
            "update_user" => put("/api/v1/users/me", json!({ "location": "Oxford" })),
            "upload_avatar" => requests::upload(&self.app, member, &self.picture),
            "user" => got(&format!("/api/v1/users/{}", self.admin.id)),
            "verify_email_request" => self.told("/api/v1/auth/verify-email-request", &json!({ "email": unverified })),
            "verify_password" => self.posted(member, "/api/v1/auth/verify-password", &json!({ "password": PASSWORD })),
            _ => return None,
        })
    }

    /// Prepares so many requests that are each sent once, and waits for all that follows of it.
    pub async fn once(&self, operation: &Operation, count: usize) -> Result<Vec<RequestBuilder>> {
        let ready = self.prepared(operation, count).await?;
        self.settle().await;
        Ok(ready)
    }

    async fn prepared(&self, operation: &Operation, count: usize) -> Result<Vec<RequestBuilder>> {
        let by_newcomers = async |request: &dyn Fn(&Member) -> RequestBuilder| {
            Ok(self.newcomers(count).await?.iter().map(request).collect())
        };
        let posts = async |path: &str| by_newcomers(&|member| self.posted(member, path, &json!({}))).await;
        let avatar = |member: &Member| format!("/api/v1/users/{}/avatar", member.id);
        match operation.name() {
            "change_password" => {
                let body = json!({ "current_password": PASSWORD, "new_password": "another-horse-battery" });
                by_newcomers(&|member| self.posted(member, "/api/v1/auth/change-password", &body)).await
            }
            "delete_avatar" => {
                let members = self.newcomers(count).await?;
                self.all(&members, |member| requests::upload(&self.app, member, &self.picture)).await?;
                let delete =
                    |member| self.app.request(Method::DELETE, &avatar(member)).bearer_auth(&member.access_token);
                Ok(members.iter().map(delete).collect())
            }
            "delete_user" => {
                by_newcomers(&|member| {
                    self.app.request(Method::DELETE, "/api/v1/users/me").bearer_auth(&member.access_token)
                })
                .await
            }
            "downgrade" => {
                let members = self.newcomers(count).await?;
                self.all(&members, |member| self.posted(member, "/api/v1/users/me/upgrade", &json!({}))).await?;
                let path = "/api/v1/users/me/downgrade";
                Ok(members.iter().map(|member| self.posted(member, path, &json!({}))).collect())
            }
            "end_session" => {
                let members = self.newcomers(count).await?;
                let sessions = self.all(&members, |member| self.got(member, "/api/v1/auth/sessions")).await?;
                let end = |(member, sessions): (&Member, &Answer)| {
                    let id = sessions.json()[0]["id"].as_str().unwrap_or_default().to_owned();
                    let request = self.app.request(Method::DELETE, &format!("/api/v1/auth/sessions/{id}"));
                    request.bearer_auth(&member.access_token)
                };
                Ok(members.iter().zip(&sessions).map(end).collect())
            }
            "logout" => posts("/api/v1/auth/logout").await,
            "logout_all" => posts("/api/v1/auth/logout-all").await,
            "revoke" => {
                by_newcomers(&|member| {
                    let request = self.app.request(Method::POST, "/oauth/revoke");
                    let request = request.basic_auth("introspection", Some(&self.introspection));
                    request.form(&[("token", &member.refresh_token)])
                })
                .await
            }
            "start_export" => posts("/api/v1/users/me/export").await,
            "undo_email_change" => {
                let members = self.newcomers(count).await?;
                let moved = |member: &Member| member.email.replace("person", "moved");
                let change = |member: &Member| {
                    let body = json!({ "new_email": moved(member), "password": PASSWORD });
                    self.posted(member, "/api/v1/users/me/email", &body)
                };
                self.all(&members, change).await?;
                let tokens =
                    self.mailed(&members.iter().map(moved).collect::<Vec<_>>(), "/verify-email?token=").await?;
                let verify = |token: &String| self.told("/api/v1/auth/verify-email", &json!({ "token": token }));
                self.all(&tokens, verify).await?;
                let addresses = members.iter().map(|member| &member.email);
                let tokens = self.mailed(addresses, "/undo-email-change?token=").await?;
                let undo = |token| self.told("/api/v1/auth/undo-email-change", &json!({ "token": token }));
                Ok(tokens.into_iter().map(undo).collect())
            }
            "upgrade" => posts("/api/v1/users/me/upgrade").await,
            "verify_email" => {
                let addresses = self.strangers(count).await?;
                let tokens = self.mailed(&addresses, "/verify-email?token=").await?;
                let verify = |token| self.told("/api/v1/auth/verify-email", &json!({ "token": token }));
                Ok(tokens.into_iter().map(verify).collect())
            }
            name @ ("verify_reset_code" | "password_reset_confirm") => {
                let addresses = self.people(count);
                let path = "/api/v1/auth/password-reset-request";
                self.all(&addresses, |email| self.told(path, &json!({ "email": email }))).await?;
                let codes = self.mailed(&addresses, "your code is ").await?;
                let with_code = |(email, code): (&String, String)| match name {
                    "verify_reset_code" => {
                        self.told("/api/v1/auth/verify-reset-code", &json!({ "email": email, "code": code }))
                    }
                    _ => {
                        let body = json!({ "email": email, "code": code, "new_password": "another-horse-battery" });
                        self.told("/api/v1/auth/password-reset-confirm", &body)
                    }
                };
                Ok(addresses.iter().zip(codes).map(with_code).collect())
            }
            name => Err(Failure(format!("the bench does not know how {name} is asked for"))),
        }
    }

    /// People who can sign in, by their addresses.
    fn people(&self, count: usize) -> Vec<String> {
        let first = self.next.fetch_add(count as u64, Ordering::Relaxed);
        self.app.load_members(first, count as u64, &self.hash);
        (first..first + count as u64).map(|number| format!("person{number}@example.com")).collect()
    }

    /// People who have signed in.
    async fn newcomers(&self, count: usize) -> Result<Vec<Member>> {
        let mut members = Vec::new();
        for addresses in self.people(count).chunks(AT_ONCE) {
            members.extend(join_all(addresses.iter().map(|email| self.app.sign_in(email))).await);
        }
        Ok(members)
    }

    /// The addresses of people who registered and have not verified them.
    async fn strangers(&self, count: usize) -> Result<Vec<String>> {
        let addresses: Vec<_> = (0..count).map(|_| format!("stranger{}@example.com", self.number())).collect();
        let path = "/api/v1/auth/register";
        self.all(&addresses, |email| self.told(path, &json!({ "email": email, "password": PASSWORD }))).await?;
        Ok(addresses)
    }

    /// Sends a request for each of them, some at a time.
    async fn all<T>(&self, of: &[T], request: impl Fn(&T) -> RequestBuilder) -> Result<Vec<Answer>> {
        let mut answers = Vec::new();
        for some in of.chunks(AT_ONCE) {
            for answer in join_all(some.iter().map(|one| self.app.send(request(one)))).await {
                answers.push(fine("a preparation", answer)?);
            }
        }
        Ok(answers)
    }

    /// What follows `mark` in the newest mail to each of these addresses that has it.
    async fn mailed<'a>(&self, addresses: impl IntoIterator<Item = &'a String>, mark: &str) -> Result<Vec<String>> {
        let addresses: Vec<_> = addresses.into_iter().collect();
        let until = Instant::now() + PATIENCE;
        loop {
            let mut found = HashMap::new();
            for letter in self.app.all_letters().await {
                let rest = letter.text.split(mark).nth(1);
                if let Some(token) = rest.and_then(|rest| rest.split_whitespace().next()) {
                    found.entry(letter.to.clone()).or_insert(token.to_owned());
                }
            }
            let tokens: Option<Vec<_>> = addresses.iter().map(|address| found.get(*address).cloned()).collect();
            match tokens {
                Some(tokens) => return Ok(tokens),
                None if Instant::now() >= until => return Err(Failure(format!("a mail with {mark} does not come"))),
                None => {}
            }
        }
    }

    /// Sends the next request when the last one was answered, up to a moment. Answers with what each took, in milliseconds.
    pub async fn ask_until(&self, operation: &Operation, client: &mut Client, until: Instant) -> Result<Vec<f64>> {
        let mut times = Vec::new();
        while Instant::now() < until {
            times.push(self.ask(operation, client).await?);
        }
        Ok(times)
    }

    /// Sends a request and waits for the answer. Answers with what that took, in milliseconds.
    pub async fn ask(&self, operation: &Operation, client: &mut Client) -> Result<f64> {
        let unknown = || Failure(format!("{} is not asked for again and again", operation.name()));
        let request = self.again(operation, client).ok_or_else(unknown)?;
        let began = Instant::now();
        let answer = self.app.send(request).await;
        let took = ms(began.elapsed());
        let answer = fine(operation.name(), answer)?;
        // A login by the sixth session ends an older one, and a refresh token is good once.
        if ["login", "token", "refresh"].contains(&operation.name()) {
            let tokens = answer.json();
            let token = |name: &str| tokens[name].as_str().unwrap_or_default().to_owned();
            (client.member.access_token, client.member.refresh_token) = (token("access_token"), token("refresh_token"));
        }
        Ok(took)
    }

    /// Sends requests one after the other. Answers with what each took, in milliseconds.
    pub async fn ask_each(&self, operation: &Operation, ready: Vec<RequestBuilder>) -> Result<Vec<f64>> {
        let mut times = Vec::new();
        for request in ready {
            let began = Instant::now();
            let answer = self.app.send(request).await;
            times.push(ms(began.elapsed()));
            fine(operation.name(), answer)?;
        }
        Ok(times)
    }
}

/// Refuses an answer that is none of success: what failed is no figure.
fn fine(name: &str, answer: Answer) -> Result<Answer> {
    let Answer { status, text, .. } = &answer;
    if status.as_u16() < 400 { Ok(answer) } else { Err(Failure(format!("{name}: {status} {text}"))) }
}
