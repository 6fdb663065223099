//! What must be true of a person: the model, in plain values.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Seconds after which a lock has surely ended, and before which it surely has not.
const LOCK_IS_OVER: u64 = 16 * 60;
const LOCK_HOLDS: u64 = 14 * 60;
/// Seconds for which an access token is surely still accepted.
const FRESH: u64 = 14 * 60;
/// Live sessions that an account has at the most.
const MOST_SESSIONS: usize = 5;

/// Someone who uses the service, through one account after the other.
#[derive(Debug, Default)]
pub struct Person {
    pub number: usize,
    /// Requests so far, which name the next one's trace.
    pub asked: u64,
    /// Values made up so far.
    pub made: u64,
    /// Accounts so far.
    pub lives: u64,
    pub account: Option<Account>,
    /// Tokens that nothing may accept any more.
    pub ended: Vec<Tokens>,
    /// Accounts that were deleted, by their ids.
    pub gone: Vec<String>,
    /// What was stored for them and for nobody else.
    pub marks: Vec<String>,
    /// Mails that are owed, by address and a part of the subject: at least so many.
    pub owed: BTreeMap<(String, &'static str), usize>,
    /// Addresses that this person ever had.
    pub addresses: BTreeSet<String>,
}

/// An account, as far as its owner knows it.
#[derive(Clone, Debug, Default)]
pub struct Account {
    pub id: Option<String>,
    pub email: String,
    /// The password; more than one where an answer was lost.
    pub passwords: Vec<String>,
    /// The name; more than one where an answer was lost.
    pub names: Vec<Option<String>>,
    pub verified: bool,
    pub sessions: Vec<Session>,
    /// Wrong passwords in a row.
    pub wrong: usize,
    /// When it was locked.
    pub locked: Option<u64>,
    pub attempts: Vec<Attempt>,
    /// Submissions whose answer was lost.
    pub unsure_attempts: Vec<Attempt>,
    pub doubt: Option<Doubt>,
}

/// What an answer that was lost leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// Whether there is an account.
    Registered,
    /// Whether there still is one.
    Deleted,
    /// Which sessions there are, which password holds, how many guesses count.
    Credentials,
    /// How many guesses count, beyond those that were answered.
    Guesses,
}

#[derive(Clone, Debug)]
pub struct Session {
    pub tokens: Tokens,
    /// The refresh token before, and when it was used.
    pub before: Option<(String, u64)>,
    pub access_since: u64,
    /// Where this sign-in or refresh stands in the order of all of them.
    pub used: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

#[derive(Clone, Debug)]
pub struct Attempt {
    pub key: String,
    pub question: u64,
    pub passed: u64,
    pub code: String,
    pub id: Option<String>,
}

/// Tests that each attempt has.
pub const TESTS: u64 = 3;

impl Attempt {
    pub fn solved(&self) -> bool {
        self.passed == TESTS
    }
}

impl Tokens {
    pub fn of(body: &Value) -> Option<Self> {
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        Some(Self { access: text("access_token")?, refresh: text("refresh_token")? })
    }
}

impl Person {
    /// A text that nobody else has.
    pub fn made_up(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{what}-{}-{}-zq", self.number, self.made)
    }

    pub fn owes(&mut self, email: &str, subject: &'static str) {
        *self.owed.entry((email.to_owned(), subject)).or_default() += 1;
    }

    /// Takes the account for gone.
    pub fn bury(&mut self) {
        let Some(account) = self.account.take() else { return };
        self.ended.extend(account.sessions.into_iter().map(|session| session.tokens));
        self.gone.extend(account.id);
        self.marks.extend(account.names.into_iter().flatten());
    }

    /// Takes every session for ended, but those that stay.
    pub fn end_sessions(&mut self, stays: impl Fn(&Session) -> bool) {
        let Some(account) = &mut self.account else { return };
        let (kept, over): (Vec<_>, Vec<_>) = account.sessions.drain(..).partition(stays);
        account.sessions = kept;
        self.ended.extend(over.into_iter().map(|session| session.tokens));
    }

    /// Takes a sign-in down; the session that was idle longest gives way.
    pub fn signed_in(&mut self, tokens: Tokens, now: u64) {
        self.made += 1;
        let used = self.made;
        let Some(account) = &mut self.account else { return };
        account.wrong = 0;
        account.sessions.push(Session { tokens, before: None, access_since: now, used });
        account.sessions.sort_by_key(|session| session.used);
        if account.sessions.len() > MOST_SESSIONS {
            let idle = account.sessions.remove(0);
            self.ended.push(idle.tokens);
        }
    }

    /// Takes a refresh of the session at that place down.
    pub fn refreshed(&mut self, place: usize, tokens: Tokens, now: u64) {
        self.made += 1;
        let used = self.made;
        let Some(session) = self.account.as_mut().and_then(|account| account.sessions.get_mut(place)) else { return };
        let before = std::mem::replace(&mut session.tokens, tokens);
        session.before = Some((before.refresh, now));
        (session.access_since, session.used) = (now, used);
    }
}

impl Account {
    pub fn password(&self) -> &str {
        self.passwords.first().map_or("", String::as_str)
    }

    /// Whether a lock holds; nothing where it may.
    pub fn is_locked(&self, now: u64) -> Option<bool> {
        match self.locked.map(|since| now - since) {
            None => Some(false),
            Some(age) if age < LOCK_HOLDS => Some(true),
            Some(age) if age > LOCK_IS_OVER => Some(false),
            Some(_) => None,
        }
    }

    /// Takes wrong passwords down. Answers with whether they locked it.
    pub fn guessed(&mut self, count: usize, now: u64) -> bool {
        self.wrong += count;
        if self.wrong < 3 {
            return false;
        }
        (self.wrong, self.locked) = (0, Some(now));
        true
    }

    /// The place of a session whose access token is accepted, from those at and after `from`.
    pub fn fresh(&self, from: usize, now: u64) -> Option<usize> {
        let places = 0..self.sessions.len();
        let of = |place: &usize| self.sessions.get(*place).is_some_and(|session| now - session.access_since < FRESH);
        places.clone().skip(from % self.sessions.len().max(1)).chain(places).find(of)
    }
}
