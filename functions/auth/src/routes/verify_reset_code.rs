use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde::Deserialize;
use shared::{
    crypto::ResetSecret,
    domain::EmailAddress,
    http::{Code, Fields, JsonBody, Limited, NoStore, Origin, Problem, ProblemBody},
    store::ResetTry,
};
use utoipa::ToSchema;

use super::{Done, password_reset_request::reset_key};
use crate::{State, hold};

/// A code, as it was mailed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResetCode {
    #[schema(example = "alice@example.com")]
    email: String,
    #[schema(example = "123456")]
    code: String,
}

/// Says whether a reset code is right, without using it up. Five wrong tries, here and at the reset together, are the end
/// of it.
#[utoipa::path(
    post,
    path = "/api/v1/auth/verify-reset-code",
    operation_id = "verify_reset_code",
    tag = "auth",
    request_body = ResetCode,
    responses(
        (status = 200, description = "The code is right.", body = Done),
        (status = 401, description = "`invalid_reset_code`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn verify_reset_code(
    Extract(state): Extract<State>,
    origin: Origin,
    JsonBody(code): JsonBody<ResetCode>,
) -> Result<impl IntoResponse, Problem> {
    state.limiter.admit(Limited::Credential, &origin, None).await?;
    let mut fields = Fields::default();
    let email = fields.take("email", EmailAddress::parse(&code.email));
    let tried = hold::refusal(right_code(&state, &fields.finish(email)?, &code.code)).await?;
    state.accounts.give_reset_try_back(&tried).await?;
    Ok(NoStore(Json(Done::saying("The code is valid"))))
}

pub(super) fn invalid() -> Problem {
    Problem::new(Code::InvalidResetCode, "The code or the link is not valid.")
}

/// The try at the reset whose code this is. It is reserved; where the code is wrong it stays so.
pub(super) async fn right_code(state: &State, email: &EmailAddress, code: &str) -> Result<ResetTry, Problem> {
    let key = reset_key(state, email).await?;
    let tried = state.accounts.try_reset(&key, state.clock.now()).await?.ok_or_else(invalid)?;
    let secret = ResetSecret { user_id: tried.account.id, id: tried.reset.id, key: tried.reset.key };
    if secret.is_code(&state.derivation.fresh().await?, code.trim()) { Ok(tried) } else { Err(invalid()) }
}
