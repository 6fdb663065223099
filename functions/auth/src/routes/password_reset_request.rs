use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde::Deserialize;
use shared::{
    domain::{EmailAddress, Identifier, Reset},
    http::{Fields, JsonBody, Limited, NoStore, Origin, Problem, ProblemBody},
    store::GuessKey,
    telemetry::{self, Metric},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Done;
use crate::{State, hold};

/// Whose password is to be reset.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Forgotten {
    #[schema(example = "alice@example.com")]
    email: String,
}

/// Mails a code of six digits and a link, valid for ten minutes, where the address has an account. The answer is the same
/// where it has none.
#[utoipa::path(
    post,
    path = "/api/v1/auth/password-reset-request",
    operation_id = "password_reset_request",
    tag = "auth",
    request_body = Forgotten,
    responses(
        (status = 200, description = "Where the address has an account, a mail is on its way.", body = Done),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn password_reset_request(
    Extract(state): Extract<State>,
    origin: Origin,
    JsonBody(forgotten): JsonBody<Forgotten>,
) -> Result<impl IntoResponse, Problem> {
    let mut fields = Fields::default();
    let email = fields.take("email", EmailAddress::parse(&forgotten.email));
    let email = fields.finish(email)?;
    hold::success(begin_reset(&state, &origin, &email)).await?;
    Ok(NoStore(Json(Done::saying("If this address has an account, a mail is on its way."))))
}

async fn begin_reset(state: &State, origin: &Origin, email: &EmailAddress) -> Result<(), Problem> {
    state.limiter.admit(Limited::Reset, origin, Some(email.as_str())).await?;
    let key = reset_key(state, email).await?;
    let reset = Reset {
        id: Uuid::new_v4(),
        end: state.clock.now() + Reset::LIFETIME,
        key: state.derivation.fresh().await?.current(),
        tries: 0,
    };
    state.accounts.begin_reset(&key, &reset).await?;
    telemetry::count(Metric::ResetsRequested);
    Ok(())
}

/// The account behind an address, or what stands in for it where there is none.
pub(super) async fn reset_key(state: &State, email: &EmailAddress) -> Result<GuessKey, Problem> {
    let identifier = Identifier::from(email);
    let user = state.accounts.find_user(&identifier).await?;
    let derivation = state.derivation.fresh().await?;
    Ok(user.map_or_else(|| GuessKey::Ghost(derivation.lookup("ghost", identifier.as_str())), GuessKey::Account))
}
