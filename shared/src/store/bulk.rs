//! Items in bulk, as the service itself would leave them: what a fresh table is filled with to show how the service does
//! when it holds much, or from a backup. Nothing here writes.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;

use super::{
    Item, StoreError, account_item,
    accounts::{Event, claim},
    attempt_items,
    attributes::{Reader, moment, number, text},
    keys, search,
};
use crate::domain::{Account, Document, NewAttempt, QuestionProgress, SearchHit, Summary};

/// The items of table `users` for an account, as of when the search index has caught up.
pub fn user_items(account: &Account, profile: &Document) -> Vec<serde_dynamo::Item> {
    let mut items =
        vec![account_item::item(account, Event::Imported), claim(keys::email_claim(&account.email), account.id)];
    items.extend(account.username.as_ref().map(|username| claim(keys::username_claim(username), account.id)));
    items.extend(SearchHit::of(account, profile).iter().flat_map(search::items));
    items.into_iter().map(Into::into).collect()
}

/// What an account holds of the moment beside its sessions and counts: guesses, a reset, links that wait and that other keys have signed.
const OF_THE_MOMENT: [&str; 9] = ["tried_at", "guess", "settled", "rst", "inv", "chg", "chg_by", "exp", "exp_at"];

/// An item of a backup as it goes into an empty stack: an account is brought in, for the streams, and holds nothing of the moment.
pub fn brought_back(item: serde_dynamo::Item) -> serde_dynamo::Item {
    let mut item: Item = item.into();
    let reader = Reader::new("users", &item);
    let key = reader.text(keys::PK).and_then(|pk| Ok((pk, reader.text(keys::SK)?)));
    if key.is_ok_and(|(pk, sk)| keys::user_of_account(pk, sk).is_some()) {
        OF_THE_MOMENT.iter().for_each(|name| drop(item.remove(*name)));
        item.insert("s".to_owned(), AttributeValue::M(HashMap::new()));
        item.insert("tries".to_owned(), number(0));
        item.insert("wrong".to_owned(), number(0));
        item.insert(Event::ATTRIBUTE.to_owned(), text(Event::Imported.as_str()));
    }
    item.into()
}

/// Attempts of one person, counted as they are added.
pub struct AttemptItems {
    user_id: Uuid,
    summary: Summary,
    questions: BTreeMap<u64, QuestionProgress>,
    /// Attempts and first solves, by the first of the month and the day.
    days: BTreeMap<NaiveDate, BTreeMap<u32, [u64; 2]>>,
}

impl AttemptItems {
    /// Someone without attempts.
    pub fn new(user_id: Uuid) -> Self {
        Self { user_id, summary: Summary::default(), questions: BTreeMap::new(), days: BTreeMap::new() }
    }

    /// The items of one more attempt; none is older than the one before.
    ///
    /// # Errors
    /// Where its code cannot be compressed.
    pub fn add(&mut self, attempt: &NewAttempt) -> Result<Vec<serde_dynamo::Item>, StoreError> {
        let at = attempt.created_at;
        let before = self.questions.entry(attempt.question_id).or_default();
        let after = before.with(&attempt.outcome, at);
        let first_solve = before.solved_at.is_none() && after.solved_at.is_some();
        let of_question = keys::question_row(self.user_id, attempt.question_id, before.attempts);
        let history = keys::history_row(self.user_id, self.summary.total_attempts);
        *before = after;
        self.summary = self.summary.with(first_solve, at);
        let date = at.date_naive();
        let month = self.days.entry(date.with_day(1).unwrap_or(date)).or_default();
        let day = month.entry(date.day()).or_default();
        *day = [day[0] + 1, day[1] + u64::from(first_solve)];
        let items = [
            attempt_items::row(&history, attempt),
            attempt_items::row(&of_question, attempt),
            attempt_items::code(attempt)?,
        ];
        Ok(items.into_iter().map(Into::into).collect())
    }

    /// The counts of them all.
    pub fn finish(self) -> Vec<serde_dynamo::Item> {
        let user = self.user_id;
        let mut summary = keys::summary(user).item();
        summary.insert("total".into(), number(self.summary.total_attempts));
        summary.insert("solved".into(), number(self.summary.solved));
        summary.extend(self.summary.last_attempt_at.map(|last| ("last".to_owned(), moment(last))));
        let questions = self
            .questions
            .iter()
            .map(|(question, progress)| attempt_items::progress(&keys::question(user, *question), progress));
        let months = self.days.iter().map(|(month, days)| attempt_items::days(&keys::month(user, *month), days));
        [summary].into_iter().chain(questions).chain(months).map(Into::into).collect()
    }
}
