use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    StoreError,
    attributes::{expiry, number},
    guesses::{Outcome, conditional},
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

/// Counts calls in windows that begin at fixed times. Rows go by TTL.
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
        Ok(Self { client: platform.aws.dynamodb.clone(), tokens })
    }

    /// Counts one call of `lookup`, a keyed hash of whoever is limited. Where the window is full, answers how long it
    /// still lasts.
    ///
    /// # Errors
    /// Where the store cannot answer: the call may not go on then (ASVS 16.5.3).
    pub async fn count(
        &self,
        limit: &Limit,
        lookup: &str,
        now: DateTime<Utc>,
    ) -> Result<Result<(), TimeDelta>, StoreError> {
        let length = limit.window.num_seconds().max(1);
        let began = now.timestamp() - now.timestamp().rem_euclid(length);
        let ends = DateTime::from_timestamp(began + length, 0).unwrap_or(now);
        let request = self
            .client
            .update_item()
            .table_name(&*self.tokens)
            .set_key(Some(keys::rate(limit.scope, lookup, began).item()))
            .update_expression(format!("SET {} = :expires ADD calls :one", keys::EXPIRES_AT))
            .condition_expression("attribute_not_exists(calls) OR calls < :limit")
            .expression_attribute_values(":expires", expiry(ends))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(limit.calls));
        Ok(match conditional(request).await? {
            Outcome::Done(_) => Ok(()),
            Outcome::Met(_) => Err(ends - now),
        })
    }
}
