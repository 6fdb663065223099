//! Faults that a person or a test injects into the next calls.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
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

    /// Lets the first fault that matches strike; the answer, where it has one of its own.
    pub async fn strike(&self, service: &str, operation: &str, request: &Value) -> Option<Answer> {
        let fault = self.take(service, operation, request)?;
        match fault.kind {
            Kind::Throttle => Some(Answer::refused(StatusCode::BAD_REQUEST, "ThrottlingException", "injected")),
            Kind::Error => Some(Answer::refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "injected")),
            Kind::Slow => {
                sleep(Duration::from_millis(fault.milliseconds)).await;
                None
            }
        }
    }

    fn take(&self, service: &str, operation: &str, request: &Value) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let matches = |fault: &Fault| {
            fault.service == service
                && fault.operation.as_deref().is_none_or(|wanted| wanted == operation)
                && fault.table.as_deref().is_none_or(|wanted| request["TableName"] == wanted)
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
