use super::{Item, StoreError, patience::Patience};
use aws_sdk_dynamodb::{
    Client,
    error::BuildError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, TransactWriteItem},
};

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
/// other writers, which the SDK does not repeat, are tried again here after a pause.
pub(super) async fn transact(
    client: &Client,
    items: Vec<TransactWriteItem>,
    patience: &mut Patience,
) -> Result<Transacted, StoreError> {
    loop {
        let answer = client.transact_write_items().set_transact_items(Some(items.clone())).send().await;
        let error = match answer {
            Ok(_) => return Ok(Transacted::Committed),
            Err(error) => error,
        };
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
            return Err(error.into());
        };
        match Cancelled::of(cancelled.cancellation_reasons()) {
            Cancelled::Throttled => return Err(StoreError::Throttled("a transaction was cancelled".into())),
            Cancelled::Conflict => patience.pause().await?,
            Cancelled::Refused(refused) => return Ok(Transacted::Refused(refused)),
            Cancelled::Unexplained => return Err(error.into()),
        }
    }
}

/// Why a transaction was cancelled: one reason for each item (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
#[derive(Debug)]
enum Cancelled {
    Throttled,
    Conflict,
    Refused(Refused),
    Unexplained,
}

impl Cancelled {
    /// Of an item that was throttled or in conflict nothing is known, so that what other items say is not yet the whole.
    fn of(reasons: &[CancellationReason]) -> Self {
        let has = |code: &str| reasons.iter().any(|reason| reason.code() == Some(code));
        if has("ThrottlingError") || has("ProvisionedThroughputExceeded") {
            Self::Throttled
        } else if has("TransactionConflict") {
            Self::Conflict
        } else if has(FAILED) {
            let failed = reasons.iter().enumerate().filter(|(_, reason)| reason.code() == Some(FAILED));
            Self::Refused(Refused(failed.map(|(place, reason)| (place, reason.item.clone())).collect()))
        } else {
            Self::Unexplained
        }
    }
}

const FAILED: &str = "ConditionalCheckFailed";

/// A request that lacks a part is a fault of the store's own, told like a refusal.
pub(super) fn build<T>(built: Result<T, BuildError>) -> Result<T, StoreError> {
    built.map_err(|error| StoreError::Refused(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_failed_beside_a_conflict_is_not_yet_the_answer() {
        let cancelled = |codes: &[&str]| {
            let reasons: Vec<_> = codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect();
            Cancelled::of(&reasons)
        };
        assert!(matches!(cancelled(&["TransactionConflict", "None", FAILED]), Cancelled::Conflict));
        assert!(matches!(cancelled(&[FAILED, "ThrottlingError"]), Cancelled::Throttled));
        assert!(matches!(cancelled(&["ValidationError", "None"]), Cancelled::Unexplained));
        let Cancelled::Refused(refused) = cancelled(&["None", FAILED]) else { panic!("a condition failed") };
        assert!(refused.contains(1) && !refused.contains(0));
    }
}
