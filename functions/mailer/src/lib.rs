//! Function `mailer`: reads the stream of table `users` and sends what each write calls for.
//!
//! A record is delivered at least once. A row in `tokens` notes what is owed before it is sent and what was sent after,
//! so that a second mail is possible only where SES's answer, or the note of it, was lost.

mod occasion;
mod post;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use lambda_runtime::{Error, LambdaEvent};
use shared::{
    Platform, aws,
    clock::Clock,
    config::Settings,
    crypto::{Derivation, Keyring},
    invocation,
    mail::Composer,
    store::{Event as AccountEvent, Mails, Suppressions},
    telemetry::{self, Meter, Metric},
};
use std::sync::Arc;

use occasion::{Due, Occasion};
use post::{Failure, Post};

/// What the mailer may touch.
#[derive(Clone)]
pub struct Mailer {
    settings: Arc<Settings>,
    clock: Clock,
    meter: Meter,
    composer: Composer,
    derivation: Keyring<Derivation>,
    mails: Mails,
    suppressions: Suppressions,
    post: Post,
}

impl Mailer {
    /// Reads the derivation keys and the templates.
    ///
    /// # Errors
    /// Where a setting, a secret or a template is not to be had.
    pub async fn load(platform: &Platform) -> Result<Self, Error> {
        Ok(Self {
            settings: Arc::clone(&platform.settings),
            clock: platform.clock.clone(),
            meter: Meter::new(&platform.settings, &platform.clock),
            composer: Composer::new(&platform.settings)?,
            derivation: Keyring::load(platform).await?,
            mails: Mails::new(platform)?,
            suppressions: Suppressions::new(platform)?,
            post: Post::new(platform),
        })
    }

    /// Sends what a batch of records calls for. A record that fails and may yet succeed ends the batch: the stream
    /// delivers it and those after it again. One that never will is logged and passed over; its row stays owed.
    ///
    /// # Errors
    /// Never; what failed is in the answer.
    pub async fn handle(&self, event: LambdaEvent<Event>) -> Result<DynamoDbEventResponse, Error> {
        let LambdaEvent { payload, context } = event;
        let work = async { Ok(self.handle_records(payload.records).await) };
        invocation::observed(&self.meter, &context, work).await
    }

    async fn handle_records(&self, records: Vec<EventRecord>) -> DynamoDbEventResponse {
        let mut response = DynamoDbEventResponse::default();
        for record in records {
            let sequence_number = record.change.sequence_number.clone();
            let Err(failure) = self.handle_record(record).await else { continue };
            let reason = aws::reason(&failure);
            if !failure.passes() {
                telemetry::count(Metric::MailsGivenUp);
                tracing::error!(sequence_number, reason, "mail given up");
                continue;
            }
            telemetry::count(Metric::MailsFailed);
            tracing::warn!(sequence_number, reason, "mail not sent yet");
            let mut failed = DynamoDbBatchItemFailure::default();
            failed.item_identifier = sequence_number;
            response.batch_item_failures.push(failed);
            break;
        }
        response
    }

    async fn handle_record(&self, record: EventRecord) -> Result<(), Failure> {
        let Some(occasion) = Occasion::of(record)? else { return Ok(()) };
        let now = self.clock.now();
        let Some(Due { mail, to, owed }) = occasion.due(&self.settings, &self.derivation.fresh().await?, now) else {
            return Ok(());
        };
        if !self.mails.owe(&owed, now).await? {
            return Ok(());
        }
        let lookup = self.derivation.fresh().await?.mailbox(&to);
        if self.suppressions.holds(&lookup, now).await? {
            telemetry::count(Metric::MailsSuppressed);
            return Ok(self.mails.mark_suppressed(&owed, now).await?);
        }
        let composed = self.composer.compose(&mail, &occasion.account)?;
        self.post.send(&to, &composed).await?;
        telemetry::count(Metric::MailsSent);
        self.mails.mark_sent(&owed, self.clock.now()).await?;
        tracing::info!(kind = owed.kind, user_id = %owed.user_id, "mail sent");
        Ok(())
    }
}

/// The events of an account that call for a mail: what the template's stream filter lets through.
pub const EVENTS: &[AccountEvent] = &[
    AccountEvent::Registered,
    AccountEvent::RegisteredAgain,
    AccountEvent::VerificationRequested,
    AccountEvent::Locked,
    AccountEvent::SignedInAnew,
    AccountEvent::ResetRequested,
    AccountEvent::PasswordChanged,
    AccountEvent::Invited,
    AccountEvent::RoleChanged,
    AccountEvent::AddressChangeRequested,
    AccountEvent::AddressChanged,
    AccountEvent::AddressRestored,
    AccountEvent::ExportReady,
];
