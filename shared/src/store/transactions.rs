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
        patience.pause().await?;
    }
}

fn refused(reasons: &[CancellationReason]) -> Refused {
    let failed = reasons.iter().enumerate().filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"));
    Refused(failed.map(|(place, reason)| (place, reason.item.clone())).collect())
}

/// A request that lacks a part is a fault of the store's own, told like a refusal.
pub(super) fn build<T>(built: Result<T, BuildError>) -> Result<T, StoreError> {
    built.map_err(|error| StoreError::Refused(error.to_string()))
}
