use axum::{Json, response::IntoResponse};
use serde::Serialize;
use shared::{
    domain::Role,
    http::{Caller, NoStore, ProblemBody},
};
use utoipa::ToSchema;

/// Whether the caller is an admin.
#[derive(Debug, Serialize, ToSchema)]
pub struct IsAdmin {
    is_admin: bool,
}

/// Tells other services whether the caller is an admin, as of now.
#[utoipa::path(
    get,
    path = "/users/is-admin",
    operation_id = "is_admin",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "Whether the caller is an admin.", body = IsAdmin),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn is_admin(caller: Caller) -> impl IntoResponse {
    NoStore(Json(IsAdmin { is_admin: caller.account.role == Role::Admin }))
}
