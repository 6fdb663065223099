use axum::{Json, extract::State as Extract, response::IntoResponse};
use shared::{
    http::{Bearer, NoStore, Problem, ProblemBody, User},
    store::DocumentKind,
};

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
pub async fn me(Extract(state): Extract<State>, bearer: Bearer) -> Result<impl IntoResponse, Problem> {
    let profile = state.accounts.document(bearer.user_id(), DocumentKind::Profile);
    let (caller, profile) = bearer.with_item_pending(profile).await?;
    let account = &caller.account;
    Ok(NoStore(Json(User::seen_by(account.role, account, &profile, &state.avatars, state.clock.now()))))
}
