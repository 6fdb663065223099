use std::sync::Arc;

use aws_sdk_dynamodb::{
    Client,
    types::{KeysAndAttributes, Put, TransactWriteItem, Update},
};
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    StoreError,
    attributes::{Reader, expiry, number},
    keys,
    patience::Patience,
    transactions::{Transacted, build, transact},
};
use crate::{Platform, config::SettingError, domain::Tally};

/// How long it is remembered that an event was counted: longer than a stream keeps it.
const REMEMBERED: TimeDelta = TimeDelta::days(2);
/// Rounds in which a read of all counters has to come whole.
const ROUNDS: usize = 4;

/// An event of a stream, by the id that the stream gives it, and what it adds.
#[derive(Clone, Debug)]
pub struct Tallied {
    pub event_id: String,
    pub tally: Tally,
}

/// What there is of everything, counted from the streams: each event once, however often it is delivered. The counters are
/// spread over rows, so that none takes every write.
#[derive(Clone)]
pub struct Counters {
    client: Client,
    tokens: Arc<str>,
}

impl Counters {
    /// The counters of this stack.
    ///
    /// # Errors
    /// Where the function was not given the table.
    pub fn new(platform: &Platform) -> Result<Self, SettingError> {
        let tokens = platform.settings.resource("TOKENS_TABLE")?.into();
        Ok(Self { client: platform.aws.dynamodb(), tokens })
    }

    /// Counts those of `events` that have not been counted: all of them, or, at an error, none.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn record(&self, mut events: Vec<Tallied>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut patience = Patience::of_a_write();
        events.retain(|event| event.tally != Tally::default());
        while !events.is_empty() {
            let mut items = vec![self.adding(&events)?];
            for event in &events {
                items.push(self.marking(event, now)?);
            }
            let Transacted::Refused(refused) = transact(&self.client, items, &mut patience).await? else { break };
            let mut place = 0;
            events.retain(|_| {
                place += 1;
                !refused.contains(place)
            });
        }
        Ok(())
    }

    fn adding(&self, events: &[Tallied]) -> Result<TransactWriteItem, StoreError> {
        let mut sum = Tally::default();
        events.iter().for_each(|event| sum += event.tally);
        let moved = sum.parts().map(|(name, part)| (name, *part));
        let mut update = Update::builder().table_name(&*self.tokens);
        let mut parts = Vec::new();
        for (name, part) in moved {
            parts.push(format!("#{name} :{name}"));
            update = update.expression_attribute_names(format!("#{name}"), name);
            update = update.expression_attribute_values(format!(":{name}"), number(part));
        }
        let first = events.first().map_or("", |event| event.event_id.as_str());
        let update = update.set_key(Some(keys::counter_of(first).item()));
        let update = update.update_expression(format!("ADD {}", parts.join(", ")));
        Ok(TransactWriteItem::builder().update(build(update.build())?).build())
    }

    fn marking(&self, event: &Tallied, now: DateTime<Utc>) -> Result<TransactWriteItem, StoreError> {
        let mut item = keys::counted(&event.event_id).item();
        item.insert(keys::EXPIRES_AT.into(), expiry(now + REMEMBERED));
        let put = Put::builder().table_name(&*self.tokens).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(pk)");
        Ok(TransactWriteItem::builder().put(build(put.build())?).build())
    }

    /// What there is of everything.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn totals(&self) -> Result<Tally, StoreError> {
        let rows = keys::counters().map(|key| key.item());
        let mut wanted = KeysAndAttributes::builder().set_keys(Some(rows.collect()));
        let mut totals = Tally::default();
        for _ in 0..ROUNDS {
            let request = self.client.batch_get_item().request_items(&*self.tokens, build(wanted.build())?);
            let read = request.send().await?;
            for item in read.responses.into_iter().flatten().flat_map(|(_, items)| items) {
                let (mut row, reader) = (Tally::default(), Reader::new("tokens", &item));
                for (name, part) in row.parts() {
                    *part = reader.optional_number(name)?.unwrap_or_default();
                }
                totals += row;
            }
            let left = read.unprocessed_keys.and_then(|mut left| left.remove(&*self.tokens));
            let Some(left) = left.filter(|left| !left.keys.is_empty()) else { return Ok(totals) };
            wanted = KeysAndAttributes::builder().set_keys(Some(left.keys));
        }
        Err(StoreError::Unavailable("the counters did not come whole".into()))
    }
}
