use axum::{Json, extract::State as Extract, response::IntoResponse};
use shared::http::{NoStore, PendingCaller, ProblemBody, User};

use crate::State;

/// The signed-in user.
#[utoipa::path(
    get,
    path = "/api/v1/auth/me",
    operation_id = "me",
    tag = "auth",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "The user.", body = User),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn me(Extract(state): Extract<State>, caller: PendingCaller) -> impl IntoResponse {
    NoStore(Json(User::seen_by(caller.account.role, &caller.account, state.clock.now())))
}
