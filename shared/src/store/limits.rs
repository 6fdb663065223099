use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    StoreError,
    attributes::{Reader, expiry, number, text},
    change::{Change, Outcome},
    guesses::reservation_id,
    keys,
};
use crate::{Platform, config::SettingError};

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

/// Counts calls in windows of the clock: every minute, hour or day of UTC is one, with a row of its own, so that a call costs one
/// write, also where it is the first of its window. Rows go by TTL.
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
        let ends = end_of_window(limit.window, now);
        let (key, call) = (keys::rate(limit.scope, lookup, ends), reservation_id());
        let (item, admitted) = match one_more(limit, &call, ends).apply(&self.client, &self.tokens, &key).await? {
            Outcome::Done(item) => (item, true),
            Outcome::Met(met) => {
                let met = met.ok_or(StoreError::Contended)?;
                // The SDK repeated a call whose first answer was lost.
                let repeated = Reader::new("tokens", &met).optional_text("newest")? == Some(call.as_str());
                (met, repeated)
            }
        };
        let calls: u32 = Reader::new("tokens", &item).number("calls")?;
        Ok(Window { admitted, remaining: limit.calls.saturating_sub(calls), ends })
    }
}

/// When the window is over in which `now` is.
fn end_of_window(window: TimeDelta, now: DateTime<Utc>) -> DateTime<Utc> {
    let length = window.num_milliseconds().max(1);
    now + TimeDelta::milliseconds(length - now.timestamp_millis().rem_euclid(length))
}

/// One more call in a window, where it has room.
fn one_more(limit: &Limit, call: &str, ends: DateTime<Utc>) -> Change {
    Change::provided("attribute_not_exists(pk) OR (calls < :limit AND newest <> :call)")
        .set("calls = if_not_exists(calls, :zero) + :one, expires_at = :expires, newest = :call")
        .value(":call", text(call))
        .value(":zero", number(0))
        .value(":one", number(1))
        .value(":limit", number(limit.calls))
        .value(":expires", expiry(ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_ends_with_its_minute_hour_or_day() {
        let moment = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let now = moment("2026-11-30T18:59:59.999Z");
        for (window, end) in [
            (TimeDelta::minutes(1), "2026-11-30T19:00:00Z"),
            (TimeDelta::hours(1), "2026-11-30T19:00:00Z"),
            (TimeDelta::days(1), "2026-12-01T00:00:00Z"),
        ] {
            assert_eq!(end_of_window(window, now), moment(end));
            assert_eq!(end_of_window(window, moment(end)), moment(end) + window, "its end is the next one's beginning");
        }
    }
}
