//! A stack, and those who ask it.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use shared::{crypto::Hasher, domain::Plaintext};
use tests::client::{Answer, App, Member, PASSWORD};

use crate::{
    Failure, Result,
    operations::Operation,
    requests::{self, ADMIN, SETTINGS, dress},
    stats::ms,
};

/// How many are prepared at a time.
const AT_ONCE: usize = 16;
/// What an admin did, at first.
const AUDITED: usize = 25;
/// Streams that took less than this had caught up.
const SETTLED: Duration = Duration::from_secs(3);
/// How long mails may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Someone who asks.
pub struct Client {
    pub member: Member,
    pub attempt: String,
    pub export: String,
    /// The address of someone who has not verified it.
    pub unverified: String,
}

/// A stack, and those who ask it.
pub struct Stand {
    pub app: App,
    pub admin: Member,
    hash: String,
    pub introspection: String,
    pub scraper: String,
    pub picture: Vec<u8>,
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
        let scraper = requests::scrape_token(&app).await;
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

    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub fn got(&self, member: &Member, path: &str) -> RequestBuilder {
        self.app.request(Method::GET, path).bearer_auth(&member.access_token)
    }

    pub fn posted(&self, member: &Member, path: &str, body: &Value) -> RequestBuilder {
        self.told(path, body).bearer_auth(&member.access_token)
    }

    pub fn told(&self, path: &str, body: &Value) -> RequestBuilder {
        self.app.request(Method::POST, path).json(body)
    }

    pub fn invited(&self, email: &str) -> RequestBuilder {
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

    /// People who can sign in, by their addresses.
    pub fn people(&self, count: usize) -> Vec<String> {
        let first = self.next.fetch_add(count as u64, Ordering::Relaxed);
        self.app.load_members(first, count as u64, &self.hash);
        (first..first + count as u64).map(|number| format!("person{number}@example.com")).collect()
    }

    /// People who have signed in.
    pub async fn newcomers(&self, count: usize) -> Result<Vec<Member>> {
        let mut members = Vec::new();
        for addresses in self.people(count).chunks(AT_ONCE) {
            members.extend(join_all(addresses.iter().map(|email| self.app.sign_in(email))).await);
        }
        Ok(members)
    }

    /// The addresses of people who registered and have not verified them.
    pub async fn strangers(&self, count: usize) -> Result<Vec<String>> {
        let addresses: Vec<_> = (0..count).map(|_| format!("stranger{}@example.com", self.number())).collect();
        let path = "/api/v1/auth/register";
        self.all(&addresses, |email| self.told(path, &json!({ "email": email, "password": PASSWORD }))).await?;
        Ok(addresses)
    }

    /// Sends a request for each of them, some at a time.
    pub async fn all<T>(&self, of: &[T], request: impl Fn(&T) -> RequestBuilder) -> Result<Vec<Answer>> {
        let mut answers = Vec::new();
        for some in of.chunks(AT_ONCE) {
            for answer in join_all(some.iter().map(|one| self.app.send(request(one)))).await {
                answers.push(fine("a preparation", answer)?);
            }
        }
        Ok(answers)
    }

    /// What follows `mark` in the newest mail to each of these addresses that has it.
    pub async fn mailed<'a>(&self, addresses: impl IntoIterator<Item = &'a String>, mark: &str) -> Result<Vec<String>> {
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
        let (took, answer) = self.timed(operation, request).await?;
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
            times.push(self.timed(operation, request).await?.0);
        }
        Ok(times)
    }

    async fn timed(&self, operation: &Operation, request: RequestBuilder) -> Result<(f64, Answer)> {
        let began = Instant::now();
        let answer = self.app.send(request).await;
        let took = ms(began.elapsed());
        Ok((took, fine(operation.name(), answer)?))
    }
}

/// Refuses an answer that is none of success: what failed is no figure.
fn fine(name: &str, answer: Answer) -> Result<Answer> {
    let Answer { status, text, .. } = &answer;
    if status.as_u16() < 400 { Ok(answer) } else { Err(Failure(format!("{name}: {status} {text}"))) }
}
