use axum::{Json, extract::State as Extract, response::IntoResponse};
use shared::http::{Bearer, NoStore, Problem, ProblemBody};

use super::Done;
use crate::State;

/// Ends the session that calls: its access and refresh tokens stop working at once.
#[utoipa::path(
    post,
    path = "/api/v1/auth/logout",
    operation_id = "logout",
    tag = "auth",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "The session has ended.", body = Done),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn logout(Extract(state): Extract<State>, bearer: Bearer) -> Result<impl IntoResponse, Problem> {
    let (user_id, session_id) = (bearer.user_id(), bearer.session_id());
    bearer.by_pending_write(state.accounts.end_session(user_id, session_id, session_id, state.clock.now())).await?;
    Ok(NoStore(Json(Done::saying("Logged out successfully"))))
}
