//! Registering, signing in, and guessing.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{Act, Said};
use crate::{
    person::{Account, Doubt, Tokens},
    service::Wrong,
};

/// What is nobody's password.
const WRONG: &str = "not-the-password";
/// Guesses at once.
const BURST: usize = 6;

impl Act<'_> {
    /// One account for an address, however many ask for it at once.
    pub(super) async fn register(&mut self) -> Result<(), Wrong> {
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
    pub(super) async fn mailed(&mut self, mark: &str, subject: &str) -> Result<Vec<String>, Wrong> {
        let email = self.account()?.email.clone();
        // Where the service was killed meanwhile, there is no mailbox to look into.
        let letters = self.service.letters().await.unwrap_or_default();
        let to_them = letters.iter().filter(|letter| letter.to == email && letter.subject.contains(subject));
        let behind = |text: &str| text.split(mark).nth(1)?.split_whitespace().next().map(str::to_owned);
        Ok(to_them.filter_map(|letter| behind(&letter.text)).collect())
    }

    pub(super) async fn verify(&mut self) -> Result<(), Wrong> {
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

    pub(super) async fn sign_in(&mut self, password: &str) -> Result<Said, Wrong> {
        let body = json!({ "email": self.account()?.email, "password": password });
        self.post("/api/v1/auth/login", body, None).await
    }

    pub(super) async fn log_in(&mut self) -> Result<(), Wrong> {
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

    pub(super) fn guessed(&mut self, count: usize) -> Result<(), Wrong> {
        let now = self.now;
        if self.account_mut()?.guessed(count, now) {
            let email = self.account()?.email.clone();
            self.person.owes(&email, "is locked");
        }
        Ok(())
    }

    pub(super) async fn guess(&mut self) -> Result<(), Wrong> {
        let locked = self.account()?.is_locked(self.now);
        match (self.sign_in(WRONG).await?, locked) {
            (Said::Nothing, Some(false)) => self.doubt(Doubt::Guesses),
            (Said::Nothing, _) => self.doubt(Doubt::Credentials),
            (Said::No(403, code), Some(true)) if code == "account_locked" => Ok(()),
            (Said::No(401, code), Some(false)) if code == "invalid_credentials" => self.guessed(1),
            (said, _) => Err(format!("a wrong password was answered {said:?}")),
        }
    }

    /// Never more than three are compared.
    pub(super) async fn guess_at_once(&mut self) -> Result<(), Wrong> {
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
        if lost > 0 && left > 0 {
            self.account_mut()?.wrong += compared;
            return self.doubt(Doubt::Guesses);
        }
        self.guessed(compared)
    }

    /// Guesses on until the account is locked: with those whose answer was lost, never more than three are compared.
    pub(super) async fn guess_to_the_end(&mut self) -> Result<(), Wrong> {
        let (mut compared, email) = (self.account()?.wrong, self.account()?.email.clone());
        loop {
            let body = json!({ "email": email, "password": WRONG });
            let request = self.request(Method::POST, "/api/v1/auth/login", body, None);
            let answer = self.service.ask(request).await;
            match self.hear(answer.clone())? {
                Said::No(401, code) if code == "invalid_credentials" => compared += 1,
                Said::No(403, code) if code == "account_locked" => break,
                // A guess that died half-way holds its place until nobody can wait for it any more.
                Said::Nothing if answer.is_some_and(|answer| answer.status == 429) => break,
                said => return Err(format!("a wrong password was answered {said:?}")),
            }
            if compared > 3 {
                return Err(format!("{compared} guesses were compared before the account was locked"));
            }
        }
        if compared == 3 {
            // Only a heard third one is sure to have locked, and to be told by mail.
            self.person.owes(&email, "is locked");
        }
        self.doubt(Doubt::Credentials)
    }
}
