//! What goes on with a session, until it ends.

use futures_util::future::join;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Act, Said, TRIES, its_own_doing};
use crate::{
    person::{Doubt, Session, Tokens},
    service::Wrong,
};

/// Seconds within which the predecessor of a refresh token gets the same successor.
const SAME_SUCCESSOR: u64 = 10;
/// How long a try may have taken for that to hold, a margin short of it.
const SOON: std::time::Duration = std::time::Duration::from_secs(8);

impl Act<'_> {
    pub(super) async fn me_with_what_ended(&mut self) -> Result<(), Wrong> {
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

    pub(super) fn any_session(&mut self) -> Result<Option<usize>, Wrong> {
        let count = self.account()?.sessions.len();
        Ok(if count == 0 { None } else { Some(self.random.usize(..count)) })
    }

    pub(super) fn session(&self, place: usize) -> Result<&Session, Wrong> {
        self.account()?.sessions.get(place).ok_or_else(|| "the model has lost a session".to_owned())
    }

    pub(super) async fn refresh(&mut self) -> Result<(), Wrong> {
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
    pub(super) async fn refresh_at_once(&mut self) -> Result<(), Wrong> {
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
    pub(super) async fn replay(&mut self) -> Result<(), Wrong> {
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

    pub(super) async fn log_out(&mut self) -> Result<(), Wrong> {
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

    pub(super) async fn log_out_everywhere(&mut self) -> Result<(), Wrong> {
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
}
