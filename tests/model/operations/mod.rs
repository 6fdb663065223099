//! What a person does, and what the model says must come of it.

mod accounts;
mod passwords;
mod sessions;
mod settling;
mod signing_in;
mod submissions;

pub use settling::{come_back, exhaust, settle};

use fastrand::Rng;
use reqwest::Method;
use serde_json::Value;

use crate::{
    person::{Account, Doubt, Person, Session},
    service::{Answer, Request, Service, Wrong},
};

/// How often something that may be repeated is tried, where no answer comes.
const TRIES: usize = 4;

#[derive(Clone, Copy, Debug)]
pub enum Operation {
    LogIn,
    Guess,
    GuessAtOnce,
    Me,
    MeWithWhatEnded,
    Refresh,
    RefreshAtOnce,
    Replay,
    LogOut,
    LogOutEverywhere,
    ChangePassword,
    ResetPassword,
    Rename,
    Submit,
    Delete,
}

/// Each as often as it stands here.
const OPERATIONS: [Operation; 24] = [
    Operation::LogIn,
    Operation::LogIn,
    Operation::LogIn,
    Operation::LogIn,
    Operation::Guess,
    Operation::Guess,
    Operation::GuessAtOnce,
    Operation::Me,
    Operation::Me,
    Operation::MeWithWhatEnded,
    Operation::Refresh,
    Operation::Refresh,
    Operation::Refresh,
    Operation::RefreshAtOnce,
    Operation::Replay,
    Operation::LogOut,
    Operation::LogOutEverywhere,
    Operation::ChangePassword,
    Operation::ResetPassword,
    Operation::Rename,
    Operation::Submit,
    Operation::Submit,
    Operation::Submit,
    Operation::Delete,
];

impl Operation {
    pub fn drawn(random: &mut Rng) -> Self {
        random.choice(OPERATIONS).unwrap_or(Self::Me)
    }
}

/// Answers that were heard, and ones that were not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    pub operations: u64,
    pub heard: u64,
    pub lost: u64,
}

impl Heard {
    pub fn add(&mut self, other: Self) {
        self.operations += other.operations;
        self.heard += other.heard;
        self.lost += other.lost;
    }
}

/// What an answer settles.
#[derive(Debug)]
enum Said {
    Yes(Value),
    No(u16, String),
    /// No answer, or one that says to try again.
    Nothing,
}

/// A person in front of the service, at a moment.
struct Act<'a> {
    service: &'a Service,
    person: &'a mut Person,
    random: Rng,
    now: u64,
    heard: Heard,
}

/// Does it, or what has to come before it.
pub async fn act(
    service: &Service,
    person: &mut Person,
    operation: Operation,
    random: Rng,
    now: u64,
) -> Result<Heard, Wrong> {
    let mut act = Act { service, person, random, now, heard: Heard { operations: 1, ..Heard::default() } };
    let done = act.act(operation).await;
    let heard = act.heard;
    done.map(|()| heard)
        .map_err(|wrong| format!("person {}, {operation:?}: {wrong}\n{:#?}", person.number, person.account))
}

/// Where the table's answer to the one write is lost, the SDK asks again, and finds the session that it has ended over.
fn its_own_doing(said: &Said) -> bool {
    matches!(said, Said::No(401, code) if code == "session_ended")
}

impl Act<'_> {
    /// A request of the person's, with a trace that no other one has.
    fn request<'r>(&mut self, method: Method, path: &'r str, body: Value, token: Option<&'r str>) -> Request<'r> {
        self.person.asked += 1;
        let trace = format!("1-{:08x}-{:08x}{:016x}", 2, self.person.number, self.person.asked);
        Request { method, path, body, token, key: None, trace }
    }

    fn hear(&mut self, answer: Option<Answer>) -> Result<Said, Wrong> {
        let Some(answer) = answer else {
            self.heard.lost += 1;
            return Ok(Said::Nothing);
        };
        self.heard.heard += 1;
        match answer.status {
            200..300 => Ok(Said::Yes(answer.body)),
            429 | 503 => Ok(Said::Nothing),
            status @ 400..500 => Ok(Said::No(status, answer.code().to_owned())),
            _ => Err(format!("an answer that must never be: {answer:?}")),
        }
    }

    async fn ask(&mut self, method: Method, path: &str, body: Value, token: Option<&str>) -> Result<Said, Wrong> {
        let request = self.request(method, path, body, token);
        let answer = self.service.ask(request).await;
        self.hear(answer)
    }

    async fn post(&mut self, path: &str, body: Value, token: Option<&str>) -> Result<Said, Wrong> {
        self.ask(Method::POST, path, body, token).await
    }

    fn account(&self) -> Result<&Account, Wrong> {
        self.person.account.as_ref().ok_or_else(|| "the model has lost an account".to_owned())
    }

    fn account_mut(&mut self) -> Result<&mut Account, Wrong> {
        self.person.account.as_mut().ok_or_else(|| "the model has lost an account".to_owned())
    }

    fn doubt(&mut self, doubt: Doubt) -> Result<(), Wrong> {
        self.account_mut()?.doubt = Some(doubt);
        Ok(())
    }

    /// A session whose access token is fresh enough to be accepted.
    fn fresh(&mut self) -> Result<Option<Session>, Wrong> {
        let (from, now) = (self.random.usize(..), self.now);
        let account = self.account()?;
        Ok(account.fresh(from, now).and_then(|place| account.sessions.get(place)).cloned())
    }

    async fn act(&mut self, operation: Operation) -> Result<(), Wrong> {
        let Some(account) = &self.person.account else { return self.register().await };
        if account.doubt.is_some() || account.is_locked(self.now).is_none() {
            return Ok(());
        }
        if !account.verified && self.random.bool() {
            return self.verify().await;
        }
        match operation {
            Operation::LogIn => self.log_in().await,
            Operation::Guess => self.guess().await,
            Operation::GuessAtOnce => self.guess_at_once().await,
            Operation::Me => self.me().await,
            Operation::MeWithWhatEnded => self.me_with_what_ended().await,
            Operation::Refresh => self.refresh().await,
            Operation::RefreshAtOnce => self.refresh_at_once().await,
            Operation::Replay => self.replay().await,
            Operation::LogOut => self.log_out().await,
            Operation::LogOutEverywhere => self.log_out_everywhere().await,
            Operation::ChangePassword => self.change_password().await,
            Operation::ResetPassword => self.reset_password().await,
            Operation::Rename => self.rename().await,
            Operation::Submit => self.submit().await,
            Operation::Delete => self.delete().await,
        }
    }
}
