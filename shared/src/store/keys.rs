//! Every key pattern of every table.

use uuid::Uuid;

use super::{Item, attributes::text};
use crate::domain::{EmailAddress, Identifier, Username};

/// Names of the key attributes, the same in every table.
pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";
/// Name of the TTL attribute, in whole seconds since 1970.
pub(super) const EXPIRES_AT: &str = "expires_at";

/// History rows that share a partition key: no key takes all of a long history.
pub(super) const ROWS_PER_BUCKET: u64 = 4096;
/// Partitions over which owed mail is spread.
const MAIL_SHARDS: u8 = 16;

/// A primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { pk: pk.into(), sk: sk.into() }
    }

    /// The key's attributes.
    pub fn item(&self) -> Item {
        Item::from([(PK.to_owned(), text(&self.pk)), (SK.to_owned(), text(&self.sk))])
    }
}

// Table `users`.

pub(super) fn email_claim(email: &EmailAddress) -> Key {
    Key::new(format!("EMAIL#{}", email.as_str()), "CLAIM")
}

pub(super) fn username_claim(username: &Username) -> Key {
    Key::new(format!("USERNAME#{}", username.folded()), "CLAIM")
}

/// The claim that an identifier would have, whether or not it could ever be claimed.
pub(super) fn claim_of(identifier: &Identifier) -> Key {
    let kind = if identifier.is_address() { "EMAIL" } else { "USERNAME" };
    Key::new(format!("{kind}#{}", identifier.as_str()), "CLAIM")
}

pub(super) fn account(id: Uuid) -> Key {
    Key::new(user(id), "ACCOUNT")
}

/// The user of an account's key.
pub(super) fn user_of_account(pk: &str, sk: &str) -> Option<Uuid> {
    pk.strip_prefix("USER#").filter(|_| sk == "ACCOUNT")?.parse().ok()
}

pub(super) fn admins() -> Key {
    Key::new("ADMINS", "ADMINS")
}

// Table `tokens`.

pub(super) fn session(user_id: Uuid, session_id: Uuid) -> Key {
    Key::new(user(user_id), format!("SESSION#{session_id}"))
}

pub(super) fn ghost(lookup: &str) -> Key {
    Key::new(format!("GHOST#{lookup}"), "GHOST")
}

/// A reset of an identifier that nobody has.
pub(super) fn ghost_reset(lookup: &str) -> Key {
    Key::new(format!("GHOST#{lookup}"), "RESET")
}

/// The window of a limit, by its scope and whom it counts.
pub(super) fn rate(scope: &str, lookup: &str) -> Key {
    Key::new(format!("RATE#{scope}#{lookup}"), "RATE")
}

/// A mail owed, by what it is about.
pub(super) fn mail(user_id: Uuid, kind: &str, occasion: &str) -> Key {
    let shard = user_id.as_bytes()[15] % MAIL_SHARDS;
    Key::new(format!("MAIL#{shard}"), format!("{user_id}#{kind}#{occasion}"))
}

// Table `attempts`.

pub(super) fn summary(user_id: Uuid) -> Key {
    Key::new(user(user_id), "SUMMARY")
}

pub(super) fn question(user_id: Uuid, question_id: u64) -> Key {
    Key::new(user(user_id), format!("Q#{question_id:020}"))
}

/// The `number`th attempt of a person at a question, counted from 0.
pub(super) fn question_row(user_id: Uuid, question_id: u64, number: u64) -> Key {
    Key::new(user(user_id), format!("R#{question_id:020}#{number:010}"))
}

/// The `number`th attempt of a person, counted from 0.
pub(super) fn history_row(user_id: Uuid, number: u64) -> Key {
    Key::new(format!("{}#{}", user(user_id), number / ROWS_PER_BUCKET), format!("A#{number:010}"))
}

/// The days of a month, written `2026-11`.
pub(super) fn month(user_id: Uuid, month: &str) -> Key {
    Key::new(user(user_id), format!("MONTH#{month}"))
}

pub(super) fn code(attempt_id: Uuid) -> Key {
    Key::new(format!("ATTEMPT#{attempt_id}"), "CODE")
}

pub(super) fn pending(attempt_id: Uuid) -> Key {
    Key::new(format!("PENDING#{attempt_id}"), "PENDING")
}

fn user(id: Uuid) -> String {
    format!("USER#{id}")
}
