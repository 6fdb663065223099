use std::sync::Arc;

use aws_sdk_dynamodb::{
    Client, operation::update_item::builders::UpdateItemFluentBuilder, types::ReturnValuesOnConditionCheckFailure,
};
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    StoreError,
    attributes::{Reader, expiry, moment, number},
    guesses::{Outcome, conditional},
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
        for _ in 0..ROUNDS {
            let Outcome::Met(met) = conditional(self.in_window(limit, lookup, now)).await? else { return Ok(Ok(())) };
            let began = met.as_ref().map(|met| Reader::new("tokens", met).moment("began")).transpose()?;
            if let Some(rest) = began.map(|began| began + limit.window - now).filter(|rest| *rest > TimeDelta::zero()) {
                return Ok(Err(rest));
            }
            if let Outcome::Done(_) = conditional(self.new_window(limit, lookup, began, now)).await? {
                return Ok(Ok(()));
            }
        }
        Err(StoreError::Contended)
    }

    /// One more call in the window that runs, where it has room.
    fn in_window(&self, limit: &Limit, lookup: &str, now: DateTime<Utc>) -> UpdateItemFluentBuilder {
        self.update(limit, lookup)
            .update_expression("SET calls = calls + :one")
            .condition_expression("began > :gone AND calls < :limit")
            .expression_attribute_values(":gone", moment(now - limit.window))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":limit", number(limit.calls))
    }

    /// The first call of a window, unless another call began one since.
    fn new_window(
        &self,
        limit: &Limit,
        lookup: &str,
        old: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> UpdateItemFluentBuilder {
        let request = self
            .update(limit, lookup)
            .update_expression(format!("SET calls = :one, began = :now, {} = :expires", keys::EXPIRES_AT))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", moment(now))
            .expression_attribute_values(":expires", expiry(now + limit.window));
        match old {
            None => request.condition_expression("attribute_not_exists(pk)"),
            Some(old) => request.condition_expression("began = :old").expression_attribute_values(":old", moment(old)),
        }
    }

    fn update(&self, limit: &Limit, lookup: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&*self.tokens)
            .set_key(Some(keys::rate(limit.scope, lookup).item()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}
