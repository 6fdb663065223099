//! The same tests against a deployment: one stack for all of them, reached by its API alone. Each test's people have
//! a domain of their own there, so that they do not meet.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use chrono::{DateTime, Utc};
use local::Letter;
use reqwest::{Body, Client, Request};
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// The domain that tests write, and the one after which theirs is named.
const DOMAIN: &str = "@example.com";
/// How long mails may take, and how long none must come for there to be no more.
const LONGEST: Duration = Duration::from_secs(60);
const QUIET: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(250);

/// What a test says that cannot do without the local stack; whoever runs the tests counts it apart.
pub const NEEDS_LOCAL: &str = "this needs the local stack: ";

/// A deployment, and one test's part of it.
pub struct Deployed {
    api: String,
    mails: String,
    domain: String,
    client: Client,
}

impl Deployed {
    /// The deployment that the environment names, if it does. Tests with an admin have domains of which it knows the admin,
    /// `root@a0.example.com` and so on.
    #[expect(clippy::disallowed_methods, reason = "where a deployment is, is told by whoever made it")]
    pub fn of_environment(with_admin: bool) -> Option<Self> {
        static TESTS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let (kind, tests) = if with_admin { ('a', &TESTS[0]) } else { ('t', &TESTS[1]) };
        let (api, mails) = std::env::var("DEPLOYED_API").ok().zip(std::env::var("DEPLOYED_MAILS").ok())?;
        let domain = format!("@{kind}{}.example.com", tests.fetch_add(1, Ordering::Relaxed));
        Some(Self { api, mails, domain, client: Client::new() })
    }

    /// The address of a path.
    pub fn address(&self, path: &str) -> String {
        format!("{}{}", self.api, self.outgoing(path))
    }

    /// The request with this test's own domain in its body.
    pub fn own(&self, mut request: Request) -> Request {
        let text = request.body().and_then(Body::as_bytes).and_then(|bytes| std::str::from_utf8(bytes).ok());
        if let Some(text) = text.map(|text| self.outgoing(text)) {
            request.headers_mut().remove("content-length");
            *request.body_mut() = Some(text.into());
        }
        request
    }

    /// A text as the deployment is to see it.
    pub fn outgoing(&self, text: &str) -> String {
        let encoded = |text: &str| text.replace('@', "%40");
        text.replace(DOMAIN, &self.domain)
            .replace(&DOMAIN.to_uppercase(), &self.domain.to_uppercase())
            .replace(&encoded(DOMAIN), &encoded(&self.domain))
    }

    /// A text as the test is to see it.
    pub fn incoming(&self, text: &str) -> String {
        text.replace(&self.domain, DOMAIN)
    }

    /// The mails to this test's people, newest first, once none comes any more.
    pub async fn letters(&self) -> Vec<Letter> {
        let end = Instant::now() + LONGEST;
        let (mut letters, mut since) = (self.sent().await, Instant::now());
        while since.elapsed() < QUIET && Instant::now() < end {
            sleep(PAUSE).await;
            let now = self.sent().await;
            if now.len() != letters.len() {
                (letters, since) = (now, Instant::now());
            }
        }
        letters
    }

    /// The first thing that `find` finds in the mails, newest first, once it is there.
    pub async fn await_letter<T>(&self, find: impl Fn(&Letter) -> Option<T>) -> Option<T> {
        let end = Instant::now() + LONGEST;
        loop {
            let found = self.sent().await.iter().find_map(&find);
            if found.is_some() || Instant::now() > end {
                return found;
            }
            sleep(PAUSE).await;
        }
    }

    async fn sent(&self) -> Vec<Letter> {
        let answer = self.client.get(&self.mails).send().await.expect("the emulator answers");
        let told: Value = answer.json().await.expect("its mails");
        let accounts = told["messages"].as_object().into_iter().flatten();
        let mails = accounts.flat_map(|(_, mails)| mails.as_array().into_iter().flatten());
        let text = |value: &Value| self.incoming(value.as_str().unwrap_or_default());
        let letter = |mail: &Value| Letter {
            id: text(&mail["MessageId"]),
            to: text(&mail["To"][0]),
            subject: text(&mail["Subject"]),
            text: text(&mail["BodyText"]),
            html: text(&mail["BodyHtml"]),
            sent_at: mail["Timestamp"]
                .as_f64()
                .and_then(|at| DateTime::<Utc>::from_timestamp_millis((at * 1000.0) as i64))
                .unwrap_or_default(),
        };
        let ours = |mail: &&Value| mail["To"][0].as_str().is_some_and(|to| to.ends_with(&self.domain));
        let mut letters: Vec<Letter> = mails.filter(ours).map(letter).collect();
        letters.sort_by_key(|letter| std::cmp::Reverse(letter.sent_at));
        letters
    }
}
