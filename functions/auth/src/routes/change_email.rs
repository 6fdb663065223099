use axum::{Json, extract::State as Extract, http::StatusCode, response::IntoResponse};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use shared::{
    config::Registration,
    domain::{Account, AddressChange, AddressUndo, EmailAddress, Plaintext},
    http::{Caller, Code, Fields, Guess, JsonBody, Limited, NoStore, Origin, Problem, ProblemBody},
    store::GuessKey,
};
use utoipa::ToSchema;

use super::Done;
use crate::State;

/// The address that will be, and the password that is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailChange {
    #[schema(example = "alice@example.org")]
    new_email: String,
    password: String,
}

/// Asks for another address: a link goes to it, and when that is followed the account has it. The old address is then
/// told, and can undo the change for seven days.
#[utoipa::path(
    post,
    path = "/api/v1/users/me/email",
    operation_id = "change_email",
    tag = "auth",
    security(("bearer" = []), ("password" = [])),
    request_body = EmailChange,
    responses(
        (status = 202, description = "A link is on its way to the new address.", body = Done),
        (status = 401, description = "`invalid_credentials`, `authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`account_locked`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`email_taken`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn change_email(
    Extract(state): Extract<State>,
    origin: Origin,
    caller: Caller,
    JsonBody(request): JsonBody<EmailChange>,
) -> Result<impl IntoResponse, Problem> {
    let mut fields = Fields::default();
    let email = fields.take("new_email", EmailAddress::parse(&request.new_email));
    if email.as_ref().is_some_and(|email| *email == caller.account.email) {
        fields.refuse("new_email", "is the address that the account has");
    }
    let password = fields.take("password", Plaintext::parse(request.password));
    let (email, password) = fields.finish(email.zip(password))?;
    state.limiter.admit(Limited::Resend, &origin, Some(email.as_str())).await?;
    // Nor may one account mail many strangers.
    state.limiter.admit_named(Limited::Resend, &caller.account.id.to_string()).await?;

    // Where registering tells whether an address is taken, so may this, to who knows the password; else the new address itself
    // finds out.
    let is_free = async {
        let open = state.settings.registration == Registration::Open;
        if open { state.accounts.is_free(&email, caller.account.id, state.clock.now()).await } else { Ok(true) }
    };
    let (guess, is_free) = tokio::join!(state.door.compare(GuessKey::Account(caller.account.id), password), is_free);
    let wrong = || Problem::new(Code::InvalidCredentials, "Invalid credentials");
    let Guess::Right(right) = guess? else { return Err(wrong()) };
    let now = state.clock.now();
    let (reservation, account) = (&right.reservation, &right.account);
    // The account is held against what it was with the guess: it may have moved since the caller was admitted.
    let refusal = match is_free {
        Err(error) => Some(error.into()),
        Ok(false) => Some(Problem::new(Code::EmailTaken, "Email already registered")),
        Ok(true) if email == account.email => Some(wrong()),
        Ok(true) => too_many(account, now),
    };
    if let Some(refusal) = refusal {
        state.accounts.settle_right(reservation, now).await?;
        return Err(refusal);
    }
    let change = AddressChange { id: state.clock.new_id(), email, end: now + AddressChange::LIFETIME };
    if !state.accounts.ask_for_address(reservation, account, caller.session_id, &change).await? {
        // The account is another one by now, and the guess was right all the same.
        state.accounts.settle_right(reservation, now).await?;
        return Err(wrong());
    }
    let done = Done::saying("A link is on its way to the new address.");
    Ok((StatusCode::ACCEPTED, NoStore(Json(done))))
}

/// A thief who changes the address again and again must not wash out the owner's way back.
fn too_many(account: &Account, now: DateTime<Utc>) -> Option<Problem> {
    let mut live = account.address_undos.iter().filter(|undo| undo.is_live(now));
    let (Some(oldest), true) = (live.next(), live.count() + 1 >= AddressUndo::MOST) else { return None };
    let problem =
        Problem::new(Code::TooManyRequests, "The address was changed too often lately. Please try again later.");
    Some(problem.retry_after(oldest.end - now))
}
