use axum::{Json, response::IntoResponse};
use serde::Serialize;
use shared::http::{Caller, NoStore, ProblemBody};
use utoipa::ToSchema;

/// A greeting.
#[derive(Debug, Serialize, ToSchema)]
pub struct Home {
    #[schema(example = "Welcome, Alice!")]
    message: String,
}

/// Greets the signed-in user by name, else by username, else by address.
#[utoipa::path(
    get,
    path = "/home/",
    operation_id = "home",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "The greeting.", body = Home),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn home(Caller { account, .. }: Caller) -> impl IntoResponse {
    let name = account.name.as_ref().map(|name| name.as_str());
    let username = account.username.as_ref().map(|username| username.as_str());
    let called = name.or(username).unwrap_or(account.email.as_str());
    NoStore(Json(Home { message: format!("Welcome, {called}!") }))
}
