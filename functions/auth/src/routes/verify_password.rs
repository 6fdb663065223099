use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde::{Deserialize, Serialize};
use shared::{
    domain::Plaintext,
    http::{Caller, Fields, Guess, JsonBody, NoStore, Problem, ProblemBody},
    store::GuessKey,
};
use utoipa::ToSchema;

use crate::State;

/// A password to compare with the caller's own.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claimed {
    password: String,
}

/// Whether it is the one.
#[derive(Debug, Serialize, ToSchema)]
pub struct Verdict {
    ok: bool,
}

/// Says whether this is the caller's password. Wrong ones count like those of a login.
#[utoipa::path(
    post,
    path = "/api/v1/auth/verify-password",
    operation_id = "verify_password",
    tag = "auth",
    security(("bearer" = []), ("password" = [])),
    request_body = Claimed,
    responses(
        (status = 200, description = "Whether it is.", body = Verdict),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`account_locked`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn verify_password(
    Extract(state): Extract<State>,
    caller: Caller,
    JsonBody(claimed): JsonBody<Claimed>,
) -> Result<impl IntoResponse, Problem> {
    let mut fields = Fields::default();
    let password = fields.take("password", Plaintext::parse(claimed.password));
    let password = fields.finish(password)?;
    let ok = match state.door.compare(GuessKey::Account(caller.account.id), password).await? {
        Guess::Right(right) => {
            state.accounts.settle_right(&right.reservation, state.clock.now()).await?;
            true
        }
        Guess::Wrong | Guess::Gone => false,
    };
    Ok(NoStore(Json(Verdict { ok })))
}
