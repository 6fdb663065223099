use axum::{Json, extract::State as Extract, response::IntoResponse};
use shared::{
    domain::Plan,
    http::{Bearer, NoStore, Problem, ProblemBody, User},
    store::DocumentKind,
};

use super::change_plan;
use crate::State;

/// Upgrades the caller to the premium plan, at once.
#[utoipa::path(
    post,
    path = "/api/v1/users/me/upgrade",
    operation_id = "upgrade",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "The user as they are now.", body = User),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`plan_unchanged`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn upgrade(Extract(state): Extract<State>, bearer: Bearer) -> Result<impl IntoResponse, Problem> {
    let profile = state.accounts.document(bearer.user_id(), DocumentKind::Profile);
    let (caller, profile) = bearer.with_item(profile).await?;
    change_plan(&state, caller, profile, Plan::Premium).await.map(|user| NoStore(Json(user)))
}
