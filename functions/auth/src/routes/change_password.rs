use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde::Deserialize;
use shared::{
    domain::Plaintext,
    http::{Caller, Code, Fields, Guess, JsonBody, NoStore, Problem, ProblemBody},
    store::{GuessKey, PasswordSet},
};
use utoipa::ToSchema;

use super::{Done, password_reset_confirm::own_rules};
use crate::State;

/// The password that is, and the one that will be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    current_password: String,
    new_password: String,
    /// The same as `new_password`, where it is given.
    confirm_password: Option<String>,
}

/// Changes the caller's password, ends their other sessions, and mails a notice.
#[utoipa::path(
    post,
    path = "/api/v1/auth/change-password",
    operation_id = "change_password",
    tag = "auth",
    security(("bearer" = []), ("password" = [])),
    request_body = PasswordChange,
    responses(
        (status = 200, description = "The password is changed.", body = Done),
        (status = 401, description = "`invalid_credentials`, `authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`account_locked`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn change_password(
    Extract(state): Extract<State>,
    caller: Caller,
    JsonBody(change): JsonBody<PasswordChange>,
) -> Result<impl IntoResponse, Problem> {
    let mut fields = Fields::default();
    if change.confirm_password.is_some_and(|confirmation| confirmation != change.new_password) {
        fields.refuse("confirm_password", "must be the same as the password");
    }
    let current = fields.take("current_password", Plaintext::parse(change.current_password));
    let current = fields.finish(current)?;
    let new = own_rules(&state, &caller.account, change.new_password)?;

    let wrong = || Problem::new(Code::InvalidCredentials, "Invalid credentials");
    let guess = state.door.compare(GuessKey::Account(caller.account.id), current).await?;
    let Guess::Right(right) = guess else { return Err(wrong()) };
    let hash = state.hasher.place().await?.hash(new).await?;
    let (kept, now) = (caller.session_id, state.clock.now());
    match state.accounts.change_password(&right.reservation, &right.account, kept, &hash, now).await? {
        PasswordSet::Yes => Ok(NoStore(Json(Done::saying("Password changed")))),
        PasswordSet::No => {
            // The account is another one by now, and the guess was right all the same.
            state.accounts.settle_right(&right.reservation, now).await?;
            Err(wrong())
        }
    }
}
