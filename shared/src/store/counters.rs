use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::{
    Client,
    types::{Put, TransactWriteItem, Update},
};
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    StoreError,
    attributes::{Reader, expiry, number},
    keys, lookup,
    patience::Patience,
    transactions::{Transacted, build, transact},
};
use crate::{Platform, config::SettingError, domain::Tally};

/// How long it is remembered that an event was counted: longer than a stream keeps it.
const REMEMBERED: TimeDelta = TimeDelta::days(2);

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
        let rows = keys::counters().map(|key| key.item()).collect();
        let wanted = HashMap::from([(self.tokens.to_string(), rows)]);
        let mut totals = Tally::default();
        for item in lookup::find_all(&self.client, wanted, false).await?.into_values().flatten() {
            let (mut row, reader) = (Tally::default(), Reader::new("tokens", &item));
            for (name, part) in row.parts() {
                *part = reader.optional_number(name)?.unwrap_or_default();
            }
            totals += row;
        }
        Ok(totals)
    }
}
