use axum::{Json, extract::State as Extract, response::IntoResponse};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::http::{Bearer, NoStore, Problem, ProblemBody};
use utoipa::ToSchema;

use crate::State;

/// What the caller has done in all.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownSummary {
    total_attempts: u64,
    /// Distinct questions.
    solved: u64,
    last_attempt_at: Option<DateTime<Utc>>,
}

/// The caller's totals.
#[utoipa::path(
    get,
    path = "/api/v1/attempts/me/summary",
    operation_id = "summary",
    tag = "attempts",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "The totals.", body = ShownSummary),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn summary(Extract(state): Extract<State>, bearer: Bearer) -> Result<impl IntoResponse, Problem> {
    let user_id = bearer.user_id();
    let (_, summary) = bearer.with_item(state.attempts.summary(user_id)).await?;
    Ok(NoStore(Json(ShownSummary {
        total_attempts: summary.total_attempts,
        solved: summary.solved,
        last_attempt_at: summary.last_attempt_at,
    })))
}
