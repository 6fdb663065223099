//! All accounts, newest first, by the index of the months that they were made in.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Months, Utc};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use uuid::Uuid;

use super::{
    Accounts, Item, StoreError, account_item,
    attributes::{Reader, moment, number, text},
    change::Change,
    keys, lookup,
};
use crate::domain::{Account, Role};

/// The month before which no account was made, but where older ones were brought in.
const FIRST: &str = "2026-01";
/// Months that a page goes through at the most, however few were made in each.
const MONTHS: usize = 36;
/// Accounts that a page reads at the most, whatever its filter lets through.
const MOST_READ: usize = 400;

/// Which accounts are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct DirectoryFilter {
    pub active: Option<bool>,
    pub role: Option<Role>,
}

/// Where a page of the directory goes on: after this account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DirectoryPosition {
    #[serde(deserialize_with = "a_month")]
    month: String,
    /// The account's moment and id; the month's newest where there is none.
    after: Option<(i64, Uuid)>,
}

/// A cursor is signed by nobody.
fn a_month<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let month = String::deserialize(deserializer)?;
    let made = first_day(&month).map(keys::made_in);
    if made.as_ref() == Some(&month) { Ok(month) } else { Err(D::Error::custom("no month")) }
}

/// How far accounts have been looked through, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Up to this moment, without it.
    pub until: DateTime<Utc>,
    /// Those of that very moment too, up to this one. Many can be of one moment where they were brought in.
    pub last: Option<Uuid>,
    /// Where to go back to from the end: to the moment of the first who could not be ended.
    pub again: Option<DateTime<Utc>>,
}

impl Looked {
    /// Up to that moment, without it.
    pub fn until(until: DateTime<Utc>) -> Self {
        Self { until, last: None, again: None }
    }
}

impl DirectoryFilter {
    fn admits(&self, account: &Account) -> bool {
        self.active.is_none_or(|active| active == account.active) && self.role.is_none_or(|role| role == account.role)
    }
}

impl Accounts {
    /// Accounts, newest first, and where the next page begins. A page may be short.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn directory_page(
        &self,
        filter: DirectoryFilter,
        position: Option<DirectoryPosition>,
        limit: usize,
        now: DateTime<Utc>,
    ) -> Result<(Vec<Account>, Option<DirectoryPosition>), StoreError> {
        let oldest = self.oldest_month().await?;
        let mut position = position.unwrap_or_else(|| DirectoryPosition { month: keys::made_in(now), after: None });
        let (mut found, mut read, mut passed) = (Vec::new(), 0, 0);
        while position.month >= oldest && passed < MONTHS {
            let (ids, more) = self.month_page(&position, limit.min(lookup::MOST)).await?;
            read += ids.len();
            let accounts = self.find_all(ids.iter().map(|(_, id)| *id)).await?;
            for (at, id) in &ids {
                position.after = Some((*at, *id));
                found.extend(accounts.get(id).filter(|account| filter.admits(account)).cloned());
                if found.len() == limit {
                    return Ok((found, Some(position)));
                }
            }
            if !more {
                passed += 1;
                position = DirectoryPosition { month: month_before(&position.month), after: None };
            }
            if read >= MOST_READ {
                return Ok((found, Some(position)));
            }
        }
        let over = position.month < oldest;
        Ok((found, Some(position).filter(|_| !over)))
    }

    async fn oldest_month(&self) -> Result<String, StoreError> {
        let item = self.get(keys::oldest_month()).await?;
        let noted = item.as_ref().map(|item| Reader::new("users", item).text("month")).transpose()?;
        Ok(noted.unwrap_or(FIRST).to_owned())
    }

    /// Notes that there is an account as old as that, so that walks over all of them go back as far.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn note_oldest(&self, created_at: DateTime<Utc>) -> Result<(), StoreError> {
        let month = keys::made_in(created_at);
        if month.as_str() >= FIRST {
            return Ok(());
        }
        let change = Change::provided("attribute_not_exists(#month) OR #month > :month").set("#month = :month");
        let change = change.name("#month", "month").value(":month", text(month));
        change.apply(&self.client, &self.users, &keys::oldest_month()).await.map(drop)
    }

    /// Moments and ids of a month's accounts after `position`, newest first, and whether there are more.
    async fn month_page(
        &self,
        position: &DirectoryPosition,
        limit: usize,
    ) -> Result<(Vec<(i64, Uuid)>, bool), StoreError> {
        let start = position.after.map(|(at, id)| place(&position.month, at, id));
        let page = self
            .client
            .query()
            .table_name(&*self.users)
            .index_name(keys::ACCOUNTS_INDEX)
            .scan_index_forward(false)
            .key_condition_expression("#month = :month")
            .expression_attribute_names("#month", keys::MADE_IN)
            .expression_attribute_values(":month", text(&position.month))
            .set_exclusive_start_key(start)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await?;
        let items = page.items.unwrap_or_default();
        let ids = items.iter().map(read_key).collect::<Result<Vec<_>, _>>()?;
        Ok((ids, page.last_evaluated_key.is_some()))
    }

    /// Users whose accounts were made between what was `looked` through and `until`, oldest first: what the index says of them.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn made_between(
        &self,
        looked: Looked,
        until: DateTime<Utc>,
        limit: usize,
    ) -> Result<Vec<(DateTime<Utc>, Uuid)>, StoreError> {
        let mut month = keys::made_in(looked.until);
        let mut start = looked.last.map(|id| place(&month, looked.until.timestamp_millis(), id));
        let mut found = Vec::new();
        while month <= keys::made_in(until) && found.len() < limit {
            let page = self
                .client
                .query()
                .table_name(&*self.users)
                .index_name(keys::ACCOUNTS_INDEX)
                .key_condition_expression("#month = :month AND created BETWEEN :from AND :until")
                .expression_attribute_names("#month", keys::MADE_IN)
                .expression_attribute_values(":month", text(&month))
                .expression_attribute_values(":from", moment(looked.until))
                .expression_attribute_values(":until", moment(until))
                .set_exclusive_start_key(start.take())
                .limit(i32::try_from(limit - found.len()).unwrap_or(i32::MAX))
                .send()
                .await?;
            for item in page.items.unwrap_or_default() {
                let (at, id) = read_key(&item)?;
                found.extend(DateTime::from_timestamp_millis(at).map(|at| (at, id)));
            }
            month = month_after(&month);
        }
        Ok(found)
    }

    /// The accounts of these users that are there, by user, read strongly.
    async fn find_all(&self, ids: impl Iterator<Item = Uuid>) -> Result<HashMap<Uuid, Account>, StoreError> {
        let keys: Vec<_> = ids.map(keys::account).collect();
        let accounts = self.find_items(&keys).await?;
        accounts.iter().map(|item| account_item::read(item).map(|account| (account.id, account))).collect()
    }
}

/// The place of an account in the index.
fn place(month: &str, made_at: i64, id: Uuid) -> Item {
    let mut key = keys::account(id).item();
    key.insert(keys::MADE_IN.to_owned(), text(month));
    key.insert("created".to_owned(), number(made_at));
    key
}

fn read_key(item: &HashMap<String, AttributeValue>) -> Result<(i64, Uuid), StoreError> {
    let reader = Reader::new("users", item);
    let user = keys::user_of_account(reader.text(keys::PK)?, reader.text(keys::SK)?);
    Ok((reader.number("created")?, user.ok_or_else(|| reader.damaged("pk"))?))
}

fn month_before(month: &str) -> String {
    first_day(month).and_then(|day| day.checked_sub_months(Months::new(1))).map_or_else(String::new, keys::made_in)
}

fn month_after(month: &str) -> String {
    let after = first_day(month).and_then(|day| day.checked_add_months(Months::new(1)));
    after.map_or_else(|| "9999-12".to_owned(), keys::made_in)
}

fn first_day(month: &str) -> Option<DateTime<Utc>> {
    format!("{month}-01T00:00:00Z").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_one_another() {
        assert_eq!((month_before("2026-01").as_str(), month_after("2026-12").as_str()), ("2025-12", "2027-01"));
    }
}
