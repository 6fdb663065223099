use std::sync::Arc;

use aws_sdk_dynamodb::{Client, operation::update_item::builders::UpdateItemFluentBuilder};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    StoreError,
    attributes::{expiry, moment},
    guesses::{Outcome, conditional},
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
        Ok(Self { client: platform.aws.dynamodb.clone(), tokens })
    }

    /// Notes that the mail is owed. Answers `false` where it was sent before.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn owe(&self, mail: &Owed, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let request = self
            .update(mail, now)
            .update_expression(format!("SET owed = if_not_exists(owed, :now), {} = :expires", keys::EXPIRES_AT))
            .condition_expression("attribute_not_exists(sent)");
        Ok(matches!(conditional(request).await?, Outcome::Done(_)))
    }

    /// Notes that SES took the mail.
    ///
    /// # Errors
    /// Where the store cannot answer; the mail may then be sent once more.
    pub async fn mark_sent(&self, mail: &Owed, now: DateTime<Utc>) -> Result<(), StoreError> {
        let request =
            self.update(mail, now).update_expression(format!("SET sent = :now, {} = :expires", keys::EXPIRES_AT));
        request.send().await?;
        Ok(())
    }

    fn update(&self, mail: &Owed, now: DateTime<Utc>) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&*self.tokens)
            .set_key(Some(keys::mail(mail.user_id, mail.kind, &mail.occasion).item()))
            .expression_attribute_values(":now", moment(now))
            .expression_attribute_values(":expires", expiry(now + KEPT))
    }
}
