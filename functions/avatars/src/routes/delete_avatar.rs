use axum::{Json, extract::State as Extract, response::IntoResponse};
use shared::http::{Bearer, NoStore, Problem, ProblemBody, UrlPath, User};

use crate::State;

/// Takes a user's avatar away: one's own, or anyone's where the caller is an admin.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}/avatar",
    operation_id = "delete_avatar",
    tag = "avatars",
    security(("bearer" = []), ("password" = [])),
    params(("id" = String, Path, description = "`me`, or the user.")),
    responses(
        (status = 200, description = "The user as they are now.", body = User),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn delete_avatar(
    Extract(state): Extract<State>,
    bearer: Bearer,
    UrlPath(id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    let (caller, subject) = state.subject(bearer, &id).await?;
    state.set(&caller, subject, None).await.map(|user| NoStore(Json(user)))
}
