use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde::Serialize;
use shared::{
    domain::Role,
    http::{Bearer, Code, NoStore, Problem, ProblemBody, UrlPath},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::shown::ShownAttempt;
use crate::State;

/// An attempt with its code.
#[derive(Debug, Serialize, ToSchema)]
pub struct WholeAttempt {
    #[serde(flatten)]
    attempt: ShownAttempt,
    submitted_code: String,
}

/// One attempt. Another user's is not found, but for an admin.
#[utoipa::path(
    get,
    path = "/api/v1/attempts/{attempt_id}",
    operation_id = "attempt",
    tag = "attempts",
    security(("bearer" = []), ("password" = [])),
    params(("attempt_id" = Uuid, Path, description = "The attempt.")),
    responses(
        (status = 200, description = "The attempt.", body = WholeAttempt),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn attempt(
    Extract(state): Extract<State>,
    bearer: Bearer,
    UrlPath(attempt_id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    let Ok(attempt_id) = attempt_id.parse::<Uuid>() else { return Err(bearer.refuse(missing()).await) };
    let (caller, found) = bearer.with_item(state.attempts.attempt(attempt_id)).await?;
    let may_read = |owner| owner == caller.account.id || caller.account.role == Role::Admin;
    let (_, attempt, submitted_code) = found.filter(|(owner, _, _)| may_read(*owner)).ok_or_else(missing)?;
    Ok(NoStore(Json(WholeAttempt { attempt: attempt.into(), submitted_code })))
}

fn missing() -> Problem {
    Problem::new(Code::NotFound, "There is no such attempt.")
}
