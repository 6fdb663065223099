//! Every operation of the API, as clients ask for it: most again and again, some once, of what was prepared for that.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tests::{
    client::{Answer, Member, PASSWORD},
    derived,
};

use crate::{
    Failure, Result,
    requests::{self, attempt},
    stand::{Client, Stand},
};

/// What hashes a password, and so waits for the place of another one.
const HASHES: [&str; 7] =
    ["change_email", "change_password", "login", "password_reset_confirm", "register", "token", "verify_password"];
/// What is answered no sooner than after 100 ms, so that nobody learns whether there is an account.
const HELD: [&str; 2] = ["password_reset_request", "verify_email_request"];

/// An operation, by its id.
#[derive(Clone, Debug)]
pub struct Operation(String);

impl Operation {
    /// All of the API's.
    pub fn all() -> Vec<Self> {
        derived::operations().into_keys().map(Self).collect()
    }

    pub fn login() -> Self {
        Self("login".to_owned())
    }

    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether its time is that of something else: of other passwords, or of a moment that is held to.
    pub fn waits(&self) -> bool {
        HASHES.contains(&self.name()) || HELD.contains(&self.name())
    }
}

impl Stand {
    /// What that client sends, again and again; nothing of what can be asked for once by each person, session or link, and of what takes
    /// a code that lives for minutes.
    pub fn again(&self, operation: &Operation, client: &Client) -> Option<RequestBuilder> {
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

    /// Whether it is sent once.
    pub fn is_sent_once(&self, operation: &Operation, client: &Client) -> bool {
        self.again(operation, client).is_none()
    }

    /// Prepares so many requests that are each sent once.
    pub async fn once(&self, operation: &Operation, count: usize) -> Result<Vec<RequestBuilder>> {
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
}
