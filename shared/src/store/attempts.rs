//! Counts attempts: summary, history, per-question row and day move in one transaction, conditioned on every value that
//! it was computed from, so that no reader sees them disagree and no number is skipped.

use std::sync::Arc;

use aws_sdk_dynamodb::{
    Client,
    types::{Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update},
};
use chrono::{DateTime, Datelike, TimeDelta, Utc};

use super::{
    Item, StoreError, attempt_items,
    attributes::{Reader, expiry, moment, number, text},
    change::Change,
    keys, lookup,
    patience::Patience,
    removals::{put_batch, remove},
    transactions::{Refused, Transacted, build, transact},
};
use crate::{
    Platform,
    config::SettingError,
    domain::{NewAttempt, QuestionProgress, Summary},
    telemetry::{self, Metric},
};

/// Code that no attempt came to refer to is looked for after this long.
const PENDING: TimeDelta = TimeDelta::days(1);

/// Places of the conditions in the transaction that others may have come before.
const SUMMARY: usize = 0;
const QUESTION: usize = 1;
const KEY: usize = 5;

/// Attempts of everyone: table `attempts`.
#[derive(Clone)]
pub struct Attempts {
    pub(super) client: Client,
    pub(super) table: Arc<str>,
}

/// What a submission is computed from.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    pub summary: Summary,
    pub question: QuestionProgress,
}

/// What became of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// The attempt counts, since now or since it was first sent.
    Counted,
    /// Its key came with another body before.
    KeyReused,
}

impl Attempts {
    /// How many attempts the summary in an image of the stream counts; nothing where it is no summary.
    ///
    /// # Errors
    /// Where the image is damaged.
    pub fn read_total(image: serde_dynamo::Item) -> Result<Option<u64>, StoreError> {
        let image: Item = image.into();
        match Reader::new("attempts", &image).optional_text(keys::SK)? {
            Some(keys::SUMMARY) => Ok(Some(attempt_items::read_summary(&image)?.total_attempts)),
            _ => Ok(None),
        }
    }

    /// The attempts of this stack.
    ///
    /// # Errors
    /// Where the function was not given the table.
    pub fn new(platform: &Platform) -> Result<Self, SettingError> {
        let table = platform.settings.resource("ATTEMPTS_TABLE")?.into();
        Ok(Self { client: platform.aws.dynamodb(), table })
    }

    /// Stores the code and reads the counts, in one round trip. The code's `PENDING` row leads to it should no attempt
    /// come to refer to it.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn prepare(&self, attempt: &NewAttempt) -> Result<Counted, StoreError> {
        // Both in one call: code whose row was never written would outlive even the account.
        let stored = vec![pending(attempt), attempt_items::code(attempt)?];
        let stored = put_batch(&self.client, &self.table, stored);
        let summary = self.get(keys::summary(attempt.user_id));
        let question = self.get(keys::question(attempt.user_id, attempt.question_id));
        // Whatever the others say: half of what is stored would be code that nothing leads to.
        let (summary, question, stored) = tokio::join!(summary, question, stored);
        stored?;
        let (summary, question) = (summary?, question?);
        Ok(Counted {
            summary: summary.as_ref().map(attempt_items::read_summary).transpose()?.unwrap_or_default(),
            question: question.as_ref().map(attempt_items::read_progress).transpose()?.unwrap_or_default(),
        })
    }

    /// Takes back what [`Self::prepare`] stored, whole or in part: the code before the row that leads to it.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn discard(&self, attempt: &NewAttempt) -> Result<(), StoreError> {
        remove(&self.client, &self.table, vec![keys::code(attempt.id).item()]).await?;
        remove(&self.client, &self.table, vec![keys::pending(attempt.user_id, attempt.id).item()]).await
    }

    /// Counts an attempt whose code is stored. Where another submission came first, it is planned anew from what that
    /// one left; where that one was the same, `attempt` becomes it.
    ///
    /// # Errors
    /// Where the store cannot answer, or others keep coming first.
    pub async fn count(&self, attempt: &mut NewAttempt, mut before: Counted) -> Result<Submitted, StoreError> {
        let stored_at = attempt.created_at;
        let mut patience = Patience::of_a_plan();
        loop {
            // The history is newest first by number and by time alike, whichever of two submissions began earlier.
            attempt.created_at = before.summary.last_attempt_at.map_or(stored_at, |last| last.max(stored_at));
            let plan = self.plan(attempt, &before, stored_at)?;
            let refused = match transact(&self.client, plan, &mut patience).await? {
                Transacted::Committed => {
                    telemetry::count(Metric::Attempts);
                    return Ok(Submitted::Counted);
                }
                Transacted::Refused(refused) => refused,
            };
            if let (Some(repeatable), Some(earlier)) = (&attempt.repeatable, refused.met(KEY)) {
                let Some((id, at)) = attempt_items::read_repeatable(earlier, repeatable)? else {
                    return Ok(Submitted::KeyReused);
                };
                (attempt.id, attempt.created_at) = (id, at);
                return Ok(Submitted::Counted);
            }
            before = replanned(before, &refused)?;
            patience.pause().await?;
        }
    }

    fn plan(
        &self,
        attempt: &NewAttempt,
        before: &Counted,
        stored_at: DateTime<Utc>,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let (user, at) = (attempt.user_id, attempt.created_at);
        let after = before.question.with(&attempt.outcome, at);
        let first_solve = before.question.solved_at.is_none() && after.solved_at.is_some();
        let history = keys::history_row(user, before.summary.total_attempts);
        let of_question = keys::question_row(user, attempt.question_id, before.question.attempts);
        let question_key = keys::question(user, attempt.question_id);
        let mut plan = vec![
            update(self.summary_update(attempt, &before.summary, &before.summary.with(first_solve, at))?),
            put(self.question_put(attempt_items::progress(&question_key, &after), before.question.attempts)?),
            put(self.new_row(attempt_items::row(&history, attempt))?),
            put(self.new_row(attempt_items::row(&of_question, attempt))?),
            update(self.day_update(attempt, first_solve)?),
        ];
        if let Some(repeatable) = &attempt.repeatable {
            plan.push(put(self.key_put(attempt_items::repeatable(attempt, repeatable, stored_at), stored_at)?));
        }
        if at != stored_at {
            plan.push(update(self.code_update(attempt)?));
        }
        Ok(plan)
    }

    /// Gives the stored code the time that the attempt is counted with.
    fn code_update(&self, attempt: &NewAttempt) -> Result<Update, StoreError> {
        let change = Change::provided("attribute_exists(pk)").set("#at = :at").name("#at", "at");
        change.value(":at", moment(attempt.created_at)).in_transaction(&self.table, &keys::code(attempt.id))
    }

    /// The first to come with a key puts it; one whose time is over counts as gone, whenever TTL deletes it.
    fn key_put(&self, item: Item, now: DateTime<Utc>) -> Result<Put, StoreError> {
        let put = Put::builder()
            .table_name(&*self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR expires_at < :now")
            .expression_attribute_values(":now", expiry(now))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        build(put.build())
    }

    fn summary_update(&self, attempt: &NewAttempt, before: &Summary, after: &Summary) -> Result<Update, StoreError> {
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(keys::summary(attempt.user_id).item()))
            .update_expression("SET #total = :after, solved = :solved, #last = :last")
            .condition_expression(unchanged(before.total_attempts))
            .expression_attribute_names("#total", "total")
            .expression_attribute_names("#last", "last")
            .expression_attribute_values(":after", number(after.total_attempts))
            .expression_attribute_values(":solved", number(after.solved))
            .expression_attribute_values(":last", moment(after.last_attempt_at.unwrap_or(attempt.created_at)))
            .expression_attribute_values(":before", number(before.total_attempts))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        build(update.build())
    }

    fn question_put(&self, item: Item, before: u64) -> Result<Put, StoreError> {
        let put = Put::builder()
            .table_name(&*self.table)
            .set_item(Some(item))
            .condition_expression(unchanged(before))
            .expression_attribute_names("#total", "total")
            .expression_attribute_values(":before", number(before))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        build(put.build())
    }

    fn new_row(&self, item: Item) -> Result<Put, StoreError> {
        build(
            Put::builder()
                .table_name(&*self.table)
                .set_item(Some(item))
                .condition_expression("attribute_not_exists(pk)")
                .build(),
        )
    }

    /// The attempt's day in its month.
    fn day_update(&self, attempt: &NewAttempt, first_solve: bool) -> Result<Update, StoreError> {
        let date = attempt.created_at.date_naive();
        let [attempts, solved] = attempt_items::names_of_day(date.day());
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(keys::month(attempt.user_id, date).item()))
            .update_expression(format!("ADD {attempts} :one, {solved} :first"))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":first", number(u8::from(first_solve)));
        build(update.build())
    }

    pub(super) async fn get(&self, key: keys::Key) -> Result<Option<Item>, StoreError> {
        lookup::get(&self.client, &self.table, &key).await
    }
}

/// A count that is still what it was: 0 is a row that is not there yet.
fn unchanged(before: u64) -> &'static str {
    if before == 0 { "attribute_not_exists(#total) OR #total = :before" } else { "#total = :before" }
}

/// The counts as the failed conditions met them; what did not fail had not changed, and what was not met is not there.
fn replanned(before: Counted, refused: &Refused) -> Result<Counted, StoreError> {
    if !refused.contains(SUMMARY) && !refused.contains(QUESTION) {
        // What stands in the way is no other submission: the account is being erased.
        return Err(StoreError::Contended);
    }
    Ok(Counted {
        summary: if refused.contains(SUMMARY) {
            refused.met(SUMMARY).map(attempt_items::read_summary).transpose()?.unwrap_or_default()
        } else {
            before.summary
        },
        question: if refused.contains(QUESTION) {
            refused.met(QUESTION).map(attempt_items::read_progress).transpose()?.unwrap_or_default()
        } else {
            before.question
        },
    })
}

fn pending(attempt: &NewAttempt) -> Item {
    let expires_at: DateTime<Utc> = attempt.created_at + PENDING;
    let mut item = keys::pending(attempt.user_id, attempt.id).item();
    item.insert("uid".into(), text(attempt.user_id.to_string()));
    item.insert("q".into(), number(attempt.question_id));
    item.insert("at".into(), moment(attempt.created_at));
    item.insert(keys::EXPIRES_AT.into(), expiry(expires_at));
    item
}

fn put(put: Put) -> TransactWriteItem {
    TransactWriteItem::builder().put(put).build()
}

fn update(update: Update) -> TransactWriteItem {
    TransactWriteItem::builder().update(update).build()
}
