use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    Item, StoreError,
    attributes::{Reader, expiry, moment},
    change::{Change, Outcome},
    keys,
};
use crate::{Platform, config::SettingError};

/// How long a mail's row is kept: longer than a stream keeps its records, and than a failed one waits for its replay.
const KEPT: TimeDelta = TimeDelta::days(14);

/// A mail owed, by what it is about: the same record of the stream, delivered again, owes the same mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    pub user_id: Uuid,
    pub kind: &'static str,
    pub occasion: String,
}

/// Rows of mails owed and sent: a sweep finds what is owed, and a record delivered twice mails once.
#[derive(Clone)]
pub struct Mails {
    client: Client,
    tokens: Arc<str>,
}

impl Mails {
    /// The mails of this stack.
    ///
    /// # Errors
    /// Where the function was not given the table.
    pub fn new(platform: &Platform) -> Result<Self, SettingError> {
        let tokens = platform.settings.resource("TOKENS_TABLE")?.into();
        Ok(Self { client: platform.aws.dynamodb(), tokens })
    }

    /// Notes that the mail is owed. Answers `false` where it was sent before.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn owe(&self, mail: &Owed, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let change = Change::provided("attribute_not_exists(sent)").set("owed = if_not_exists(owed, :now)");
        Ok(matches!(self.change(mail, change, now).await?, Outcome::Done(_)))
    }

    /// Notes that SES took the mail.
    ///
    /// # Errors
    /// Where the store cannot answer; the mail may then be sent once more.
    pub async fn mark_sent(&self, mail: &Owed, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.change(mail, Change::provided("attribute_exists(pk)").set("sent = :now"), now).await.map(drop)
    }

    /// Whether an image of the stream of table `tokens` is of a mail that was sent; nothing where it is of no mail.
    ///
    /// # Errors
    /// Where the image is damaged.
    pub fn read_sent(image: serde_dynamo::Item) -> Result<Option<bool>, StoreError> {
        let image: Item = image.into();
        let reader = Reader::new("tokens", &image);
        if !reader.optional_text(keys::PK)?.is_some_and(keys::is_mail) {
            return Ok(None);
        }
        Ok(Some(reader.optional_moment("sent")?.is_some()))
    }

    /// Notes that the mail was not sent, and will not be: its address gets none.
    ///
    /// # Errors
    /// Where the store cannot answer; it is then decided anew.
    pub async fn mark_suppressed(&self, mail: &Owed, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.change(mail, Change::provided("attribute_exists(pk)").set("suppressed = :now"), now).await.map(drop)
    }

    async fn change(&self, mail: &Owed, change: Change, now: DateTime<Utc>) -> Result<Outcome, StoreError> {
        let change =
            change.set("expires_at = :expires").value(":now", moment(now)).value(":expires", expiry(now + KEPT));
        change.apply(&self.client, &self.tokens, &keys::mail(mail.user_id, mail.kind, &mail.occasion)).await
    }
}
