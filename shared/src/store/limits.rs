use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    Item, StoreError,
    attributes::{Reader, expiry, moment, number, text},
    change::{Change, Outcome},
    guesses::reservation_id,
    keys,
};
use crate::{Platform, config::SettingError};

/// Rounds against others who begin a window at the same moment.
const ROUNDS: usize = 4;

/// How many calls a window of time takes.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// What is counted; part of the key.
    pub scope: &'static str,
    pub calls: u32,
    pub window: TimeDelta,
}

/// Where a call stands in its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Whether the call had room.
    pub admitted: bool,
    /// Calls that it still takes.
    pub remaining: u32,
    /// When it is over.
    pub ends: DateTime<Utc>,
}

/// Counts calls in windows, each of which begins with its first call. Rows go by TTL.
#[derive(Clone)]
pub struct Limits {
    client: Client,
    tokens: Arc<str>,
}

impl Limits {
    /// The limits of this stack.
    ///
    /// # Errors
    /// Where the function was not given the table.
    pub fn new(platform: &Platform) -> Result<Self, SettingError> {
        let tokens = platform.settings.resource("TOKENS_TABLE")?.into();
        Ok(Self { client: platform.aws.dynamodb(), tokens })
    }

    /// Counts one call of `lookup`, a keyed hash of whoever is limited.
    ///
    /// # Errors
    /// Where the store cannot answer: the call may not go on then (ASVS 16.5.3).
    pub async fn count(&self, limit: &Limit, lookup: &str, now: DateTime<Utc>) -> Result<Window, StoreError> {
        let (key, call) = (keys::rate(limit.scope, lookup), reservation_id());
        for _ in 0..ROUNDS {
            let met = match in_window(limit, &call, now).apply(&self.client, &self.tokens, &key).await? {
                Outcome::Done(item) => return window(limit, &item, true),
                // It went between the two.
                Outcome::Met(None) => continue,
                Outcome::Met(Some(met)) => met,
            };
            // The SDK repeated a call whose first answer was lost.
            if Reader::new("tokens", &met).optional_text("newest")? == Some(call.as_str()) {
                return window(limit, &met, true);
            }
            let began = Reader::new("tokens", &met).moment("began")?;
            if began + limit.window > now {
                return window(limit, &met, false);
            }
            if let Outcome::Done(item) =
                new_window(limit, &call, began, now).apply(&self.client, &self.tokens, &key).await?
            {
                return window(limit, &item, true);
            }
        }
        Err(StoreError::Contended)
    }
}

fn window(limit: &Limit, item: &Item, admitted: bool) -> Result<Window, StoreError> {
    let reader = Reader::new("tokens", item);
    let calls: u32 = reader.number("calls")?;
    Ok(Window { admitted, remaining: limit.calls.saturating_sub(calls), ends: reader.moment("began")? + limit.window })
}

/// One more call in the window that runs, where it has room; or the first in a window, where none is remembered.
fn in_window(limit: &Limit, call: &str, now: DateTime<Utc>) -> Change {
    const ROOM: &str = "began > :gone AND calls < :limit AND (attribute_not_exists(newest) OR newest <> :call)";
    Change::provided(format!("attribute_not_exists(pk) OR ({ROOM})"))
        .set("calls = if_not_exists(calls, :zero) + :one, began = if_not_exists(began, :now)")
        .set("expires_at = if_not_exists(expires_at, :expires), newest = :call")
        .value(":call", text(call))
        .value(":zero", number(0))
        .value(":one", number(1))
        .value(":now", moment(now))
        .value(":gone", moment(now - limit.window))
        .value(":limit", number(limit.calls))
        .value(":expires", expiry(now + limit.window))
}

/// The first call of a window after the one that began at `old`, unless another call began it.
fn new_window(limit: &Limit, call: &str, old: DateTime<Utc>, now: DateTime<Utc>) -> Change {
    Change::provided("began = :old")
        .set("calls = :one, began = :now, expires_at = :expires, newest = :call")
        .value(":call", text(call))
        .value(":old", moment(old))
        .value(":one", number(1))
        .value(":now", moment(now))
        .value(":expires", expiry(now + limit.window))
}
