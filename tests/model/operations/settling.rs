//! What became of what was not answered, found out without faults.

use fastrand::Rng;
use serde_json::{Value, json};

use super::{Act, Heard, Said, TRIES};
use crate::{
    person::{Doubt, Person, Tokens},
    service::{Service, Wrong},
};

/// Finds out, without faults, whether guesses that were not answered were counted.
pub async fn exhaust(service: &Service, person: &mut Person, now: u64) -> Result<(), Wrong> {
    if person.account.as_ref().is_none_or(|account| account.doubt != Some(Doubt::Guesses)) {
        return Ok(());
    }
    let mut act = Act { service, person, random: Rng::with_seed(0), now, heard: Heard::default() };
    let exhausted = act.guess_to_the_end().await;
    exhausted.map_err(|wrong| format!("person {}, guessing on: {wrong}\n{:#?}", person.number, person.account))
}

/// Makes sure, without faults, that a person has a session whose access token is accepted. Answers `false` where nothing lets
/// them in: who is not verified, or locked out.
pub async fn come_back(service: &Service, person: &mut Person, now: u64) -> Result<bool, Wrong> {
    let Some(account) = person.account.as_ref().filter(|account| account.verified) else { return Ok(false) };
    if account.fresh(0, now).is_some() {
        return Ok(true);
    }
    let (idle, locked) = (account.sessions.is_empty(), account.is_locked(now));
    let mut act = Act { service, person, random: Rng::with_seed(0), now, heard: Heard::default() };
    let back = match (idle, locked) {
        (false, _) => act.refresh().await,
        (true, Some(false)) => act.log_in().await,
        (true, _) => return Ok(false),
    };
    back.map_err(|wrong| format!("person {}, coming back: {wrong}\n{:#?}", person.number, person.account))?;
    if person.account.as_ref().is_some_and(|account| account.fresh(0, now).is_some()) {
        return Ok(true);
    }
    Err(format!("person {} cannot come back, without any fault\n{:#?}", person.number, person.account))
}

/// Finds out what became of what was not answered, without faults and with every lock past.
pub async fn settle(service: &Service, person: &mut Person, now: u64) -> Result<(), Wrong> {
    let Some(doubt) = person.account.as_ref().and_then(|account| account.doubt) else { return Ok(()) };
    let mut act = Act { service, person, random: Rng::with_seed(0), now, heard: Heard::default() };
    let settled = act.find_out(doubt).await;
    settled.map_err(|wrong| format!("person {}, after {doubt:?}: {wrong}\n{:#?}", person.number, person.account))
}

impl Act<'_> {
    /// Leaves an account of which everything is known, or none.
    pub(super) async fn find_out(&mut self, doubt: Doubt) -> Result<(), Wrong> {
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
    pub(super) async fn signed_in_at_last(&mut self, password: &str) -> Result<Option<Tokens>, Wrong> {
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
    pub(super) async fn begin_anew(&mut self, password: String, tokens: Tokens) -> Result<(), Wrong> {
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
