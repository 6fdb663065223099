//! Logs and metrics: JSON on standard output, one object a line, without secrets, addresses or line breaks from a request.

mod metrics;

pub use metrics::{METRICS, Meter, Metric, add, count, gauge};

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};
use uuid::Uuid;

use crate::config::Settings;

/// Starts the log. A second start in one process changes nothing.
pub fn start(settings: &Settings) {
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false);
    // Fails where a log has been started already.
    let _ = tracing_subscriber::registry().with(filter(&settings.log_level)).with(lines).try_init();
}

/// The level is for what this service says. The SDK would print whole requests at its finer ones, so everyone else is held
/// to warnings.
fn filter(level: &str) -> Targets {
    let level: LevelFilter = level.parse().unwrap_or(LevelFilter::INFO);
    Targets::new().with_default(level.min(LevelFilter::WARN)).with_targets(OURS.map(|name| (name, level)))
}

/// The crates that speak here.
pub const OURS: [&str; 12] = [
    "attempts",
    "auth",
    "authorizer",
    "avatars",
    "bounces",
    "janitor",
    "local",
    "mailer",
    "rotation",
    "shared",
    "system",
    "users",
];

/// What the log says of one request. The route is the pattern, never the path: that could hold an id or a token.
pub struct RequestLine<'a> {
    pub request_id: &'a str,
    pub function: &'a str,
    pub method: &'a str,
    pub route: &'a str,
    pub status: u16,
    pub duration: Duration,
    pub user_id: Option<Uuid>,
    pub code: Option<&'a str>,
    pub reason: Option<&'a str>,
}

/// Whether this is the first piece of work of the process.
fn cold_start() -> bool {
    static WARM: AtomicBool = AtomicBool::new(false);
    !WARM.swap(true, Ordering::Relaxed)
}

/// Logs an invocation of a function that serves no requests, once. `outcome` is a word of ours.
pub fn invocation(request_id: &str, function: &str, outcome: &str, duration: Duration) {
    let (cold_start, duration_ms) = (cold_start(), duration.as_secs_f64() * 1000.0);
    tracing::info!(request_id, function, outcome, duration_ms, cold_start, "invocation");
}

/// Logs a request, once: failures of ours as errors, everything else as information.
pub fn request(line: &RequestLine<'_>) {
    let cold_start = cold_start();
    let RequestLine { request_id, function, method, route, status, code, reason, .. } = line;
    let duration_ms = line.duration.as_secs_f64() * 1000.0;
    let user_id = line.user_id.map(|id| id.to_string());
    macro_rules! log {
        ($level:ident) => {
            tracing::$level!(
                request_id,
                function,
                method,
                route,
                status,
                duration_ms,
                cold_start,
                user_id,
                code,
                reason,
                "request"
            )
        };
    }
    if *status >= 500 { log!(error) } else { log!(info) }
}
