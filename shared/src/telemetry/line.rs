use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::metrics::{Directives, Measures};
use crate::{clock::Clock, config::Settings};

/// Writes the one line about each piece of work of a function.
#[derive(Clone)]
pub struct Meter {
    clock: Clock,
    function: Arc<str>,
    environment: Arc<str>,
    /// Where there is none, nothing becomes a metric.
    namespace: Option<Arc<str>>,
}

/// A piece of work that is done. `request_id` and `route` are words that may stand in a log.
pub struct Work<'a> {
    pub request_id: &'a str,
    /// The pattern, never the path: that could hold an id or a token.
    pub route: Option<&'a str>,
    pub duration: Duration,
    pub done: Done<'a>,
}

/// What was done.
#[derive(Serialize)]
#[serde(tag = "message", rename_all = "lowercase")]
pub enum Done<'a> {
    /// A request was answered.
    Request {
        method: &'a str,
        status: u16,
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<Uuid>,
        #[serde(skip_serializing_if = "Option::is_none")]
        code: Option<&'a str>,
        /// What the caller was not told.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    },
    /// An invocation of a function that serves no requests ended.
    Invocation { outcome: &'static str },
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "_aws", skip_serializing_if = "Option::is_none")]
    directives: Option<Directives<'a>>,
    function: &'a str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    #[serde(flatten)]
    said: Option<Said<'a>>,
    #[serde(flatten)]
    measures: &'a Measures,
}

#[derive(Serialize)]
struct Said<'a> {
    timestamp: DateTime<Utc>,
    level: &'static str,
    env: &'a str,
    duration_ms: f64,
    cold_start: bool,
    #[serde(flatten)]
    done: &'a Done<'a>,
}

impl Meter {
    /// The meter of a function with these settings.
    pub fn new(settings: &Settings, clock: &Clock) -> Self {
        Self {
            clock: clock.clone(),
            function: settings.function_name.as_str().into(),
            environment: settings.environment.as_str().into(),
            namespace: settings.metrics_namespace.as_deref().map(Into::into),
        }
    }

    /// Tells of a piece of work, and what it measured: as an error where a request failed by a fault of ours, else as information.
    /// A level that keeps that out of the log leaves the metrics, with what they are of.
    pub fn tell(&self, work: &Work<'_>, measures: &Measures) {
        let (now, cold_start) = (self.clock.now(), cold_start());
        let (level, told) = match work.done {
            Done::Request { status: 500.., .. } => ("ERROR", tracing::enabled!(tracing::Level::ERROR)),
            Done::Request { .. } | Done::Invocation { .. } => ("INFO", tracing::enabled!(tracing::Level::INFO)),
        };
        let duration_ms = work.duration.as_micros() as f64 / 1000.0;
        let line = Line {
            directives: self.namespace.as_deref().and_then(|namespace| measures.directives(namespace, now)),
            function: &self.function,
            request_id: work.request_id,
            route: work.route,
            said: told.then_some(Said {
                timestamp: now,
                level,
                env: &self.environment,
                duration_ms,
                cold_start,
                done: &work.done,
            }),
            measures,
        };
        if line.said.is_none() && line.directives.is_none() {
            return;
        }
        let line = serde_json::to_string(&line).map(|line| line + "\n").map_err(io::Error::from);
        // A function whose standard output is gone has nobody to tell.
        let _ = line.and_then(|line| io::stdout().lock().write_all(line.as_bytes()));
    }
}

/// Whether this is the first piece of work of the process.
fn cold_start() -> bool {
    static WARM: AtomicBool = AtomicBool::new(false);
    !WARM.swap(true, Ordering::Relaxed)
}
