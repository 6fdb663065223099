//! Function `janitor`: what follows a write and is no mail. It brings the search index in line with an edit, erases what a
//! deleted account leaves, and clears up; the streams of `users` and `attempts` wake it, and so does every minute.
//!
//! Whatever it does can be done again: a record that comes twice, or a go that was cut short, changes nothing.

mod counting;
mod erasing;
mod exporting;
mod sweep;
mod task;

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};
use lambda_runtime::{Error, LambdaEvent};
use serde_json::Value;
use shared::{
    Platform, aws,
    clock::Clock,
    config::Settings,
    http::AvatarAddress,
    invocation,
    objects::{ObjectError, Objects},
    store::{Accounts, Attempts, Counters, Event as AccountEvent, StoreError},
    telemetry::Meter,
};
use std::sync::Arc;
use thiserror::Error;
use tokio::time::timeout;

use task::Task;

/// Why something was not done.
#[derive(Debug, Error)]
pub enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Object(#[from] ObjectError),
}

/// What the janitor may touch.
#[derive(Clone)]
pub struct Janitor {
    settings: Arc<Settings>,
    clock: Clock,
    meter: Meter,
    counters: Counters,
    accounts: Accounts,
    attempts: Attempts,
    avatars: Objects,
    avatar_address: AvatarAddress,
    exports: Objects,
}

impl Janitor {
    /// Opens what it needs.
    ///
    /// # Errors
    /// Where a setting is not to be had.
    pub fn load(platform: &Platform) -> Result<Self, Error> {
        Ok(Self {
            settings: Arc::clone(&platform.settings),
            clock: platform.clock.clone(),
            meter: Meter::new(&platform.settings, &platform.clock),
            counters: Counters::new(platform)?,
            accounts: Accounts::new(platform)?,
            attempts: Attempts::new(platform)?,
            avatars: Objects::new(platform, "AVATAR_BUCKET")?,
            avatar_address: AvatarAddress::new(&platform.settings),
            exports: Objects::new(platform, "EXPORT_BUCKET")?,
        })
    }

    /// Does what a batch of records calls for, or, at the event of a schedule, what is due.
    ///
    /// # Errors
    /// Where an event is neither, or what is due cannot be done; the next minute tries again.
    pub async fn handle(&self, event: LambdaEvent<Value>) -> Result<DynamoDbEventResponse, Error> {
        let LambdaEvent { payload, context } = event;
        let work = async {
            if payload.get("Records").is_none() {
                self.sweep().await?;
                return Ok(DynamoDbEventResponse::default());
            }
            let records = serde_json::from_value::<Event>(payload)?.records;
            self.count(&records).await?;
            Ok(self.handle_records(records).await)
        };
        invocation::observed(&self.meter, &context, work).await
    }

    /// Counts what a batch tells, before anything in it can take its time. Where the counters cannot be written, the whole
    /// batch comes again.
    async fn count(&self, records: &[EventRecord]) -> Result<(), Failure> {
        let tallied = |record| {
            counting::tallied(record)
                .inspect_err(|error| tracing::error!(reason = aws::reason(error), "a record is not counted"))
        };
        let tallied = records.iter().filter_map(|record| tallied(record).ok()).collect();
        Ok(self.counters.record(tallied, self.clock.now()).await?)
    }

    /// A record that fails and may yet succeed ends the batch: the stream delivers it and those after it again.
    async fn handle_records(&self, records: Vec<EventRecord>) -> DynamoDbEventResponse {
        let mut response = DynamoDbEventResponse::default();
        for record in records {
            let sequence_number = record.change.sequence_number.clone();
            let Err(error) = self.handle_record(record).await else { continue };
            let reason = aws::reason(&error);
            if matches!(error, Failure::Store(StoreError::Damaged { .. })) {
                tracing::error!(sequence_number, reason, "a record is given up");
                continue;
            }
            tracing::warn!(sequence_number, reason, "a record is to be delivered again");
            let mut failed = DynamoDbBatchItemFailure::default();
            failed.item_identifier = sequence_number;
            response.batch_item_failures.push(failed);
            break;
        }
        response
    }

    async fn handle_record(&self, record: EventRecord) -> Result<(), Failure> {
        match Task::of(record)? {
            Some(Task::Index(user_id)) => Ok(self.accounts.index(user_id).await?),
            Some(Task::Unname { user_id, avatar }) => {
                self.accounts.index(user_id).await?;
                Ok(self.avatars.delete(&avatar).await?)
            }
            Some(Task::Export { user_id, export_id }) => {
                timeout(exporting::LONGEST, self.export(user_id, export_id)).await.unwrap_or_else(|_| {
                    tracing::error!(%user_id, "an export takes too long, and is given up");
                    Ok(())
                })
            }
            Some(Task::Erase(erasure)) => {
                // Every minute goes on with it: nobody else's record has to wait.
                if let Err(error) = self.erase(&erasure, erasing::deadline(erasing::OF_A_RECORD)).await {
                    let user_id = erasure.user_id;
                    tracing::warn!(%user_id, reason = aws::reason(&error), "an erasure is left to the next minute");
                }
                Ok(())
            }
            Some(Task::ClearUp(pending)) => {
                if self.attempts.remove_unreferenced(&pending).await? {
                    tracing::info!(user_id = %pending.user_id, "code without an attempt removed");
                }
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// The events of an account that call for something: others may find it otherwise than before, or it wants an export, or
/// the counters go by it. What the template's stream filter lets through.
pub const EVENTS: &[AccountEvent] = &[
    AccountEvent::Registered,
    AccountEvent::RegisteredAgain,
    AccountEvent::Verified,
    AccountEvent::SignedIn,
    AccountEvent::SignedInAnew,
    AccountEvent::SessionEnded,
    AccountEvent::Locked,
    AccountEvent::PasswordChanged,
    AccountEvent::Invited,
    AccountEvent::Imported,
    AccountEvent::Edited,
    AccountEvent::RoleChanged,
    AccountEvent::AddressChanged,
    AccountEvent::AddressRestored,
    AccountEvent::ExportRequested,
];
