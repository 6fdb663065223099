//! Reads attempts. History rows are numbered without gaps, so any page, at any offset, is key arithmetic.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use chrono::NaiveDate;
use std::{ops::Range, sync::Arc};
use uuid::Uuid;

use super::{
    Attempts, Item, Lookup, StoreError, attempt_items,
    attributes::text,
    keys::{self, Key, ROWS_PER_BUCKET},
};
use crate::domain::{Attempt, Day, QuestionProgress, Summary};

/// Where a page begins, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageStart {
    /// After that many newer ones.
    Offset(u64),
    /// With the newest one below that number: what the last page's cursor says.
    Before(u64),
}

/// The numbers of the rows of a page, of the whole history or of one question's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryPage {
    pub total: u64,
    pub rows: Range<u64>,
}

impl HistoryPage {
    /// The page of at most `limit` rows from `start`, in a history of `total`.
    pub fn new(total: u64, start: PageStart, limit: u64) -> Self {
        let end = match start {
            PageStart::Offset(offset) => total.saturating_sub(offset),
            PageStart::Before(number) => total.min(number),
        };
        Self { total, rows: end.saturating_sub(limit)..end }
    }

    /// Where the next page begins, where there is one.
    pub fn next(&self) -> Option<u64> {
        (self.rows.start > 0 && !self.rows.is_empty()).then_some(self.rows.start)
    }
}

impl Attempts {
    /// What a person has done in all.
    pub fn summary(&self, user_id: Uuid) -> Lookup<Summary> {
        Lookup { table: Arc::clone(&self.table), key: keys::summary(user_id), read: summary }
    }

    /// How many attempts a person's history holds, or those at one question.
    pub fn total(&self, user_id: Uuid, question_id: Option<u64>) -> Lookup<u64> {
        let table = Arc::clone(&self.table);
        let of_question = |item: Option<&Item>| {
            let progress = item.map(attempt_items::read_progress).transpose()?;
            Ok(progress.map_or(0, |progress| progress.attempts))
        };
        match question_id {
            None => Lookup { table, key: keys::summary(user_id), read: |item| Ok(summary(item)?.total_attempts) },
            Some(question_id) => Lookup { table, key: keys::question(user_id, question_id), read: of_question },
        }
    }

    /// One attempt with its owner and its code.
    pub fn attempt(&self, attempt_id: Uuid) -> Lookup<Option<(Uuid, Attempt, String)>> {
        let read = |item: Option<&Item>| item.map(attempt_items::read_code).transpose();
        Lookup { table: Arc::clone(&self.table), key: keys::code(attempt_id), read }
    }

    /// What [`Self::attempt`] says, read strongly.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn find(&self, attempt_id: Uuid) -> Result<Option<(Uuid, Attempt, String)>, StoreError> {
        self.attempt(attempt_id).find(&self.client).await
    }

    /// What [`Self::total`] says, read strongly.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn find_total(&self, user_id: Uuid, question_id: Option<u64>) -> Result<u64, StoreError> {
        self.total(user_id, question_id).find(&self.client).await
    }

    /// The rows of a page, newest first.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn find_page(
        &self,
        user_id: Uuid,
        question_id: Option<u64>,
        page: &HistoryPage,
    ) -> Result<Vec<Attempt>, StoreError> {
        let Range { start, end } = page.rows;
        let Some(last) = end.checked_sub(1).filter(|last| *last >= start) else {
            return Ok(Vec::new());
        };
        let key = |number| match question_id {
            None => keys::history_row(user_id, number),
            Some(question_id) => keys::question_row(user_id, question_id, number),
        };
        let boundary = last - last % ROWS_PER_BUCKET;
        if question_id.is_some() || boundary <= start {
            let rows = self.find_rows(&key(start), &key(last), true).await?;
            // A query may come between the parts of a transaction whose count was read already: asked again, it has them all.
            let whole = rows.len() as u64 == end - start;
            return if whole { Ok(rows) } else { self.find_rows(&key(start), &key(last), true).await };
        }
        let (older_first, older_last, newer_first, newer_last) =
            (key(start), key(boundary - 1), key(boundary), key(last));
        // Rows never change: those that are found are right, however stale the replica that was asked.
        let both = async |consistent| {
            let older = self.find_rows(&older_first, &older_last, consistent);
            let newer = self.find_rows(&newer_first, &newer_last, consistent);
            let (mut rows, older) = tokio::try_join!(newer, older)?;
            rows.extend(older);
            Ok::<_, StoreError>(rows)
        };
        let rows = both(false).await?;
        if rows.len() as u64 == end - start { Ok(rows) } else { both(true).await }
    }

    /// The rows between two keys of one partition, newest first.
    async fn find_rows(&self, first: &Key, last: &Key, consistent: bool) -> Result<Vec<Attempt>, StoreError> {
        let request = self.between(first, last).consistent_read(consistent).scan_index_forward(false);
        let items = request.send().await?.items.unwrap_or_default();
        items.iter().map(attempt_items::read_row).collect()
    }

    fn between(&self, first: &Key, last: &Key) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", text(&first.pk))
            .expression_attribute_values(":first", text(&first.sk))
            .expression_attribute_values(":last", text(&last.sk))
    }

    /// What a person has done on each question, by question, from the one after `after`; with the question that the page
    /// ends at, where there are more.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn find_questions(
        &self,
        user_id: Uuid,
        after: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<(u64, QuestionProgress)>, Option<u64>), StoreError> {
        let first = after.map_or(Some(0), |after| after.checked_add(1));
        let Some(first) = first else { return Ok((Vec::new(), None)) };
        let request = self.between(&keys::question(user_id, first), &keys::question(user_id, u64::MAX));
        let request = request.consistent_read(true).limit(i32::try_from(limit + 1).unwrap_or(i32::MAX));
        let items = request.send().await?.items.unwrap_or_default();
        let mut questions = items.iter().map(attempt_items::read_question).collect::<Result<Vec<_>, _>>()?;
        let more = questions.len() > limit;
        questions.truncate(limit);
        let next = questions.last().filter(|_| more).map(|(question, _)| *question);
        Ok((questions, next))
    }

    /// The days between two dates, both included, that a person has attempts on, oldest first.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn find_days(&self, user_id: Uuid, from: NaiveDate, to: NaiveDate) -> Result<Vec<Day>, StoreError> {
        let request = self.between(&keys::month(user_id, from), &keys::month(user_id, to)).consistent_read(true);
        let items = request.send().await?.items.unwrap_or_default();
        let months = items.iter().map(attempt_items::read_days).collect::<Result<Vec<_>, _>>()?;
        Ok(months.into_iter().flatten().filter(|day| (from..=to).contains(&day.date)).collect())
    }
}

fn summary(item: Option<&Item>) -> Result<Summary, StoreError> {
    item.map(attempt_items::read_summary).transpose().map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_walk_from_the_newest_to_the_first_row() {
        let page = |start| HistoryPage::new(45, start, 20);
        assert_eq!((page(PageStart::Offset(0)).rows, page(PageStart::Offset(0)).next()), (25..45, Some(25)));
        assert_eq!((page(PageStart::Before(25)).rows, page(PageStart::Before(25)).next()), (5..25, Some(5)));
        assert_eq!((page(PageStart::Before(5)).rows, page(PageStart::Before(5)).next()), (0..5, None));
        assert_eq!((page(PageStart::Offset(45)).rows, page(PageStart::Offset(u64::MAX)).rows), (0..0, 0..0));
        assert_eq!(page(PageStart::Before(u64::MAX)).rows, 25..45);
    }
}
