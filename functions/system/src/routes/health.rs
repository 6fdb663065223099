use axum::{Json, extract::State as Extract, response::IntoResponse};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::http::{NoStore, Problem, ProblemBody};
use utoipa::ToSchema;

use super::readyz::not_ready;
use crate::State;

/// How the instance that answers is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `healthy`: what is not, is told as a problem.
    status: &'static str,
    service: String,
    version: &'static str,
    /// Always `connected`.
    database: &'static str,
    /// Of this instance, of which there are as many as there are requests at once.
    uptime_seconds: i64,
    timestamp: DateTime<Utc>,
}

/// Whether the service and its database answer.
#[utoipa::path(
    get,
    path = "/health",
    operation_id = "health",
    tag = "system",
    responses(
        (status = 200, description = "They answer.", body = Health),
        (status = 503, description = "`unavailable`: the database is down", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn health(Extract(state): Extract<State>) -> Result<impl IntoResponse, Problem> {
    let missing = state.missing_tables().await;
    if !missing.is_empty() {
        return Err(not_ready(&missing));
    }
    let now = state.clock.now();
    Ok(NoStore(Json(Health {
        status: "healthy",
        service: state.settings.app_name.clone(),
        version: env!("CARGO_PKG_VERSION"),
        database: "connected",
        uptime_seconds: (now - state.started_at).num_seconds(),
        timestamp: now,
    })))
}
