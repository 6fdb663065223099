//! A walk through every endpoint, and what each request of it took of DynamoDB.

use std::collections::{BTreeSet, HashSet};

use chrono::TimeDelta;
use figures::capacity::Row;
use local::{Call, Entry, total};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::{
    client::{Answer, App, Member, PASSWORD},
    derived::operations,
};

/// At most so many round trips, WRU and RRU.
type Budget = (usize, f64, f64);

/// Nothing asked of DynamoDB.
const FREE: Budget = (0, 0.0, 0.0);
/// One's own account, and what is read along with it.
const ONE_READ: Budget = (1, 0.0, 2.0);
/// One's own account and a document, of which the document is written.
const EDIT: Budget = (2, 1.0, 2.0);
const REFUSED_LOGIN: Budget = (3, 2.0, 1.0);

const ALICE: &str = "alice@example.com";
/// A picture of eight pixels by sixteen.
const PICTURE: &str = include_str!("../../events/avatars/upload_avatar.json");

/// Walks, and answers with what it took, in the order of the walk.
///
/// # Panics
/// Where an endpoint refuses what it should take, where a request is over its budget, and where the API has an operation that
/// the walk does not call.
pub async fn walk() -> Vec<Row> {
    let settings = [("DIRECTORY_ACCESS", "members"), ("RATE_IP_PER_MINUTE", "1000")];
    let (app, admin) = App::with_admin(&settings).await;
    // Slow enough for calls that go out together to be seen to overlap.
    app.fault(json!({ "service": "dynamodb", "kind": "slow", "milliseconds": 60, "count": 1_000_000 })).await;
    let mut book = Book { app, seen: HashSet::new(), rows: Vec::new() };
    let alice = book.arrival().await;
    let alice = book.session(alice).await;
    book.attempts(&alice).await;
    book.person(&alice).await;
    book.avatars(&alice).await;
    book.others(&alice, &admin).await;
    book.system(&admin).await;
    let alice = book.addresses(&alice).await;
    let alice = book.passwords(&alice).await;
    book.departure(&alice).await;
    book.is_whole();
    book.rows
}

struct Book {
    app: App,
    /// Requests and batches that were looked at.
    seen: HashSet<String>,
    rows: Vec<Row>,
}

impl Book {
    /// Registering, verifying, and signing in.
    async fn arrival(&mut self) -> Member {
        let body = json!({ "email": ALICE, "password": PASSWORD, "name": "Alice", "username": "alice" });
        self.posted("register", "/api/v1/auth/register", body, (2, 8.0, 0.0)).await;
        let body = json!({ "email": ALICE });
        self.posted("verify_email_request", "/api/v1/auth/verify-email-request", body, (2, 1.0, 1.0)).await;
        let token = self.app.verification_token(ALICE).await;
        self.got("follow_verification_link", &format!("/auth/verify-email?token={token}"), FREE).await;
        let body = json!({ "token": token });
        self.posted("verify_email", "/api/v1/auth/verify-email", body, (2, 2.0, 1.0)).await;

        self.app.register("bob@example.com").await;
        let mut login = async |case: &str, email: &str, password: &str, budget: Budget| {
            let body = json!({ "email": email, "password": password });
            let request = self.app.request(Method::POST, "/api/v1/auth/login").json(&body);
            self.note("login", case, request, budget).await
        };
        login("unknown address", "nobody@example.com", PASSWORD, REFUSED_LOGIN).await;
        for number in ["first", "second", "third"] {
            login(&format!("{number} wrong password"), "bob@example.com", "wrong", REFUSED_LOGIN).await;
        }
        login("locked", "bob@example.com", PASSWORD, (2, 1.0, 1.0)).await;
        let form = [("username", ALICE), ("password", PASSWORD)];
        let request = self.app.request(Method::POST, "/api/v1/auth/token").form(&form);
        self.note("token", "", request, (3, 3.0, 3.0)).await;
        let mut last = None;
        for case in ["", "sixth session, the oldest of which goes"] {
            for _ in 0..3 {
                self.app.login(ALICE, PASSWORD).await;
            }
            let body = json!({ "email": ALICE, "password": PASSWORD });
            let request = self.app.request(Method::POST, "/api/v1/auth/login").json(&body);
            last = Some(self.note("login", case, request, (3, 3.0, 3.0)).await);
        }
        Member::new(ALICE, &last.expect("a login"))
    }

    /// What a session is for, and how it ends. Answers with one that still lives.
    async fn session(&mut self, alice: Member) -> Member {
        self.read(&alice, "me", "/api/v1/auth/me", ONE_READ).await;
        self.read(&alice, "sessions", "/api/v1/auth/sessions", (2, 0.0, 6.0)).await;
        let body = json!({ "refresh_token": alice.refresh_token });
        let answer = self.posted("refresh", "/api/v1/auth/refresh", body, (1, 1.0, 0.0)).await;
        let alice = Member { refresh_token: text(&answer, "refresh_token"), ..alice };
        let secret = self.app.secret("Clients").await["introspection"].as_str().unwrap_or_default().to_owned();
        for (operation, path, budget) in
            [("introspect", "/oauth/introspect", (1, 0.0, 1.0)), ("revoke", "/oauth/revoke", (1, 1.0, 0.0))]
        {
            let token = if operation == "revoke" { &alice.refresh_token } else { &alice.access_token };
            let request = self.app.request(Method::POST, path).basic_auth("introspection", Some(&secret));
            self.note(operation, "", request.form(&[("token", token)]), budget).await;
        }
        let alice = self.app.sign_in(ALICE).await;
        let other = self.app.sign_in(ALICE).await;
        let sessions = self.app.get_as(&other, "/api/v1/auth/sessions").await.json();
        let current = sessions.as_array().into_iter().flatten().find(|session| session["is_current"] == true);
        let id = current.and_then(|session| session["id"].as_str()).expect("a session").to_owned();
        let request = self.app.request(Method::DELETE, &format!("/api/v1/auth/sessions/{id}"));
        self.note("end_session", "", request.bearer_auth(&alice.access_token), (2, 1.0, 1.0)).await;
        let other = self.app.sign_in(ALICE).await;
        self.post(&other, "logout", "/api/v1/auth/logout", json!({}), (1, 1.0, 1.0)).await;
        self.post(&alice, "logout_all", "/api/v1/auth/logout-all", json!({}), (1, 1.0, 1.0)).await;
        self.app.sign_in(ALICE).await
    }

    async fn attempts(&mut self, alice: &Member) {
        let attempt = json!({ "question_id": 1, "language": "python", "submitted_code": "def solution(n): return n",
            "passed_tests": 10, "total_tests": 10 });
        let mut id = String::new();
        for (case, key) in [("first of a question", None), ("", None), ("with a key", Some("key-1"))] {
            let request = self.app.request(Method::POST, "/api/v1/attempts/").bearer_auth(&alice.access_token);
            let request = key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
            let most = if key.is_some() { 14.0 } else { 12.0 };
            let answer = self.note("submit", case, request.json(&attempt), (2, most, 3.0)).await;
            id = text(&answer, "id");
        }
        self.read(alice, "attempt", &format!("/api/v1/attempts/{id}"), ONE_READ).await;
        self.app.load_attempts(&self.app.member("carol@example.com").await, 10);
        let dora = self.app.member("dora@example.com").await;
        // Some of them on every day of the year that the activity answers with.
        self.app.load_attempts_apart(&dora, 10_000, TimeDelta::hours(1));
        for (case, path) in [
            ("newest 20 of 10,000", "/api/v1/attempts/me?limit=20"),
            ("20 of 10,000 at offset 9,000", "/api/v1/attempts/me?limit=20&offset=9000"),
            ("20 across two partitions", "/api/v1/attempts/me?limit=20&offset=1800"),
            ("20 of one question", "/api/v1/attempts/me?limit=20&question_id=7"),
        ] {
            let request = self.app.request(Method::GET, path).bearer_auth(&dora.access_token);
            self.note("history", case, request, (2, 0.0, 3.0)).await;
        }
        self.read(&dora, "questions", "/api/v1/attempts/me/questions?limit=20", ONE_READ).await;
        let request = self.app.request(Method::GET, "/api/v1/attempts/me/activity").bearer_auth(&dora.access_token);
        let year = self.note("activity", "a year with attempts on every day", request, (1, 0.0, 3.0)).await;
        assert!(year.json().as_array().is_some_and(|days| days.len() >= 365), "{}", year.text);
        self.read(&dora, "summary", "/api/v1/attempts/me/summary", ONE_READ).await;
    }

    /// What people see and say of themselves.
    async fn person(&mut self, alice: &Member) {
        let rename = json!({ "username": "alice_2", "full_name": "Alice Liddell" });
        self.put(alice, "update_user", "a new username", "/api/v1/users/me", rename, (3, 8.0, 2.0)).await;
        let edit = json!({ "location": "Oxford" });
        self.put(alice, "update_user", "a field of the profile", "/api/v1/users/me", edit, (2, 1.0, 2.0)).await;
        self.read(alice, "profile", "/api/v1/users/me/profile", ONE_READ).await;
        let edit = json!({ "skills": ["Rust"] });
        self.put(alice, "update_profile", "", "/api/v1/users/me/profile", edit, EDIT).await;
        self.read(alice, "preferences", "/api/v1/users/me/preferences", ONE_READ).await;
        let edit = json!({ "theme": "dark" });
        self.put(alice, "update_preferences", "", "/api/v1/users/me/preferences", edit, EDIT).await;
        self.read(alice, "stats", "/api/v1/users/me/stats", ONE_READ).await;
        self.read(alice, "home", "/home/", (1, 0.0, 1.0)).await;
        self.read(alice, "is_admin", "/users/is-admin", ONE_READ).await;
        self.post(alice, "upgrade", "/api/v1/users/me/upgrade", json!({}), (2, 2.0, 2.0)).await;
        self.post(alice, "downgrade", "/api/v1/users/me/downgrade", json!({}), (2, 2.0, 2.0)).await;
        self.post(alice, "start_export", "/api/v1/users/me/export", json!({}), (2, 1.0, 1.0)).await;
        self.read(alice, "export", "/api/v1/users/me/export", (1, 0.0, 1.0)).await;
        let token = self.app.mailed_token(ALICE, "/export?token=").await;
        self.got("download_export", &format!("/export?token={token}"), (1, 0.0, 1.0)).await;
    }

    async fn avatars(&mut self, alice: &Member) {
        let event: Value = serde_json::from_str(PICTURE).expect("an event");
        let picture = data_encoding::BASE64.decode(event["body"].as_str().unwrap_or_default().as_bytes());
        let path = format!("/api/v1/users/{}/avatar", alice.id);
        let request = self.app.request(Method::POST, &path).bearer_auth(&alice.access_token);
        let request = request.header("content-type", "image/png").body(picture.expect("a picture"));
        self.note("upload_avatar", "", request, EDIT).await;
        self.got("avatar", &path, ONE_READ).await;
        let request = self.app.request(Method::GET, &path).bearer_auth(&alice.access_token);
        self.note("avatar", "one's own", request, ONE_READ).await;
        let request = self.app.request(Method::DELETE, &path).bearer_auth(&alice.access_token);
        self.note("delete_avatar", "", request, EDIT).await;
    }

    /// What people see of others, and what admins do with them.
    async fn others(&mut self, alice: &Member, admin: &Member) {
        self.app.load_people(0, 1_000);
        self.read(alice, "search", "/api/v1/users/search?q=anna&limit=20", (2, 0.0, 6.0)).await;
        self.read(alice, "user", &format!("/api/v1/users/{}", admin.id), (2, 0.0, 4.0)).await;
        self.read(admin, "list_users", "/api/v1/users?limit=20", (5, 0.0, 42.5)).await;
        let body = json!({ "email": "erin@example.com", "name": "Erin" });
        self.post(admin, "create_user", "/api/v1/users", body, (2, 11.0, 1.0)).await;
        let token = self.app.mailed_token("erin@example.com", "/accept-invitation?token=").await;
        self.got("accept_invitation_page", &format!("/accept-invitation?token={token}"), FREE).await;
        self.read(admin, "audit", "/api/v1/admin/audit", (2, 0.0, 2.0)).await;
    }

    async fn system(&mut self, admin: &Member) {
        for (operation, path) in [
            ("root", "/"),
            ("healthz", "/healthz"),
            ("docs", "/docs"),
            ("redoc", "/redoc"),
            ("openapi", "/openapi.json"),
            ("jwks", "/.well-known/jwks.json"),
            ("openid_configuration", "/.well-known/openid-configuration"),
        ] {
            self.got(operation, path, FREE).await;
        }
        for (operation, path) in [("health", "/health"), ("readyz", "/readyz")] {
            self.got(operation, path, (1, 0.0, 2.0)).await;
        }
        self.read(admin, "db_status", "/db/status", (2, 0.0, 1.0)).await;
        let token = self.app.secret("ScrapeToken").await["token"].as_str().unwrap_or_default().to_owned();
        let request = self.app.request(Method::GET, "/metrics").bearer_auth(token);
        self.note("metrics", "", request, (1, 0.0, 4.0)).await;
    }

    /// A change of address and its undoing, which ends every session.
    async fn addresses(&mut self, alice: &Member) -> Member {
        let new = "alice@example.org";
        let body = json!({ "new_email": new, "password": PASSWORD });
        self.post(alice, "change_email", "/api/v1/users/me/email", body, (3, 8.0, 2.0)).await;
        let body = json!({ "token": self.app.mailed_token(new, "/verify-email?token=").await });
        let request = self.app.request(Method::POST, "/api/v1/auth/verify-email").json(&body);
        self.note("verify_email", "of a change of address", request, (3, 8.0, 1.0)).await;
        let token = self.app.mailed_token(ALICE, "/undo-email-change?token=").await;
        self.got("undo_email_change_page", &format!("/undo-email-change?token={token}"), FREE).await;
        let body = json!({ "token": token });
        self.posted("undo_email_change", "/api/v1/auth/undo-email-change", body, (2, 6.0, 1.0)).await;
        self.app.sign_in(ALICE).await
    }

    async fn passwords(&mut self, alice: &Member) -> Member {
        let body = json!({ "password": PASSWORD });
        self.post(alice, "verify_password", "/api/v1/auth/verify-password", body, (3, 2.0, 1.0)).await;
        let body = json!({ "current_password": PASSWORD, "new_password": "another-horse-battery" });
        self.post(alice, "change_password", "/api/v1/auth/change-password", body, (3, 2.0, 1.0)).await;
        for (case, email) in [("", ALICE), ("unknown address", "nobody@example.com")] {
            let request = self.app.request(Method::POST, "/api/v1/auth/password-reset-request");
            let request = request.json(&json!({ "email": email }));
            self.note("password_reset_request", case, request, (2, 1.0, 1.0)).await;
        }
        let (code, token) = self.app.reset_secrets(ALICE).await;
        self.got("reset_password_page", &format!("/reset-password?token={token}"), FREE).await;
        let body = json!({ "email": ALICE, "code": code });
        self.posted("verify_reset_code", "/api/v1/auth/verify-reset-code", body, (3, 2.0, 1.0)).await;
        let body = json!({ "email": ALICE, "code": code, "new_password": PASSWORD });
        let path = "/api/v1/auth/password-reset-confirm";
        self.posted("password_reset_confirm", path, body, (3, 2.0, 1.0)).await;
        self.app.sign_in(ALICE).await
    }

    async fn departure(&mut self, alice: &Member) {
        let request = self.app.request(Method::DELETE, "/api/v1/users/me").bearer_auth(&alice.access_token);
        self.note("delete_user", "", request, (3, 23.0, 2.0)).await;
    }

    async fn got(&mut self, operation: &str, path: &str, budget: Budget) -> Answer {
        let request = self.app.request(Method::GET, path);
        self.note(operation, "", request, budget).await
    }

    async fn posted(&mut self, operation: &str, path: &str, body: Value, budget: Budget) -> Answer {
        let request = self.app.request(Method::POST, path).json(&body);
        self.note(operation, "", request, budget).await
    }

    async fn read(&mut self, member: &Member, operation: &str, path: &str, budget: Budget) -> Answer {
        let request = self.app.request(Method::GET, path).bearer_auth(&member.access_token);
        self.note(operation, "", request, budget).await
    }

    async fn post(&mut self, member: &Member, operation: &str, path: &str, body: Value, budget: Budget) -> Answer {
        let request = self.app.request(Method::POST, path).bearer_auth(&member.access_token).json(&body);
        self.note(operation, "", request, budget).await
    }

    async fn put(&mut self, member: &Member, operation: &str, case: &str, path: &str, body: Value, budget: Budget) {
        let request = self.app.request(Method::PUT, path).bearer_auth(&member.access_token).json(&body);
        self.note(operation, case, request, budget).await;
    }

    /// Sends a request, waits for what follows it, and writes down what all of that took.
    async fn note(&mut self, operation: &str, case: &str, request: RequestBuilder, budget: Budget) -> Answer {
        self.settle().await;
        let answer = self.app.send(request).await;
        let refused = ["unknown", "wrong", "locked"].iter().any(|word| case.contains(word));
        let fine = answer.status.is_success() || answer.status.is_redirection();
        assert!(fine || (refused && operation == "login"), "{operation} {case}: {} {}", answer.status, answer.text);
        let new = self.settle().await;
        let id = answer.header("x-request-id");
        let mut own = new.iter().find(|entry| entry.request_id == id).cloned().unwrap_or_default();
        let limiter = |call: &Call| call.kind.as_deref() == Some("RATE");
        let mut limits = own.clone();
        limits.calls.retain(limiter);
        own.calls.retain(|call| !limiter(call) && call.service == "dynamodb");
        let after = || new.iter().filter(|entry| entry.route.starts_with("stream "));
        let row = Row {
            operation: operation.to_owned(),
            case: case.to_owned(),
            round_trips: own.round_trips(),
            wru: own.wru(),
            rru: own.rru(),
            limiter_wru: limits.wru(),
            limiter_round_trips: limits.round_trips(),
            after_wru: total(after().map(Entry::wru)),
            after_rru: total(after().map(Entry::rru)),
            after_batches: after().count(),
            after_round_trips: after().map(Entry::round_trips).sum(),
            mails: after().flat_map(|entry| &entry.calls).filter(|call| call.service == "ses").count(),
            budget,
        };
        let (trips, wru, rru) = budget;
        assert!(row.round_trips <= trips && row.wru <= wru && row.rru <= rru, "{row:?} is over its budget: {own:#?}");
        self.rows.push(row);
        answer
    }

    /// Waits until the streams have caught up. Answers with what the ledger has gained.
    async fn settle(&mut self) -> Vec<Entry> {
        self.app.all_letters().await;
        let ledger: Vec<Entry> = serde_json::from_str(&self.app.get("/_local/ledger").await.text).expect("the ledger");
        ledger.into_iter().filter(|entry| self.seen.insert(entry.request_id.clone())).collect()
    }

    fn is_whole(&self) {
        let all: BTreeSet<_> = operations().into_keys().collect();
        let walked: BTreeSet<_> = self.rows.iter().map(|row| row.operation.clone()).collect();
        assert_eq!(all, walked, "the walk calls every operation of the API");
    }
}

fn text(answer: &Answer, field: &str) -> String {
    answer.json()[field].as_str().unwrap_or_default().to_owned()
}
