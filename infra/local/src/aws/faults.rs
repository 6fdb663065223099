//! Faults that a person or a test injects into the next calls, one by one or by a plan.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::Answer;

/// What goes wrong.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The service throttles.
    Throttle,
    /// The service fails with 500.
    Error,
    /// The answer comes late, and is right.
    Slow,
    /// The call is carried out, and answered as if the service had failed.
    Lost,
    /// The connection breaks before the call is carried out.
    Cut,
    /// The call is carried out, and the connection breaks in the middle of its answer.
    CutAfter,
    /// Nothing is carried out and nothing answered, for so long that the caller gives up.
    TimeOut,
    /// The call is carried out, and the caller has given up before it is answered.
    TimeOutAfter,
    /// DynamoDB is in the middle of a transaction on the same item.
    Conflict,
    /// DynamoDB cancels a transaction since it throttles an item.
    CancelThrottled,
    /// DynamoDB cancels a transaction since the table's throughput is exceeded.
    CancelExceeded,
    /// DynamoDB does the first half of a batch, and hands the rest back.
    Half,
    /// DynamoDB does the last half of a batch, which of one item is nothing, and hands the rest back.
    LastHalf,
    /// The caller's credentials have run out.
    Expired,
    /// SES refuses the mail for good.
    Reject,
    /// SES refuses whatever comes from the sender, who is not verified.
    Unverified,
}

/// A fault, for the calls that match.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// `dynamodb`, `s3`, `secretsmanager` or `ses`.
    pub service: String,
    /// Every operation where none is named.
    pub operation: Option<String>,
    /// Every table where none is named.
    pub table: Option<String>,
    pub kind: Kind,
    /// Calls that it strikes.
    pub count: u32,
    /// How late a slow answer is, and how long one that does not come is held back.
    #[serde(default)]
    pub milliseconds: u64,
}

/// Faults that are drawn for every call, the same for the same seed, trace and call of that trace.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub seed: u64,
    /// Calls of a thousand that are struck; 0 ends the plan.
    pub per_mille: u64,
}

/// What a plan draws from, for any service.
const ANYWHERE: &[Kind] = &[Kind::Throttle, Kind::Error, Kind::Slow, Kind::Lost, Kind::Cut, Kind::CutAfter];
/// And what else may happen to a write, or to a transaction, of DynamoDB.
const OF_WRITES: &[Kind] = &[Kind::Conflict];
const OF_BATCHES: &[Kind] = &[Kind::Half, Kind::LastHalf, Kind::Half, Kind::LastHalf];
const OF_TRANSACTIONS: &[Kind] = &[Kind::Conflict, Kind::CancelThrottled, Kind::CancelExceeded];
/// Of so many faults of a plan one has the caller wait until it gives up, which takes seconds.
const TIME_OUTS: u64 = 24;
/// Longer than the service waits for an answer.
const BEYOND_PATIENCE: u64 = 4_000;
const SLOW: u64 = 30;

/// The faults that are still to strike.
#[derive(Clone, Default)]
pub struct Faults {
    queued: Arc<Mutex<Vec<Fault>>>,
    planned: Arc<Mutex<Planned>>,
}

#[derive(Default)]
struct Planned {
    plan: Option<Plan>,
    /// How many calls of each kind a trace has made.
    calls: HashMap<String, u64>,
    struck: u64,
}

impl Planned {
    fn draw(&mut self, call: &str, service: &str, operation: &str) -> Option<Fault> {
        let plan = self.plan?;
        let nth = self.calls.entry(call.to_owned()).or_default();
        *nth += 1;
        let mut hasher = DefaultHasher::new();
        (plan.seed, call, *nth).hash(&mut hasher);
        let drawn = hasher.finish();
        if drawn % 1000 >= plan.per_mille {
            return None;
        }
        self.struck += 1;
        let more = match operation {
            "TransactWriteItems" => OF_TRANSACTIONS,
            "BatchGetItem" | "BatchWriteItem" => OF_BATCHES,
            "PutItem" | "UpdateItem" | "DeleteItem" => OF_WRITES,
            _ => &[],
        };
        let kinds: Vec<Kind> = ANYWHERE.iter().chain(more).copied().collect();
        let place = drawn / 1000;
        let kind = match place % TIME_OUTS {
            0 => Kind::TimeOut,
            1 => Kind::TimeOutAfter,
            _ => *kinds.get((place / TIME_OUTS) as usize % kinds.len())?,
        };
        let milliseconds = if matches!(kind, Kind::Slow) { SLOW } else { 0 };
        Some(Fault { service: service.to_owned(), operation: None, table: None, kind, count: 1, milliseconds })
    }
}

/// What happens to a batch of stream records: delivery is at least once, and in order for one key only.
#[derive(Clone, Copy, Debug)]
pub enum BatchFault {
    /// It is delivered, and delivered again.
    Twice,
    /// It is delivered, and its answer lost.
    Unheard,
    /// Records of other keys come before those that were written earlier.
    Reordered,
}

impl Faults {
    /// What the plan has in store for a batch, ten times as likely as a call's fault: there are fewer of them.
    pub fn of_batch(&self, trace: &str) -> Option<BatchFault> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = planned.plan?;
        let mut hasher = DefaultHasher::new();
        (plan.seed, trace).hash(&mut hasher);
        let drawn = hasher.finish();
        if drawn % 100 >= plan.per_mille {
            return None;
        }
        planned.struck += 1;
        [BatchFault::Twice, BatchFault::Unheard, BatchFault::Reordered].get((drawn / 100) as usize % 3).copied()
    }

    /// Draws faults by that plan from now on, and no longer by the one before. Answers with how many that one drew.
    pub fn plan(&self, plan: Plan) -> u64 {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = Some(plan).filter(|plan| plan.per_mille > 0);
        std::mem::replace(&mut *planned, Planned { plan, ..Planned::default() }).struck
    }

    /// The faults that are still to strike, but for a plan's.
    pub fn waiting(&self) -> Vec<Fault> {
        self.queued.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a fault; a count of 0 takes away the ones of that service.
    pub fn inject(&self, fault: Fault) {
        let mut faults = self.queued.lock().unwrap_or_else(PoisonError::into_inner);
        if fault.count == 0 {
            faults.retain(|other| other.service != fault.service);
        } else {
            faults.push(fault);
        }
    }

    /// Carries a call out, unless a fault strikes it: the first that matches does, or one of the plan.
    pub async fn around(
        &self,
        (service, operation, trace): (&str, &str, Option<&str>),
        mut request: Value,
        call: impl AsyncFnOnce(&Value) -> Answer,
    ) -> Answer {
        let bad = |kind| Answer::refused(StatusCode::BAD_REQUEST, kind, "injected");
        let failed = || Answer::refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "injected");
        let planned = || {
            // Calls of tests past the service have no trace, and none is struck.
            let call =
                format!("{} {service} {operation} {}", trace?, request["TableName"].as_str().unwrap_or_default());
            self.planned.lock().unwrap_or_else(PoisonError::into_inner).draw(&call, service, operation)
        };
        let Some(fault) = self.take(service, operation, &request).or_else(planned) else { return call(&request).await };
        let held_back =
            || Duration::from_millis(Some(fault.milliseconds).filter(|ms| *ms > 0).unwrap_or(BEYOND_PATIENCE));
        match fault.kind {
            Kind::Throttle => bad("ThrottlingException"),
            Kind::Error => failed(),
            Kind::Reject => bad("MessageRejected"),
            Kind::Unverified => {
                let from = request["FromEmailAddress"].as_str().unwrap_or_default();
                let words =
                    "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1";
                Answer::refused(StatusCode::BAD_REQUEST, "MessageRejected", &format!("{words}: {from}"))
            }
            Kind::Expired => bad("ExpiredTokenException"),
            Kind::Conflict if operation == "TransactWriteItems" => cancelled(&request, "TransactionConflict"),
            Kind::Conflict => bad("TransactionConflictException"),
            Kind::CancelThrottled => cancelled(&request, "ThrottlingError"),
            Kind::CancelExceeded => cancelled(&request, "ProvisionedThroughputExceeded"),
            Kind::Slow => {
                sleep(Duration::from_millis(fault.milliseconds)).await;
                call(&request).await
            }
            Kind::Half | Kind::LastHalf => {
                let left = halve(&mut request["RequestItems"], matches!(fault.kind, Kind::Half));
                let nothing = request["RequestItems"].as_object().is_none_or(Map::is_empty);
                let mut answer = if nothing { Answer::new(StatusCode::OK, json!({})) } else { call(&request).await };
                let name = if operation == "BatchGetItem" { "UnprocessedKeys" } else { "UnprocessedItems" };
                answer.body[name] = left;
                answer
            }
            Kind::Lost => {
                call(&request).await;
                failed()
            }
            Kind::Cut => Answer { cut: true, ..failed() },
            Kind::CutAfter => {
                call(&request).await;
                Answer { cut: true, ..failed() }
            }
            Kind::TimeOut => {
                sleep(held_back()).await;
                Answer { cut: true, ..failed() }
            }
            Kind::TimeOutAfter => {
                call(&request).await;
                sleep(held_back()).await;
                Answer { cut: true, ..failed() }
            }
        }
    }

    fn take(&self, service: &str, operation: &str, request: &Value) -> Option<Fault> {
        let mut faults = self.queued.lock().unwrap_or_else(PoisonError::into_inner);
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

/// Leaves the first or the last half of what a batch asks for, one of several tables or half of the items of one, and takes out the
/// rest.
fn halve(asked: &mut Value, first: bool) -> Value {
    let mut left = asked.clone();
    let tables = asked.as_object().map_or(0, Map::len);
    for (place, (table, stays)) in asked.as_object_mut().into_iter().flatten().enumerate() {
        let (Some(stays), Some(goes)) = (listed(stays), listed(&mut left[table])) else { continue };
        let count = stays.len();
        let kept = match (tables, first) {
            (1, true) => 0..count.div_ceil(2),
            (1, false) => count.div_ceil(2)..count,
            _ if (place == 0) == first => 0..count,
            _ => 0..0,
        };
        goes.drain(kept.clone());
        stays.truncate(kept.end);
        stays.drain(..kept.start);
    }
    for part in [asked, &mut left] {
        part.as_object_mut()
            .into_iter()
            .for_each(|part| part.retain(|_, of| listed(of).is_some_and(|of| !of.is_empty())));
    }
    left
}

/// Writes stand for themselves, keys beside what else is said of a read.
fn listed(of_table: &mut Value) -> Option<&mut Vec<Value>> {
    if of_table.is_array() { of_table.as_array_mut() } else { of_table["Keys"].as_array_mut() }
}

/// A transaction that was cancelled for a reason that its first item has.
fn cancelled(request: &Value, code: &str) -> Answer {
    let items = request["TransactItems"].as_array().map_or(0, Vec::len);
    let reason = |place| json!({ "Code": if place == 0 { code } else { "None" } });
    let reasons: Vec<Value> = (0..items).map(reason).collect();
    let mut answer = Answer::refused(StatusCode::BAD_REQUEST, "TransactionCanceledException", "injected");
    answer.body["CancellationReasons"] = reasons.into();
    answer
}
