use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Request, State as Extract},
    http::header,
    response::IntoResponse,
};
use serde::Deserialize;
use shared::{
    domain::{Account, EmailAddress, Identifier, Invalid},
    http::{Fields, Limited, NoStore, OptionalJsonBody, Origin, PendingCaller, Problem, ProblemBody},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Done;
use crate::{State, hold};

/// Whose link is wanted, where no access token says so.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    #[schema(example = "alice@example.com")]
    email: Option<String>,
}

/// Who asks: someone signed in, or someone who names an address.
pub enum Asker {
    SignedIn(Box<Account>),
    Named(EmailAddress),
}

impl FromRequest<State> for Asker {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let caller = if parts.headers.contains_key(header::AUTHORIZATION) {
            Some(PendingCaller::from_request_parts(&mut parts, state).await?)
        } else {
            None
        };
        let OptionalJsonBody(wanted) =
            OptionalJsonBody::<Wanted>::from_request(Request::from_parts(parts, body), state).await?;
        if let Some(caller) = caller {
            return Ok(Self::SignedIn(Box::new(caller.account)));
        }
        let mut fields = Fields::default();
        let email = wanted.unwrap_or_default().email.ok_or_else(|| Invalid("is required".into()));
        let email = fields.take("email", email.and_then(|email| EmailAddress::parse(&email)));
        fields.finish(email).map(Self::Named)
    }
}

/// Mails a new verification link, where the address needs one. The answer is the same whether or not it is known.
#[utoipa::path(
    post,
    path = "/api/v1/auth/verify-email-request",
    operation_id = "verify_email_request",
    tag = "auth",
    security((), ("bearer" = []), ("password" = [])),
    request_body = Option<Wanted>,
    responses(
        (status = 200, description = "Where a link is due, it is on its way.", body = Done),
        (status = 401, description = "`invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn verify_email_request(
    Extract(state): Extract<State>,
    origin: Origin,
    asker: Asker,
) -> Result<impl IntoResponse, Problem> {
    hold::success(ask(&state, &origin, &asker)).await?;
    Ok(NoStore(Json(Done::saying("If this address needs to be verified, a mail is on its way."))))
}

async fn ask(state: &State, origin: &Origin, asker: &Asker) -> Result<(), Problem> {
    let email = match asker {
        Asker::SignedIn(account) => &account.email,
        Asker::Named(email) => email,
    };
    let now = state.clock.now();
    state.limiter.admit(Limited::Resend, origin, Some(email.as_str())).await?;
    // Whoever is named, the same calls are made: an id that nobody has stands in where there is no account.
    let user_id = match asker {
        Asker::SignedIn(account) => account.id,
        Asker::Named(email) => state.accounts.find_user(&Identifier::from(email)).await?.unwrap_or_else(Uuid::new_v4),
    };
    Ok(state.accounts.ask_for_verification(user_id, email, now).await?)
}
