//! Faults that a person or a test injects into the next calls.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::Answer;

/// What goes wrong.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The service throttles.
    Throttle,
    /// The service fails with 500.
    Error,
    /// The answer comes late, and is right.
    Slow,
    /// The call is carried out, and its answer is lost.
    Lost,
    /// DynamoDB is in the middle of a transaction on the same item.
    Conflict,
    /// SES refuses the mail for good.
    Reject,
}

/// A fault, for the calls that match.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// `dynamodb`, `secretsmanager` or `ses`.
    pub service: String,
    /// Every operation where none is named.
    pub operation: Option<String>,
    /// Every table where none is named.
    pub table: Option<String>,
    pub kind: Kind,
    /// Calls that it strikes.
    pub count: u32,
    /// How late a slow answer is.
    #[serde(default)]
    pub milliseconds: u64,
}

/// The faults that are still to strike.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    /// Adds a fault; a count of 0 takes away the ones of that service.
    pub fn inject(&self, fault: Fault) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if fault.count == 0 {
            faults.retain(|other| other.service != fault.service);
        } else {
            faults.push(fault);
        }
    }

    /// Carries a call out, unless a fault strikes it: the first that matches does.
    pub async fn around(
        &self,
        service: &str,
        operation: &str,
        request: &Value,
        call: impl Future<Output = Answer>,
    ) -> Answer {
        let bad = |kind| Answer::refused(StatusCode::BAD_REQUEST, kind, "injected");
        let failed = || Answer::refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "injected");
        let Some(fault) = self.take(service, operation, request) else { return call.await };
        match fault.kind {
            Kind::Throttle => bad("ThrottlingException"),
            Kind::Error => failed(),
            Kind::Reject => bad("MessageRejected"),
            Kind::Conflict if operation == "TransactWriteItems" => conflict(request),
            Kind::Conflict => bad("TransactionConflictException"),
            Kind::Slow => {
                sleep(Duration::from_millis(fault.milliseconds)).await;
                call.await
            }
            Kind::Lost => {
                call.await;
                failed()
            }
        }
    }

    fn take(&self, service: &str, operation: &str, request: &Value) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let matches = |fault: &Fault| {
            fault.service == service
                && fault.operation.as_deref().is_none_or(|wanted| wanted == operation)
                && fault.table.as_deref().is_none_or(|wanted| names(request, wanted))
        };
        let place = faults.iter().position(matches)?;
        let fault = faults.get_mut(place)?;
        fault.count -= 1;
        let struck = fault.clone();
        if struck.count == 0 {
            faults.remove(place);
        }
        Some(struck)
    }
}

/// Whether a call is to a table, or, as transactions and batches are, to several of which it is one.
fn names(request: &Value, table: &str) -> bool {
    let mut items = request["TransactItems"].as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
    request["TableName"] == table
        || request["RequestItems"].get(table).is_some()
        || items.any(|(_, item)| item["TableName"] == table)
}

/// A transaction that met another one on its first item.
fn conflict(request: &Value) -> Answer {
    let items = request["TransactItems"].as_array().map_or(0, Vec::len);
    let reason = |place| json!({ "Code": if place == 0 { "TransactionConflict" } else { "None" } });
    let reasons: Vec<Value> = (0..items).map(reason).collect();
    let mut answer = Answer::refused(StatusCode::BAD_REQUEST, "TransactionCanceledException", "injected");
    answer.body["CancellationReasons"] = reasons.into();
    answer
}
