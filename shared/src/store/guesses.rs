//! Reserves and settles guesses at a password: the one counter behind every door that takes one.

use aws_sdk_dynamodb::{
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Accounts, Item, StoreError, account_item,
    accounts::Event,
    attributes::{Reader, expiry, moment, number, text},
    keys,
};
use crate::domain::{Account, Guesses, MEMORY, Standing, TRIES};

/// Rounds of a reservation that others keep changing before it is given up.
const ROUNDS: usize = 8;

/// Named in the report of a damaged counter, be it an account's or a ghost's.
const TABLE: &str = "users";

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

/// What came of settling a wrong guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    Counted,
    /// It was the third in a row.
    Locked,
    /// A success has since started a new row.
    Superseded,
}

/// One conditional write to the counters.
struct Update<'a> {
    set: &'a str,
    condition: String,
    values: Vec<(&'static str, AttributeValue)>,
    event: Event,
}

impl Accounts {
    /// Reserves a guess, where there is room for one.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn reserve_guess(&self, key: GuessKey, now: DateTime<Utc>) -> Result<Reserved, StoreError> {
        let id = Uuid::new_v4().simple().to_string();
        let mut update = in_row(&key, &id, now);
        for _ in 0..ROUNDS {
            let met = match self.update_guesses(&key, update, now).await? {
                Outcome::Done(item) => return Ok(Reserved::Yes(Box::new(reservation(key, id, &item)?))),
                Outcome::Met(None) => return Ok(Reserved::Gone),
                Outcome::Met(Some(item)) => item,
            };
            let guesses = account_item::read_guesses(&Reader::new(TABLE, &met))?;
            if guesses.reservation.as_ref() == Some(&id) {
                return Ok(Reserved::Yes(Box::new(reservation(key, id, &met)?)));
            }
            update = match guesses.standing(now) {
                Standing::Busy => return Ok(Reserved::Busy),
                Standing::Locked(until) => return Ok(Reserved::Locked(until)),
                Standing::Over => anew(&id, &guesses, now),
                Standing::Open => in_row(&key, &id, now),
            };
        }
        Err(StoreError::Contended)
    }

    /// Settles a guess that was wrong. The third in a row locks, and the stream mails the alert.
    ///
    /// # Errors
    /// Where the store cannot answer; the reservation then counts as wrong once it is older than a request can live.
    pub async fn settle_wrong(&self, reservation: &Reservation, now: DateTime<Utc>) -> Result<Settled, StoreError> {
        let mut wrong = reservation.guesses.wrong;
        for _ in 0..ROUNDS {
            let third = wrong + 1 >= TRIES;
            let settled = if third { Settled::Locked } else { Settled::Counted };
            let update = settling(reservation, wrong, if third { Event::Locked } else { Event::Guessed });
            let met = match self.update_guesses(&reservation.key, update, now).await? {
                Outcome::Done(_) => return Ok(settled),
                Outcome::Met(None) => return Ok(Settled::Superseded),
                Outcome::Met(Some(met)) => met,
            };
            let reader = Reader::new(TABLE, &met);
            let guesses = account_item::read_guesses(&reader)?;
            if reader.optional_text("settled")? == Some(reservation.id.as_str()) {
                return Ok(settled);
            }
            if guesses.generation != reservation.guesses.generation {
                return Ok(Settled::Superseded);
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
        let update = Update {
            set: "tries = :zero, wrong = :zero, gen = gen + :one",
            condition: "gen = :gen".into(),
            values: vec![(":zero", number(0)), (":one", number(1)), (":gen", number(reservation.guesses.generation))],
            event: Event::Guessed,
        };
        // Where the condition fails, another success has cleared the row already.
        self.update_guesses(&reservation.key, update, now).await.map(drop)
    }

    /// Accounts and ghosts take the same writes; a ghost is forgotten by TTL.
    async fn update_guesses(
        &self,
        key: &GuessKey,
        update: Update<'_>,
        now: DateTime<Utc>,
    ) -> Result<Outcome, StoreError> {
        let (table, item_key, lifetime) = match key {
            GuessKey::Account(id) => (&*self.users, keys::account(*id), None),
            GuessKey::Ghost(lookup) => (self.tokens()?, keys::ghost(lookup), Some((":expires", expiry(now + MEMORY)))),
        };
        let expires = if lifetime.is_some() { format!(", {} = :expires", keys::EXPIRES_AT) } else { String::new() };
        let values = update.values.into_iter().chain([(":ev", text(update.event.as_str()))]).chain(lifetime);
        let request = self
            .client
            .update_item()
            .table_name(table)
            .set_key(Some(item_key.item()))
            .update_expression(format!("SET {}, ev = :ev{expires}", update.set))
            .condition_expression(update.condition)
            .set_expression_attribute_values(Some(values.map(|(name, value)| (name.to_owned(), value)).collect()))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        conditional(request).await
    }
}

/// One more guess in the row that runs.
fn in_row(key: &GuessKey, id: &str, now: DateTime<Utc>) -> Update<'static> {
    const ROOM: &str =
        "tries < :tries AND (tries = :zero OR tried_at > :memory) AND (attribute_not_exists(guess) OR guess <> :id)";
    Update {
        set: "tries = if_not_exists(tries, :zero) + :one, wrong = if_not_exists(wrong, :zero), \
              gen = if_not_exists(gen, :zero), tried_at = :now, guess = :id",
        condition: match key {
            GuessKey::Account(_) => format!("attribute_exists(pk) AND {ROOM}"),
            GuessKey::Ghost(_) => format!("attribute_not_exists(pk) OR ({ROOM})"),
        },
        values: vec![
            (":zero", number(0)),
            (":one", number(1)),
            (":tries", number(TRIES)),
            (":now", moment(now)),
            (":memory", moment(now - MEMORY)),
            (":id", text(id)),
        ],
        event: Event::Guessed,
    }
}

/// The first guess of a new row, once the old one is over.
fn anew(id: &str, old: &Guesses, now: DateTime<Utc>) -> Update<'static> {
    Update {
        set: "tries = :one, wrong = :zero, gen = gen + :one, tried_at = :now, guess = :id",
        condition: "gen = :gen AND tries = :old_tries AND guess = :old_id".into(),
        values: vec![
            (":zero", number(0)),
            (":one", number(1)),
            (":now", moment(now)),
            (":id", text(id)),
            (":gen", number(old.generation)),
            (":old_tries", number(old.tries)),
            (":old_id", text(old.reservation.clone().unwrap_or_default())),
        ],
        event: Event::Guessed,
    }
}

/// The reservation is wrong, the `wrong + 1`th of its row.
fn settling(reservation: &Reservation, wrong: u32, event: Event) -> Update<'static> {
    Update {
        set: "wrong = wrong + :one, settled = :id",
        condition:
            "gen = :gen AND wrong = :wrong AND wrong < tries AND (attribute_not_exists(settled) OR settled <> :id)"
                .into(),
        values: vec![
            (":one", number(1)),
            (":gen", number(reservation.guesses.generation)),
            (":wrong", number(wrong)),
            (":id", text(&reservation.id)),
        ],
        event,
    }
}

fn reservation(key: GuessKey, id: String, item: &Item) -> Result<Reservation, StoreError> {
    let guesses = account_item::read_guesses(&Reader::new(TABLE, item))?;
    let account = match key {
        GuessKey::Account(_) => Some(account_item::read(item)?),
        GuessKey::Ghost(_) => None,
    };
    Ok(Reservation { key, id, guesses, account })
}

/// How a conditional update ended.
pub(super) enum Outcome {
    /// It was written; the attributes that were asked for.
    Done(Item),
    /// Its condition failed; the item that it met.
    Met(Option<Item>),
}

pub(super) async fn conditional(request: UpdateItemFluentBuilder) -> Result<Outcome, StoreError> {
    match request.send().await {
        Ok(output) => Ok(Outcome::Done(output.attributes.unwrap_or_default())),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => Ok(Outcome::Met(failed.item.clone())),
            _ => Err(error.into()),
        },
    }
}
