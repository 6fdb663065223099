//! Reserves and settles guesses at a password: the one counter behind every door that takes one.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Accounts, Item, StoreError, account_item,
    accounts::Event,
    attributes::{Reader, expiry, moment, number, text},
    change::{Change, Outcome},
    keys,
};
use crate::{
    domain::{Account, Guesses, MEMORY, Standing, TRIES},
    telemetry::{self, Metric},
};

/// Rounds of a reservation that others keep changing before it is given up.
const ROUNDS: usize = 8;

/// Whose guesses are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuessKey {
    Account(Uuid),
    /// An identifier that nobody has, as a keyed hash. Counted alike, so that it reads alike.
    Ghost(String),
}

/// A guess that may be compared, and must be settled.
#[derive(Debug)]
pub struct Reservation {
    pub(super) key: GuessKey,
    pub(super) id: String,
    pub(super) guesses: Guesses,
    /// The account as it was with the reservation; none behind a ghost.
    pub account: Option<Account>,
}

/// What came of trying to reserve.
#[derive(Debug)]
pub enum Reserved {
    Yes(Box<Reservation>),
    /// Three are being compared: try again in a moment.
    Busy,
    Locked(DateTime<Utc>),
    /// The account went between its claim and this call.
    Gone,
}

impl GuessKey {
    /// The table that a damaged counter is reported in.
    fn table(&self) -> &'static str {
        match self {
            Self::Account(_) => "users",
            Self::Ghost(_) => "tokens",
        }
    }
}

/// A name for a reservation, unlike any other in its row.
pub(super) fn reservation_id() -> String {
    let mut id = Uuid::new_v4().simple().to_string();
    id.truncate(12);
    id
}

impl Accounts {
    /// Reserves a guess, where there is room for one.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn reserve_guess(&self, key: GuessKey, now: DateTime<Utc>) -> Result<Reserved, StoreError> {
        let id = reservation_id();
        let mut change = in_row(&key, &id, now);
        for _ in 0..ROUNDS {
            let met = match self.change_guesses(&key, change, Event::Guessed, now).await? {
                Outcome::Done(item) => return Ok(Reserved::Yes(Box::new(reservation(key, id, &item)?))),
                Outcome::Met(None) => return Ok(Reserved::Gone),
                Outcome::Met(Some(item)) => item,
            };
            let guesses = account_item::read_guesses(&Reader::new(key.table(), &met))?;
            if guesses.reserved.contains(&id) {
                return Ok(Reserved::Yes(Box::new(reservation(key, id, &met)?)));
            }
            change = match guesses.standing(now) {
                Standing::Busy => return Ok(Reserved::Busy),
                Standing::Locked(until) => return Ok(Reserved::Locked(until)),
                Standing::Over => anew(&id, &guesses, now),
                Standing::Open => in_row(&key, &id, now),
            };
        }
        Err(StoreError::Contended)
    }

    /// Settles a guess that was wrong. The third in a row locks, and the stream mails the alert. Where a success has since
    /// begun a new row, there is nothing to settle.
    ///
    /// # Errors
    /// Where the store cannot answer; the reservation then counts as wrong once it is older than a request can live.
    pub async fn settle_wrong(&self, reservation: &Reservation, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut wrong = reservation.guesses.wrong;
        for _ in 0..ROUNDS {
            let event = if wrong + 1 >= TRIES { Event::Locked } else { Event::Guessed };
            let met = match self.change_guesses(&reservation.key, settling(reservation, wrong), event, now).await? {
                Outcome::Met(Some(met)) => met,
                Outcome::Done(_) => {
                    if event == Event::Locked {
                        telemetry::count(Metric::Locks);
                    }
                    return Ok(());
                }
                Outcome::Met(None) => return Ok(()),
            };
            let guesses = account_item::read_guesses(&Reader::new(reservation.key.table(), &met))?;
            if guesses.settled.contains(&reservation.id) || guesses.generation != reservation.guesses.generation {
                return Ok(());
            }
            wrong = guesses.wrong;
        }
        Err(StoreError::Contended)
    }

    /// Settles a guess that was right where no session comes of it: the row of wrong ones is over.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn settle_right(&self, reservation: &Reservation, now: DateTime<Utc>) -> Result<(), StoreError> {
        let change = Change::provided("gen = :gen").value(":gen", number(reservation.guesses.generation));
        let change = row_over(change).unread();
        // Where the condition fails, another success has cleared the row already.
        self.change_guesses(&reservation.key, change, Event::Guessed, now).await.map(drop)
    }

    /// Accounts and ghosts take the same writes; a ghost is forgotten by TTL.
    async fn change_guesses(
        &self,
        key: &GuessKey,
        change: Change,
        event: Event,
        now: DateTime<Utc>,
    ) -> Result<Outcome, StoreError> {
        let change = change.set("ev = :ev").value(":ev", text(event.as_str()));
        match key {
            GuessKey::Account(id) => change.apply(&self.client, &self.users, &keys::account(*id)).await,
            GuessKey::Ghost(lookup) => {
                let change = change.set("expires_at = :expires").value(":expires", expiry(now + MEMORY));
                change.apply(&self.client, self.tokens()?, &keys::ghost(lookup)).await
            }
        }
    }
}

/// Ends the row of wrong guesses.
pub(super) fn row_over(change: Change) -> Change {
    let change = change.set("tries = :zero, wrong = :zero, gen = gen + :one").remove("guess, settled");
    change.value(":zero", number(0)).value(":one", number(1))
}

/// One more guess in the row that runs.
fn in_row(key: &GuessKey, id: &str, now: DateTime<Utc>) -> Change {
    const ROOM: &str = "tries < :tries AND (tries = :zero OR tried_at > :memory) AND NOT contains(guess, :id)";
    let condition = match key {
        GuessKey::Account(_) => format!("attribute_exists(pk) AND {ROOM}"),
        GuessKey::Ghost(_) => format!("attribute_not_exists(pk) OR ({ROOM})"),
    };
    Change::provided(condition)
        .set("tries = if_not_exists(tries, :zero) + :one, wrong = if_not_exists(wrong, :zero)")
        .set("gen = if_not_exists(gen, :zero), tried_at = :now")
        .add("guess :ids")
        .value(":zero", number(0))
        .value(":one", number(1))
        .value(":tries", number(TRIES))
        .value(":now", moment(now))
        .value(":memory", moment(now - MEMORY))
        .value(":id", text(id))
        .value(":ids", set_of_one(id))
}

/// The first guess of a new row, once the old one is over.
fn anew(id: &str, old: &Guesses, now: DateTime<Utc>) -> Change {
    Change::provided("gen = :gen AND tries = :old_tries AND tried_at = :old_tried_at")
        .set("tries = :one, wrong = :zero, gen = gen + :one, tried_at = :now, guess = :ids")
        .remove("settled")
        .value(":zero", number(0))
        .value(":one", number(1))
        .value(":now", moment(now))
        .value(":ids", set_of_one(id))
        .value(":gen", number(old.generation))
        .value(":old_tries", number(old.tries))
        .value(":old_tried_at", moment(old.tried_at.unwrap_or_default()))
}

/// The reservation is wrong, the `wrong + 1`th of its row.
fn settling(reservation: &Reservation, wrong: u32) -> Change {
    // Unread, so that an account, which is larger than a ghost, takes no longer.
    Change::provided("gen = :gen AND wrong = :wrong AND NOT contains(settled, :id)")
        .unread()
        .set("wrong = wrong + :one")
        .add("settled :ids")
        .value(":one", number(1))
        .value(":gen", number(reservation.guesses.generation))
        .value(":wrong", number(wrong))
        .value(":id", text(&reservation.id))
        .value(":ids", set_of_one(&reservation.id))
}

fn set_of_one(id: &str) -> AttributeValue {
    AttributeValue::Ss(vec![id.to_owned()])
}

fn reservation(key: GuessKey, id: String, item: &Item) -> Result<Reservation, StoreError> {
    let guesses = account_item::read_guesses(&Reader::new(key.table(), item))?;
    let account = match key {
        GuessKey::Account(_) => Some(account_item::read(item)?),
        GuessKey::Ghost(_) => None,
    };
    Ok(Reservation { key, id, guesses, account })
}
