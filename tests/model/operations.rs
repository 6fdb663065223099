//! What a person does, and what the model says must come of it.

use fastrand::Rng;
use futures_util::future::{join, join_all};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    person::{Account, Attempt, Doubt, Person, Session, TESTS, Tokens},
    service::{Answer, Request, Service, Wrong},
};

/// How often something that may be repeated is tried, where no answer comes.
const TRIES: usize = 4;
/// Guesses at once.
const BURST: usize = 6;
/// Seconds within which the predecessor of a refresh token gets the same successor.
const SAME_SUCCESSOR: u64 = 10;
/// How long a try may have taken for that to hold, a margin short of it.
const SOON: std::time::Duration = std::time::Duration::from_secs(8);

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

/// Finds out what became of what was not answered, without faults and with every lock past.
pub async fn settle(service: &Service, person: &mut Person, now: u64) -> Result<(), Wrong> {
    let Some(doubt) = person.account.as_ref().and_then(|account| account.doubt) else { return Ok(()) };
    let mut act = Act { service, person, random: Rng::with_seed(0), now, heard: Heard::default() };
    let settled = act.find_out(doubt).await;
    settled.map_err(|wrong| format!("person {}, after {doubt:?}: {wrong}\n{:#?}", person.number, person.account))
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

    /// One account for an address, however many ask for it at once.
    async fn register(&mut self) -> Result<(), Wrong> {
        // Some take the address of the account that they had before.
        if self.person.lives == 0 || self.random.bool() {
            self.person.lives += 1;
        }
        let email = format!("person{}.{}@example.com", self.person.number, self.person.lives);
        self.person.addresses.insert(email.clone());
        let passwords: Vec<String> =
            (0..self.random.usize(1..=3)).map(|_| self.person.made_up("password-number")).collect();
        let requests: Vec<_> = passwords
            .iter()
            .map(|password| {
                let body = json!({ "email": email, "password": password });
                self.request(Method::POST, "/api/v1/auth/register", body, None)
            })
            .collect();
        let answers = join_all(requests.into_iter().map(|request| self.service.ask(request))).await;
        let (mut made, mut lost) = (Vec::new(), Vec::new());
        for (password, answer) in passwords.into_iter().zip(answers) {
            match self.hear(answer)? {
                Said::Yes(body) => made.push((password, body)),
                Said::No(409, code) if code == "email_taken" => {}
                Said::Nothing => lost.push(password),
                said => return Err(format!("a registration was answered {said:?}")),
            }
        }
        if made.len() > 1 {
            return Err(format!("{} registrations of one address succeeded", made.len()));
        }
        let names = vec![None];
        if let Some((password, body)) = made.pop() {
            let id = body["user"]["id"].as_str().map(str::to_owned);
            let tokens = Tokens::of(&body).ok_or("a registration gave no tokens")?;
            self.person.owes(&email, "Verify your address");
            self.person.account = Some(Account { id, email, passwords: vec![password], names, ..Account::default() });
            self.person.signed_in(tokens, self.now);
        } else if lost.is_empty() {
            return Err("an address that nobody has was taken".into());
        } else {
            let doubt = Some(Doubt::Registered);
            self.person.account = Some(Account { email, passwords: lost, names, doubt, ..Account::default() });
        }
        Ok(())
    }

    /// The text behind a mark in the newest letters to the account's address.
    async fn mailed(&mut self, mark: &str, subject: &str) -> Result<Vec<String>, Wrong> {
        let email = self.account()?.email.clone();
        // Where the service was killed meanwhile, there is no mailbox to look into.
        let letters = self.service.letters().await.unwrap_or_default();
        let to_them = letters.iter().filter(|letter| letter.to == email && letter.subject.contains(subject));
        let behind = |text: &str| text.split(mark).nth(1)?.split_whitespace().next().map(str::to_owned);
        Ok(to_them.filter_map(|letter| behind(&letter.text)).collect())
    }

    async fn verify(&mut self) -> Result<(), Wrong> {
        let tokens = self.mailed("/verify-email?token=", "Verify your address").await?;
        // One that is not there yet comes later; an older one may be of an account that is gone.
        for token in tokens.into_iter().take(2) {
            match self.post("/api/v1/auth/verify-email", json!({ "token": token }), None).await? {
                Said::Yes(_) => {
                    self.account_mut()?.verified = true;
                    return Ok(());
                }
                Said::No(400, _) => {}
                Said::Nothing => return self.doubt(Doubt::Credentials),
                said @ Said::No(..) => return Err(format!("a link was answered {said:?}")),
            }
        }
        Ok(())
    }

    async fn sign_in(&mut self, password: &str) -> Result<Said, Wrong> {
        let body = json!({ "email": self.account()?.email, "password": password });
        self.post("/api/v1/auth/login", body, None).await
    }

    async fn log_in(&mut self) -> Result<(), Wrong> {
        let account = self.account()?;
        let (locked, verified, password) =
            (account.is_locked(self.now), account.verified, account.password().to_owned());
        let said = self.sign_in(&password).await?;
        match (said, locked) {
            (Said::Nothing, _) => self.doubt(Doubt::Credentials),
            (Said::No(403, code), Some(true)) if code == "account_locked" => Ok(()),
            (Said::No(403, code), Some(false)) if code == "email_not_verified" && !verified => {
                self.account_mut()?.wrong = 0;
                Ok(())
            }
            (Said::Yes(body), Some(false)) if verified => {
                let tokens = Tokens::of(&body).ok_or("a login gave no tokens")?;
                let now = self.now;
                self.person.signed_in(tokens, now);
                self.person.account.as_mut().into_iter().for_each(|account| account.locked = None);
                Ok(())
            }
            (said, _) => Err(format!("the right password was answered {said:?}")),
        }
    }

    fn guessed(&mut self, count: usize) -> Result<(), Wrong> {
        let now = self.now;
        if self.account_mut()?.guessed(count, now) {
            let email = self.account()?.email.clone();
            self.person.owes(&email, "is locked");
        }
        Ok(())
    }

    async fn guess(&mut self) -> Result<(), Wrong> {
        let locked = self.account()?.is_locked(self.now);
        match (self.sign_in("not-the-password").await?, locked) {
            (Said::Nothing, _) => self.doubt(Doubt::Credentials),
            (Said::No(403, code), Some(true)) if code == "account_locked" => Ok(()),
            (Said::No(401, code), Some(false)) if code == "invalid_credentials" => self.guessed(1),
            (said, _) => Err(format!("a wrong password was answered {said:?}")),
        }
    }

    /// Never more than three are compared.
    async fn guess_at_once(&mut self) -> Result<(), Wrong> {
        let account = self.account()?;
        let left = if account.is_locked(self.now) == Some(true) { 0 } else { 3 - account.wrong };
        let email = account.email.clone();
        let requests: Vec<_> = (0..BURST)
            .map(|guess| {
                let body = json!({ "email": email, "password": format!("not-the-password-{guess}") });
                self.request(Method::POST, "/api/v1/auth/login", body, None)
            })
            .collect();
        let answers = join_all(requests.into_iter().map(|request| self.service.ask(request))).await;
        let (mut compared, mut lost) = (0, 0);
        for answer in answers {
            match self.hear(answer.clone())? {
                Said::No(401, code) if code == "invalid_credentials" => compared += 1,
                Said::No(403, code) if code == "account_locked" => {}
                // A guess that found no place was not made.
                Said::Nothing if answer.is_some_and(|answer| answer.status == 429) => {}
                Said::Nothing => lost += 1,
                said => return Err(format!("a wrong password was answered {said:?}")),
            }
        }
        if compared > left {
            return Err(format!("{compared} guesses were compared where {left} were left"));
        }
        if lost > 0 {
            // Only a heard third one is sure to have locked, and to be told by mail.
            return self.doubt(Doubt::Credentials);
        }
        self.guessed(compared)
    }

    async fn me(&mut self) -> Result<(), Wrong> {
        let Some(session) = self.fresh()? else { return Ok(()) };
        let account = self.account()?.clone();
        match self.ask(Method::GET, "/api/v1/auth/me", Value::Null, Some(&session.tokens.access)).await? {
            Said::Nothing => Ok(()),
            Said::Yes(me) => {
                let name = me["name"].as_str().map(str::to_owned);
                let whole = me["email"] == account.email.as_str() && me["is_verified"] == account.verified;
                if whole && account.names.contains(&name) && account.id.as_deref().is_none_or(|id| me["id"] == id) {
                    return Ok(());
                }
                Err(format!("the account reads {me}"))
            }
            said @ Said::No(..) => Err(format!("a live session was answered {said:?}")),
        }
    }

    async fn me_with_what_ended(&mut self) -> Result<(), Wrong> {
        let Some(tokens) = self.random.choice(&self.person.ended).cloned() else { return Ok(()) };
        match self.ask(Method::GET, "/api/v1/auth/me", Value::Null, Some(&tokens.access)).await? {
            Said::Nothing | Said::No(401, _) => {}
            said => return Err(format!("the access token of a session that had ended was answered {said:?}")),
        }
        let body = json!({ "refresh_token": tokens.refresh });
        match self.post("/api/v1/auth/refresh", body, None).await? {
            Said::Nothing | Said::No(401, _) => Ok(()),
            said => Err(format!("the refresh token of a session that had ended was answered {said:?}")),
        }
    }

    fn any_session(&mut self) -> Result<Option<usize>, Wrong> {
        let count = self.account()?.sessions.len();
        Ok(if count == 0 { None } else { Some(self.random.usize(..count)) })
    }

    fn session(&self, place: usize) -> Result<&Session, Wrong> {
        self.account()?.sessions.get(place).ok_or_else(|| "the model has lost a session".to_owned())
    }

    async fn refresh(&mut self) -> Result<(), Wrong> {
        let Some(place) = self.any_session()? else { return Ok(()) };
        let refresh = self.session(place)?.tokens.refresh.clone();
        let verified = self.account()?.verified;
        let began = std::time::Instant::now();
        for _ in 0..TRIES {
            match self.post("/api/v1/auth/refresh", json!({ "refresh_token": refresh }), None).await? {
                Said::Nothing => {}
                Said::Yes(body) if verified => {
                    let tokens = Tokens::of(&body).ok_or("a refresh gave no tokens")?;
                    let now = self.now;
                    self.person.refreshed(place, tokens, now);
                    return Ok(());
                }
                Said::No(403, code) if code == "email_not_verified" && !verified => return Ok(()),
                // Whoever lost an answer has ten seconds to ask again.
                Said::No(401, _) if began.elapsed() > SOON => break,
                said => return Err(format!("a live refresh token was answered {said:?}")),
            }
        }
        self.doubt(Doubt::Credentials)
    }

    /// Two tabs of one browser: both get the one successor.
    async fn refresh_at_once(&mut self) -> Result<(), Wrong> {
        let Some(place) = self.any_session()? else { return Ok(()) };
        if !self.account()?.verified {
            return Ok(());
        }
        let body = json!({ "refresh_token": self.session(place)?.tokens.refresh });
        let first = self.request(Method::POST, "/api/v1/auth/refresh", body.clone(), None);
        let second = self.request(Method::POST, "/api/v1/auth/refresh", body, None);
        let (first, second) = join(self.service.ask(first), self.service.ask(second)).await;
        let (first, second) = (self.hear(first)?, self.hear(second)?);
        let tokens = |said: &Said| match said {
            Said::Yes(body) => Ok(Tokens::of(body)),
            Said::Nothing => Ok(None),
            said @ Said::No(..) => Err(format!("one of two at once was answered {said:?}")),
        };
        match (tokens(&first)?, tokens(&second)?) {
            (Some(first), Some(second)) if first.refresh == second.refresh => {
                let now = self.now;
                self.person.refreshed(place, first, now);
                Ok(())
            }
            (Some(first), Some(second)) => Err(format!("a session has two successors: {first:?}, {second:?}")),
            _ => self.doubt(Doubt::Credentials),
        }
    }

    /// A predecessor that comes too late is a thief's: the session ends.
    async fn replay(&mut self) -> Result<(), Wrong> {
        let Some(place) = self.any_session()? else { return Ok(()) };
        let Some((before, used)) = self.session(place)?.before.clone() else { return Ok(()) };
        if self.now - used <= SAME_SUCCESSOR {
            return Ok(());
        }
        for _ in 0..TRIES {
            match self.post("/api/v1/auth/refresh", json!({ "refresh_token": before }), None).await? {
                Said::Nothing => {}
                Said::No(401, _) => {
                    let over = self.session(place)?.tokens.clone();
                    self.person.end_sessions(|session| session.tokens != over);
                    return Ok(());
                }
                said => return Err(format!("a used refresh token was answered {said:?}")),
            }
        }
        self.doubt(Doubt::Credentials)
    }

    async fn log_out(&mut self) -> Result<(), Wrong> {
        let Some(session) = self.fresh()? else { return Ok(()) };
        match self.post("/api/v1/auth/logout", Value::Null, Some(&session.tokens.access)).await? {
            said if matches!(said, Said::Yes(_)) || its_own_doing(&said) => {
                self.person.end_sessions(|other| other.tokens != session.tokens);
                Ok(())
            }
            Said::Nothing => self.doubt(Doubt::Credentials),
            said => Err(format!("a live session was answered {said:?}")),
        }
    }

    async fn log_out_everywhere(&mut self) -> Result<(), Wrong> {
        let Some(session) = self.fresh()? else { return Ok(()) };
        let verified = self.account()?.verified;
        match self.post("/api/v1/auth/logout-all", Value::Null, Some(&session.tokens.access)).await? {
            Said::Yes(_) if verified => {
                self.person.end_sessions(|_| false);
                Ok(())
            }
            Said::No(403, code) if code == "email_not_verified" && !verified => Ok(()),
            said if matches!(said, Said::Nothing) || its_own_doing(&said) => self.doubt(Doubt::Credentials),
            said => Err(format!("a live session was answered {said:?}")),
        }
    }

    async fn change_password(&mut self) -> Result<(), Wrong> {
        let Some(session) = self.fresh()? else { return Ok(()) };
        let account = self.account()?;
        let (locked, verified, old) = (account.is_locked(self.now), account.verified, account.password().to_owned());
        let email = account.email.clone();
        let new = self.person.made_up("password-number");
        let body = json!({ "current_password": old, "new_password": new });
        match (self.post("/api/v1/auth/change-password", body, Some(&session.tokens.access)).await?, locked) {
            (Said::Yes(_), Some(false)) if verified => {
                self.person.end_sessions(|other| other.tokens == session.tokens);
                self.person.owes(&email, "password was changed");
                let account = self.account_mut()?;
                (account.passwords, account.wrong, account.locked) = (vec![new], 0, None);
                Ok(())
            }
            (Said::No(403, code), _) if code == "email_not_verified" && !verified => Ok(()),
            (Said::No(403, code), Some(true)) if code == "account_locked" => Ok(()),
            (Said::Nothing, _) => {
                self.account_mut()?.passwords = vec![old, new];
                self.doubt(Doubt::Credentials)
            }
            (said, _) => Err(format!("a change of the password was answered {said:?}")),
        }
    }

    /// A code is used once, and ends every session.
    async fn reset_password(&mut self) -> Result<(), Wrong> {
        let (mark, subject) = ("your code is ", "Reset your");
        let known = self.mailed(mark, subject).await?;
        let email = self.account()?.email.clone();
        let Said::Yes(_) = self.post("/api/v1/auth/password-reset-request", json!({ "email": email }), None).await?
        else {
            return Ok(());
        };
        let codes = self.mailed(mark, subject).await?;
        // A mail that is on its way still is owed, and not used.
        let Some(code) = codes.first().filter(|_| codes.len() > known.len()).cloned() else { return Ok(()) };
        let (old, new) = (self.account()?.password().to_owned(), self.person.made_up("password-number"));
        let body = json!({ "email": email, "code": code, "new_password": new });
        match self.post("/api/v1/auth/password-reset-confirm", body.clone(), None).await? {
            Said::Yes(_) => {
                self.person.end_sessions(|_| false);
                self.person.owes(&email, "password was changed");
                let account = self.account_mut()?;
                (account.passwords, account.wrong, account.locked) = (vec![new], 0, None);
                account.verified = true;
            }
            Said::Nothing => {
                self.account_mut()?.passwords = vec![old, new];
                return self.doubt(Doubt::Credentials);
            }
            // A mail of an earlier request that came late looks like a new one.
            Said::No(401, _) if known.len() + 1 < codes.len() || known.contains(&code) => {
                return Ok(());
            }
            said @ Said::No(..) => return Err(format!("the code from the mail was answered {said:?}")),
        }
        match self.post("/api/v1/auth/password-reset-confirm", body, None).await? {
            Said::Nothing | Said::No(401, _) => Ok(()),
            said => Err(format!("a code that was used was answered {said:?}")),
        }
    }

    async fn rename(&mut self) -> Result<(), Wrong> {
        let Some(session) = self.fresh()? else { return Ok(()) };
        let verified = self.account()?.verified;
        let name = self.person.made_up("name");
        let said =
            self.ask(Method::PATCH, "/api/v1/users/me", json!({ "name": name }), Some(&session.tokens.access)).await?;
        match said {
            Said::Yes(_) if verified => {
                self.forget_names(vec![Some(name)])?;
                self.me().await
            }
            Said::No(403, code) if code == "email_not_verified" && !verified => Ok(()),
            Said::Nothing => {
                self.account_mut()?.names.push(Some(name));
                Ok(())
            }
            said => Err(format!("a new name was answered {said:?}")),
        }
    }

    /// The names that hold no more are still to be gone with the account.
    fn forget_names(&mut self, names: Vec<Option<String>>) -> Result<(), Wrong> {
        let account = self.account_mut()?;
        let old = std::mem::replace(&mut account.names, names);
        let over: Vec<String> = old.into_iter().filter(|name| !account.names.contains(name)).flatten().collect();
        self.person.marks.extend(over);
        Ok(())
    }

    async fn submit(&mut self) -> Result<(), Wrong> {
        let Some(session) = self.fresh()? else { return Ok(()) };
        if !self.account()?.verified {
            return Ok(());
        }
        // Sometimes what was submitted before, once more.
        let known = self.account()?.attempts.clone();
        let again = self.random.choice(known).filter(|_| self.random.u8(..4) == 0);
        let attempt = again.unwrap_or_else(|| Attempt {
            key: self.person.made_up("key"),
            question: self.random.u64(..6),
            passed: self.random.u64(..=TESTS),
            code: self.person.made_up("code"),
            id: None,
        });
        for _ in 0..TRIES {
            match self.send(&attempt, &session.tokens.access).await? {
                Said::Nothing => {}
                Said::Yes(body) => return self.counted(attempt, &body),
                said @ Said::No(..) => return Err(format!("a submission was answered {said:?}")),
            }
        }
        self.account_mut()?.unsure_attempts.push(attempt);
        self.doubt(Doubt::Credentials)
    }

    async fn send(&mut self, attempt: &Attempt, token: &str) -> Result<Said, Wrong> {
        let body = json!({ "question_id": attempt.question, "language": "rust", "submitted_code": attempt.code,
            "passed_tests": attempt.passed, "total_tests": TESTS });
        let mut request = self.request(Method::POST, "/api/v1/attempts/", body, Some(token));
        request.key = Some(attempt.key.clone());
        let answer = self.service.ask(request).await;
        self.hear(answer)
    }

    /// The same key has the same id, and counts once.
    fn counted(&mut self, mut attempt: Attempt, body: &Value) -> Result<(), Wrong> {
        let id = body["id"].as_str().map(str::to_owned);
        let attempts = &mut self.account_mut()?.attempts;
        match attempts.iter().find(|other| other.key == attempt.key) {
            Some(other) if other.id == id => Ok(()),
            Some(other) => Err(format!("one key has two attempts: {:?}, {id:?}", other.id)),
            None => {
                attempt.id = id;
                attempts.push(attempt);
                Ok(())
            }
        }
    }

    async fn delete(&mut self) -> Result<(), Wrong> {
        let Some(session) = self.fresh()? else { return Ok(()) };
        let (email, verified) = (self.account()?.email.clone(), self.account()?.verified);
        match self.ask(Method::DELETE, "/api/v1/users/me", Value::Null, Some(&session.tokens.access)).await? {
            Said::Yes(_) => {
                self.person.bury();
                if verified {
                    self.person.owes(&email, "was deleted");
                }
                Ok(())
            }
            said if matches!(said, Said::Nothing) || its_own_doing(&said) => self.doubt(Doubt::Deleted),
            said => Err(format!("a live session was answered {said:?}")),
        }
    }

    /// Leaves an account of which everything is known, or none.
    async fn find_out(&mut self, doubt: Doubt) -> Result<(), Wrong> {
        if doubt == Doubt::Registered {
            let account = self.account()?;
            let body = json!({ "email": account.email, "password": account.password() });
            match self.post("/api/v1/auth/register", body, None).await? {
                Said::Yes(_) => self.account_mut()?.passwords.truncate(1),
                Said::No(409, _) => {}
                said => return Err(format!("registering once more was answered {said:?}")),
            }
            let email = self.account()?.email.clone();
            self.person.owes(&email, "Verify your address");
        }
        let candidates = self.account()?.passwords.clone();
        for password in candidates {
            let said = self.signed_in_at_last(&password).await?;
            let Some(tokens) = said else { continue };
            return self.begin_anew(password, tokens).await;
        }
        if doubt == Doubt::Deleted {
            self.person.bury();
            return Ok(());
        }
        Err("no password that it may have lets its owner in".into())
    }

    /// Tokens, where the password is right; the address is verified on the way.
    async fn signed_in_at_last(&mut self, password: &str) -> Result<Option<Tokens>, Wrong> {
        for _ in 0..TRIES {
            match self.sign_in(password).await? {
                Said::Yes(body) => return Ok(Tokens::of(&body)),
                Said::No(401, code) if code == "invalid_credentials" => return Ok(None),
                Said::No(403, code) if code == "email_not_verified" => {
                    self.verify().await?;
                    if !self.account()?.verified {
                        // The mail may have been of a link that ran out meanwhile.
                        let email = self.account()?.email.clone();
                        self.post("/api/v1/auth/verify-email-request", json!({ "email": email }), None).await?;
                    }
                }
                said => return Err(format!("a login without any fault was answered {said:?}")),
            }
        }
        Err("no mail came that verifies the address".into())
    }

    /// One session, one password, no guesses, and every submission answered.
    async fn begin_anew(&mut self, password: String, tokens: Tokens) -> Result<(), Wrong> {
        self.person.ended.push(tokens.clone());
        self.person.end_sessions(|_| false);
        let Said::Yes(_) = self.post("/api/v1/auth/logout-all", Value::Null, Some(&tokens.access)).await? else {
            return Err("nobody can log out everywhere".into());
        };
        let Said::Yes(body) = self.sign_in(&password).await? else { return Err("nobody can log in again".into()) };
        let tokens = Tokens::of(&body).ok_or("a login gave no tokens")?;
        let (now, id) = (self.now, body["user"]["id"].as_str().map(str::to_owned));
        let name = body["user"]["name"].as_str().map(str::to_owned);
        self.person.signed_in(tokens.clone(), now);
        let account = self.account_mut()?;
        if account.id.is_some() && account.id != id {
            return Err(format!("the account is another one: {id:?}"));
        }
        if !account.names.contains(&name) {
            return Err(format!("the account has a name that it was never given: {name:?}"));
        }
        (account.id, account.passwords, account.verified) = (id, vec![password], true);
        (account.wrong, account.locked, account.doubt) = (0, None, None);
        let unsure = std::mem::take(&mut account.unsure_attempts);
        self.forget_names(vec![name])?;
        for attempt in unsure {
            match self.send(&attempt, &tokens.access).await? {
                Said::Yes(body) => self.counted(attempt, &body)?,
                said => return Err(format!("a submission without any fault was answered {said:?}")),
            }
        }
        Ok(())
    }
}
