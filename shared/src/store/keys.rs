//! Every key pattern of every table.

use chrono::{DateTime, NaiveDate, Utc};
use data_encoding::BASE64URL_NOPAD;
use uuid::Uuid;

use super::{Item, attributes::text};
use crate::domain::{EmailAddress, Identifier, Username};

/// Names of the key attributes, the same in every table.
pub(super) const PK: &str = "pk";
pub(super) const SK: &str = "sk";
/// Name of the TTL attribute, in whole seconds since 1970.
pub(super) const EXPIRES_AT: &str = "expires_at";

/// Begins the sort key of what leads to code that may have no attempt.
pub(super) const PENDING: &str = "PENDING#";
/// Begins the sort key of a month's days, which goes on `2026-11`.
pub(super) const MONTH: &str = "MONTH#";
/// The sort key of a person's totals.
pub(super) const SUMMARY: &str = "SUMMARY";
/// Begins the sort key of what was done on a question.
pub(super) const QUESTION: &str = "Q#";
/// The audit trail: one partition, of no bounded size, since its table has no local index.
pub(super) const AUDIT: &str = "AUDIT";
/// The month that an account was made in: the partition key of the index of all accounts.
pub(super) const MADE_IN: &str = "made_in";
/// The index of all accounts by the month and the moment they were made. Nothing that decides goes by it.
pub(super) const ACCOUNTS_INDEX: &str = "accounts";

/// History rows that share a partition key: no key takes all of a long history.
pub(super) const ROWS_PER_BUCKET: u64 = 4096;
/// Partitions over which owed mail is spread.
const MAIL_SHARDS: u8 = 16;
/// Rows over which the counters are spread.
const COUNTER_SHARDS: u64 = 8;

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

    /// Whether it is the key of that item.
    pub fn is_of(&self, item: &Item) -> bool {
        item.get(PK) == Some(&text(&self.pk)) && item.get(SK) == Some(&text(&self.sk))
    }
}

/// No item of any table: it is read to see whether the table answers.
pub(super) fn probe() -> Key {
    Key::new("PROBE", "PROBE")
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
    user_of(pk).filter(|_| sk == "ACCOUNT")
}

/// The user whose partition it is.
pub(super) fn user_of(pk: &str) -> Option<Uuid> {
    pk.strip_prefix("USER#")?.parse().ok()
}

/// The month of the oldest account, where one was brought in that is older than the service.
pub(super) fn oldest_month() -> Key {
    Key::new("DIRECTORY", "OLDEST")
}

/// The month of a moment, written `2026-11`.
pub(super) fn made_in(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m").to_string()
}

/// What is known of a user beside the account, by what it is.
pub(super) fn document(id: Uuid, kind: &str) -> Key {
    Key::new(user(id), kind)
}

/// A row of the search index: a word of a person, and who that is.
pub(super) fn search_row(word: &str, hash: &str) -> Key {
    let initials: String = word.chars().take(2).collect();
    Key::new(format!("W#{initials}"), format!("{word}#{hash}"))
}

/// A row of the index, by its name.
pub(super) fn search_position(partition: &str, name: &str) -> Item {
    Key::new(partition, name).item()
}

/// An erasure that is under way.
pub(super) fn erasure(id: Uuid) -> Key {
    Key::new("ERASE", id.to_string())
}

/// Up to when accounts that were never verified have been looked through.
pub(super) fn unverified_sweep() -> Key {
    Key::new("SWEEP#UNVERIFIED", "SWEEP")
}

/// An erasure that is complete.
pub(super) fn erased(id: Uuid) -> Key {
    Key::new(format!("ERASED#{id}"), "ERASED")
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

/// The window of a limit, by its scope, whom it counts, and its end.
pub(super) fn rate(scope: &str, lookup: &str, ends: DateTime<Utc>) -> Key {
    Key::new(format!("RATE#{scope}#{lookup}"), ends.timestamp().to_string())
}

/// A mail owed, by what it is about.
pub(super) fn mail(user_id: Uuid, kind: &str, occasion: &str) -> Key {
    let shard = user_id.as_bytes()[15] % MAIL_SHARDS;
    Key::new(format!("MAIL#{shard}"), format!("{user_id}#{kind}#{occasion}"))
}

/// An address that gets no mail, by a keyed hash of it.
pub(super) fn suppression(lookup: &str) -> Key {
    Key::new(format!("DEAD#{lookup}"), "DEAD")
}

/// Whether it is a mail owed or sent.
pub(super) fn is_mail(pk: &str) -> bool {
    pk.starts_with("MAIL#")
}

/// The rows of the counters.
pub(super) fn counters() -> impl Iterator<Item = Key> {
    (0..COUNTER_SHARDS).map(|shard| Key::new(format!("COUNTER#{shard}"), "COUNTER"))
}

/// The row that an event is counted in.
pub(super) fn counter_of(event_id: &str) -> Key {
    let sum: u64 = event_id.bytes().map(u64::from).sum();
    Key::new(format!("COUNTER#{}", sum % COUNTER_SHARDS), "COUNTER")
}

/// An event that was counted.
pub(super) fn counted(event_id: &str) -> Key {
    Key::new(format!("MARK#{event_id}"), "MARK")
}

// Table `audit`.

/// A moment in the order of the trail.
pub(super) fn audit_moment(moment: DateTime<Utc>) -> String {
    format!("{:013}", moment.timestamp_millis())
}

pub(super) fn audit_entry_name(at: i64, id: Uuid) -> String {
    format!("{at:013}#{id}")
}

pub(super) fn audit_entry(at: DateTime<Utc>, id: Uuid) -> Key {
    Key::new(AUDIT, audit_entry_name(at.timestamp_millis(), id))
}

// Table `attempts`.

pub(super) fn summary(user_id: Uuid) -> Key {
    Key::new(user(user_id), SUMMARY)
}

pub(super) fn question(user_id: Uuid, question_id: u64) -> Key {
    Key::new(user(user_id), format!("{QUESTION}{question_id:020}"))
}

/// The `number`th attempt of a person at a question, counted from 0.
pub(super) fn question_row(user_id: Uuid, question_id: u64, number: u64) -> Key {
    Key::new(user(user_id), format!("R#{question_id:020}#{number:010}"))
}

/// The `number`th attempt of a person, counted from 0.
pub(super) fn history_row(user_id: Uuid, number: u64) -> Key {
    Key::new(format!("{}#{}", user(user_id), number / ROWS_PER_BUCKET), format!("A#{number:010}"))
}

/// The days of a date's month.
pub(super) fn month(user_id: Uuid, date: NaiveDate) -> Key {
    Key::new(user(user_id), format!("{MONTH}{}", date.format("%Y-%m")))
}

/// What a submission with a client's key came to, by a hash of the key.
pub(super) fn idempotency(user_id: Uuid, key: &[u8; 32]) -> Key {
    Key::new(user(user_id), format!("IDEM#{}", BASE64URL_NOPAD.encode(key)))
}

pub(super) fn code(attempt_id: Uuid) -> Key {
    Key::new(format!("ATTEMPT#{attempt_id}"), "CODE")
}

/// Leads to code whose attempt may never have been counted. With its owner, so that erasing finds it.
pub(super) fn pending(user_id: Uuid, attempt_id: Uuid) -> Key {
    Key::new(user(user_id), format!("{PENDING}{attempt_id}"))
}

fn user(id: Uuid) -> String {
    format!("USER#{id}")
}
