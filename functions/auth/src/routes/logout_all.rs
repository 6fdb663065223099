use axum::{Json, extract::State as Extract, response::IntoResponse};
use shared::http::{Bearer, NoStore, Problem, ProblemBody};

use super::Done;
use crate::State;

/// Ends every session of the caller, this one included.
#[utoipa::path(
    post,
    path = "/api/v1/auth/logout-all",
    operation_id = "logout_all",
    tag = "auth",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "Every session has ended.", body = Done),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn logout_all(Extract(state): Extract<State>, bearer: Bearer) -> Result<impl IntoResponse, Problem> {
    let (user_id, session_id) = (bearer.user_id(), bearer.session_id());
    let require_verified = state.settings.require_verified_email;
    bearer.by_write(state.accounts.end_sessions(user_id, session_id, require_verified, state.clock.now())).await?;
    Ok(NoStore(Json(Done::saying("Logged out successfully"))))
}
