use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use chrono::{DateTime, TimeDelta, Utc};

use super::{
    StoreError,
    attributes::{Reader, expiry, moment, text},
    change::Change,
    keys,
};
use crate::{Platform, config::SettingError};

/// Why an address gets no mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suppression {
    /// Nobody is there.
    Bounced,
    /// Its owner reported a mail as spam.
    Complained,
}

impl Suppression {
    fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }

    /// For how long. A mailbox that is gone may be opened again.
    fn lasts(self) -> TimeDelta {
        match self {
            Self::Bounced => TimeDelta::days(30),
            Self::Complained => TimeDelta::days(365),
        }
    }
}

/// The addresses that get no mail, each by a keyed hash.
#[derive(Clone)]
pub struct Suppressions {
    client: Client,
    tokens: Arc<str>,
}

impl Suppressions {
    /// The suppressions of this stack.
    ///
    /// # Errors
    /// Where the function was not given the table.
    pub fn new(platform: &Platform) -> Result<Self, SettingError> {
        let tokens = platform.settings.resource("TOKENS_TABLE")?.into();
        Ok(Self { client: platform.aws.dynamodb(), tokens })
    }

    /// Remembers that the address behind `lookup` gets no mail from now on. What lasts longer stays.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn add(&self, lookup: &str, why: Suppression, now: DateTime<Utc>) -> Result<(), StoreError> {
        let end = expiry(now + why.lasts());
        let change = Change::provided("attribute_not_exists(pk) OR expires_at < :expires")
            .set("why = :why, since = :now, expires_at = :expires")
            .value(":why", text(why.as_str()))
            .value(":now", moment(now))
            .value(":expires", end);
        change.apply(&self.client, &self.tokens, &keys::suppression(lookup)).await.map(drop)
    }

    /// Whether the address behind `lookup` gets no mail at `now`.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn holds(&self, lookup: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let key = keys::suppression(lookup).item();
        let read = self.client.get_item().table_name(&*self.tokens).set_key(Some(key)).send().await?;
        let Some(item) = read.item else { return Ok(false) };
        let end: i64 = Reader::new("tokens", &item).number(keys::EXPIRES_AT)?;
        Ok(now.timestamp() < end)
    }
}
