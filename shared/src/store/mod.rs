//! DynamoDB. Every key pattern stands in `keys.rs`, every kind of item in a file of its own, and no item's shape leaves
//! this module. Whatever protects something is one conditional write, conditioned on each value it was computed from.

mod account_item;
mod accounts;
mod address_changes;
mod attempt_erasures;
mod attempt_items;
mod attempts;
mod attributes;
mod audit;
mod bulk;
mod change;
mod counters;
mod directory;
mod documents;
mod edits;
mod erasures;
mod exports;
mod guesses;
mod history;
mod imports;
mod keys;
mod limits;
mod logins;
mod lookup;
mod mails;
mod passwords;
mod patience;
mod removals;
mod search;
mod sessions;
mod suppressions;
mod tables;
mod transactions;
mod verifications;

pub use accounts::{Accounts, Created, Event, MadeBy};
pub use address_changes::AddressMoved;
pub use attempt_erasures::Pending;
pub use attempts::{Attempts, Counted, Submitted};
pub use audit::{AuditFilter, AuditPosition};
pub use bulk::{AttemptItems, brought_back, user_items};
pub use counters::{Counters, Tallied};
pub use directory::{DirectoryFilter, DirectoryPosition, Looked};
pub use documents::{DocumentKind, StoredDocument};
pub use edits::{Edited, UserEdit};
pub use erasures::{Ended, Erasing, Erasure};
pub use exports::ExportAsked;
pub use guesses::{GuessKey, Reservation, Reserved};
pub use history::{HistoryPage, PageStart};
pub use imports::Imported;
pub use limits::{Limit, Limits, Window};
pub use logins::{Finished, Login};
pub use lookup::Lookup;
pub use mails::{Mails, Owed};
pub use passwords::{PasswordSet, Proof, ResetTry};
pub use patience::outlasting_throttles;
pub use search::SearchPosition;
pub use sessions::{Refresh, Refreshed};
pub use suppressions::{Suppression, Suppressions};
pub use tables::{Table, TableState, Tables};
pub use verifications::Verified;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    types::AttributeValue,
};
use std::collections::HashMap;
use thiserror::Error;

use crate::aws::reason;

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Why the store could not answer. A failed condition is not among these but for [`Self::NotAllowed`]: it is an outcome, not an error.
#[derive(Debug, Error)]
pub enum StoreError {
    /// DynamoDB throttles. Trying again later helps.
    #[error("DynamoDB throttles: {0}")]
    Throttled(String),
    /// DynamoDB is not to be reached in time. Trying again later may help.
    #[error("DynamoDB is not available: {0}")]
    Unavailable(String),
    /// DynamoDB refuses the call: a missing table, a missing permission.
    #[error("DynamoDB refused the call: {0}")]
    Refused(String),
    /// An item is not what was written.
    #[error("an item is damaged: {attribute} of {table}")]
    Damaged { table: &'static str, attribute: &'static str },
    /// Whoever asked for a write may not any more.
    #[error("whoever asked for it may not any more")]
    NotAllowed,
    /// Too many writers at once, for longer than a request may take.
    #[error("too many conflicting writes")]
    Contended,
}

/// Error codes of DynamoDB that say to come back later.
const THROTTLING: &[&str] = &["ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"];

/// Other error codes of DynamoDB that pass.
const PASSING: &[&str] =
    &["InternalServerError", "TransactionConflictException", "TransactionInProgressException", "ServiceUnavailable"];

impl<E> From<SdkError<E>> for StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E>) -> Self {
        let chain = reason(&error);
        match &error {
            SdkError::ServiceError(service) => match service.err().code() {
                Some(code) if THROTTLING.contains(&code) => Self::Throttled(chain),
                Some(code) if PASSING.contains(&code) => Self::Unavailable(chain),
                _ => Self::Refused(chain),
            },
            SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
                Self::Unavailable(chain)
            }
            _ => Self::Refused(chain),
        }
    }
}
