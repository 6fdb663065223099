use axum::{
    Json,
    extract::{FromRequest, FromRequestParts, Request, State as Extract},
    http::header,
    response::IntoResponse,
};
use chrono::TimeDelta;
use serde::Deserialize;
use shared::{
    domain::{Account, EmailAddress, Identifier, Verification},
    http::{Code, Fields, JsonBody, NoStore, PendingCaller, Problem, ProblemBody},
    store::Limit,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Done, register::VERIFICATION_LIFETIME};
use crate::State;

/// Mails that one address may ask for.
const RESENDS: Limit = Limit { scope: "resend", calls: 5, window: TimeDelta::hours(1) };

/// Whose link is wanted, where no access token says so.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    #[schema(example = "alice@example.com")]
    email: String,
}

/// Who asks: someone signed in, or someone who names an address.
pub enum Asker {
    SignedIn(Box<Account>),
    Named(EmailAddress),
}

impl FromRequest<State> for Asker {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        if request.headers().contains_key(header::AUTHORIZATION) {
            let (mut parts, _) = request.into_parts();
            let caller = PendingCaller::from_request_parts(&mut parts, state).await?;
            return Ok(Self::SignedIn(Box::new(caller.account)));
        }
        let JsonBody(wanted) = JsonBody::<Wanted>::from_request(request, state).await?;
        let mut fields = Fields::default();
        let email = fields.take("email", EmailAddress::parse(&wanted.email));
        fields.finish(email).map(Self::Named)
    }
}

/// Mails a new verification link, where the address needs one. The answer is the same whether or not it is known.
#[utoipa::path(
    post,
    path = "/api/v1/auth/verify-email-request",
    operation_id = "verify_email_request",
    tag = "auth",
    security((), ("bearer" = [])),
    request_body = Option<Wanted>,
    responses(
        (status = 200, description = "Where a link is due, it is on its way.", body = Done),
        (status = 401, description = "`invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn verify_email_request(Extract(state): Extract<State>, asker: Asker) -> Result<impl IntoResponse, Problem> {
    let email = match &asker {
        Asker::SignedIn(account) => &account.email,
        Asker::Named(email) => email,
    };
    let now = state.clock.now();
    let lookup = state.derivation.lookup("limit", email.as_str());
    if let Err(wait) = state.limits.count(&RESENDS, &lookup, now).await? {
        return Err(Problem::new(Code::TooManyRequests, "Too many requests. Please try again later.").retry_after(wait));
    }
    let account = match asker {
        Asker::SignedIn(account) => Some(*account),
        Asker::Named(email) => find(&state, &email).await?,
    };
    if let Some(account) = account.filter(|account| !account.verified) {
        let key = state.derivation.current();
        let verification = Verification { id: Uuid::new_v4(), end: now + VERIFICATION_LIFETIME, key };
        state.accounts.renew_verification(&account, &verification).await?;
    }
    Ok(NoStore(Json(Done::saying("If this address needs to be verified, a mail is on its way."))))
}

async fn find(state: &State, email: &EmailAddress) -> Result<Option<Account>, Problem> {
    let identifier = Identifier::parse(email.as_str()).map_err(|_| Problem::new(Code::NotFound, "No such address"))?;
    match state.accounts.find_user(&identifier).await? {
        Some(id) => Ok(state.accounts.find(id).await?),
        None => Ok(None),
    }
}
