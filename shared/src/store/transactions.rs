use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, TransactWriteItem},
};
use tokio::time::sleep;

use super::{Item, StoreError};

/// Conflicts after which a transaction is given up.
const CONFLICTS: u32 = 8;
/// Longest first pause after a conflict; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// How a transaction ended.
#[derive(Debug)]
pub(super) enum Transacted {
    Committed,
    Refused(Refused),
}

/// The conditions that failed, by the place of their item in the transaction.
#[derive(Debug)]
pub(super) struct Refused(Vec<(usize, Option<Item>)>);

impl Refused {
    /// Whether the condition of the item at `place` failed.
    pub fn contains(&self, place: usize) -> bool {
        self.0.iter().any(|(failed, _)| *failed == place)
    }

    /// The item that the failed condition at `place` met, where it was asked for.
    pub fn met(&self, place: usize) -> Option<&Item> {
        self.0.iter().find(|(failed, _)| *failed == place)?.1.as_ref()
    }
}

/// Writes all or nothing. The SDK repeats an unanswered call with the same token, so that it counts once; conflicts with
/// other writers, which the SDK does not repeat, are tried again here after a jittered pause.
pub(super) async fn transact(client: &Client, items: Vec<TransactWriteItem>) -> Result<Transacted, StoreError> {
    for conflict in 0..CONFLICTS {
        let answer = client.transact_write_items().set_transact_items(Some(items.clone())).send().await;
        let error = match answer {
            Ok(_) => return Ok(Transacted::Committed),
            Err(error) => error,
        };
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
            return Err(error.into());
        };
        let reasons = cancelled.cancellation_reasons();
        let has = |code: &str| reasons.iter().any(|reason| reason.code() == Some(code));
        if has("ConditionalCheckFailed") {
            return Ok(Transacted::Refused(refused(reasons)));
        }
        if has("ThrottlingError") || has("ProvisionedThroughputExceeded") {
            return Err(StoreError::Unavailable("a transaction was throttled".into()));
        }
        if !has("TransactionConflict") {
            return Err(error.into());
        }
        sleep(jittered(FIRST_PAUSE * 2_u32.pow(conflict))).await;
    }
    Err(StoreError::Contended)
}

fn refused(reasons: &[CancellationReason]) -> Refused {
    let failed = reasons.iter().enumerate().filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"));
    Refused(failed.map(|(place, reason)| (place, reason.item.clone())).collect())
}

/// A pause of random length up to `longest`, so that writers who met once do not meet again.
pub(super) fn jittered(longest: Duration) -> Duration {
    let mut random = [0; 2];
    // Without randomness the pause is the longest one: slower, and still right.
    let share = aws_lc_rs::rand::fill(&mut random).map_or(u16::MAX, |()| u16::from_be_bytes(random));
    longest.mul_f64(f64::from(share) / f64::from(u16::MAX))
}
