//! The same tests against a deployment: one stack for all of them, reached by its API alone. Each test's people have
//! a domain of their own there, so that they do not meet.

use std::{
    collections::HashSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use local::Letter;
use reqwest::{Body, Client, Request};
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// How the domains begin that tests write, in each spelling that they use; theirs go in between.
const DOMAINS: [&str; 3] = ["@example.", "@Example.", "@EXAMPLE."];
/// How long a mail may take, and how long a second one like one that was found before.
const LONGEST: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(250);

/// What a test says that cannot do without the local stack; whoever runs the tests counts it apart.
pub const NEEDS_LOCAL: &str = "this needs the local stack: ";

/// A deployment, and one test's part of it.
pub struct Deployed {
    api: String,
    mails: String,
    /// Goes between the `@` and the domain.
    part: String,
    client: Client,
    found: Mutex<HashSet<String>>,
}

impl Deployed {
    /// The deployment that the environment names, if it does. Tests with an admin have domains of which it knows the admin,
    /// `root@a0.example.com` and so on.
    #[expect(clippy::disallowed_methods, reason = "where a deployment is, is told by whoever made it")]
    pub fn of_environment(with_admin: bool) -> Option<Self> {
        static TESTS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let (kind, tests) = if with_admin { ('a', &TESTS[0]) } else { ('t', &TESTS[1]) };
        let (api, mails) = std::env::var("DEPLOYED_API").ok().zip(std::env::var("DEPLOYED_MAILS").ok())?;
        let part = format!("{kind}{}.", tests.fetch_add(1, Ordering::Relaxed));
        Some(Self { api, mails, part, client: Client::new(), found: Mutex::default() })
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
        DOMAINS.into_iter().fold(text.to_owned(), |text, domain| {
            let own = self.domain(domain);
            text.replace(domain, &own).replace(&encoded(domain), &encoded(&own))
        })
    }

    /// A text as the test is to see it.
    pub fn incoming(&self, text: &str) -> String {
        text.replace(&self.domain(DOMAINS[0]), DOMAINS[0])
    }

    fn domain(&self, domain: &str) -> String {
        domain.replacen('@', &format!("@{}", self.part), 1)
    }

    /// What `find` finds in the newest mail that has it, once it is there: another than it found before, if one comes.
    pub async fn await_letter(&self, find: impl Fn(&Letter) -> Option<String>) -> Option<String> {
        let began = Instant::now();
        loop {
            let found = self.sent().await.iter().find_map(&find);
            let known = found.as_ref().is_some_and(|found| self.found().contains(found));
            let patience = if known { SECOND } else { LONGEST };
            if found.is_some() && !known || began.elapsed() > patience {
                self.found().extend(found.clone());
                return found;
            }
            sleep(PAUSE).await;
        }
    }

    fn found(&self) -> MutexGuard<'_, HashSet<String>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
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
        let ours = |mail: &&Value| mail["To"][0].as_str().is_some_and(|to| to.contains(&self.domain(DOMAINS[0])));
        let mut letters: Vec<Letter> = mails.filter(ours).map(letter).collect();
        letters.sort_by_key(|letter| std::cmp::Reverse(letter.sent_at));
        letters
    }
}
