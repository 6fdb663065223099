//! Logs and metrics: JSON on standard output, one object a line, without secrets, addresses or line breaks from a request.

mod line;
mod metrics;

pub use line::{Done, Meter, Work};
pub use metrics::{METRICS, Metric, add, count, gauge, measured};

use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

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
