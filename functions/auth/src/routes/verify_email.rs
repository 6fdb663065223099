use axum::{
    Form, Json,
    extract::{FromRequest, FromRequestParts, Request, State as Extract},
    http::header,
    response::{IntoResponse, Response},
};
use minijinja::context;
use serde::Deserialize;
use shared::{
    crypto::{LinkPurpose, MailedLink, VerificationToken},
    domain::Account,
    http::{
        Accepts, Code, Fields, Limited, NoStore, OptionalJsonBody, Origin, Problem, ProblemBody, UrlQuery, note_user,
    },
    store::{AddressMoved, Verified},
};
use utoipa::{IntoParams, ToSchema};

use super::Done;
use crate::State;

/// The token of the link that was mailed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    token: String,
}

/// The form of our own page; like any form, it may have more fields.
#[derive(Deserialize)]
struct FormLink {
    token: String,
}

/// The link's token, in the query.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LinkQuery {
    pub(super) token: Option<String>,
}

/// The token of a request: from the query, from a JSON body, or from the form of our own page.
pub struct Presented(pub(super) String);

impl FromRequest<State> for Presented {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let UrlQuery(query) = UrlQuery::<LinkQuery>::from_request_parts(&mut parts, state).await?;
        let request = Request::from_parts(parts, body);
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let is_form = content_type.is_some_and(|essence| essence.starts_with("application/x-www-form-urlencoded"));
        let link = if is_form {
            Form::<FormLink>::from_request(request, state).await.ok().map(|Form(link)| link.token)
        } else {
            let OptionalJsonBody(link) = OptionalJsonBody::<Link>::from_request(request, state).await?;
            link.map(|link| link.token)
        };
        query.token.or(link).map(Self).ok_or_else(|| {
            let mut fields = Fields::default();
            fields.refuse("token", "is required");
            fields.finish::<()>(None).map_or_else(|problem| problem, |()| invalid())
        })
    }
}

pub(super) fn invalid() -> Problem {
    Problem::new(Code::InvalidVerificationToken, "The verification link is not valid, or its time is over.")
}

pub(super) async fn verify(state: &State, token: &str) -> Result<Done, Problem> {
    if LinkPurpose::of(token).is_some() {
        return confirm_new_address(state, token).await;
    }
    let derivation = state.derivation.fresh().await?;
    let token = VerificationToken::decode(token, &derivation).ok_or_else(invalid)?;
    note_user(token.user_id);
    let now = state.clock.now();
    let account = state.accounts.find(token.user_id).await?;
    let meant = |account: &Account| now < token.end && token.is_for(&account.email, &derivation);
    let account = account.filter(meant).ok_or_else(invalid)?;
    match state.accounts.verify(account, &state.settings.admin_emails, now).await? {
        Verified::Yes => Ok(Done::saying("Email verified")),
        Verified::No => Err(invalid()),
    }
}

/// The link that a new address was mailed.
async fn confirm_new_address(state: &State, token: &str) -> Result<Done, Problem> {
    let link =
        MailedLink::decode(token, LinkPurpose::AddressChange, &state.derivation.fresh().await?).ok_or_else(invalid)?;
    note_user(link.user_id);
    let account = state.accounts.find(link.user_id).await?.ok_or_else(invalid)?;
    match state.accounts.move_address(account, link.id, state.clock.now()).await? {
        AddressMoved::Yes => Ok(Done::saying("Email verified")),
        AddressMoved::No | AddressMoved::Taken => Err(invalid()),
    }
}

/// Verifies the address behind a mailed link, or gives the account the new address that the link confirms. Works again for as long as the link lives.
#[utoipa::path(
    post,
    path = "/api/v1/auth/verify-email",
    operation_id = "verify_email",
    tag = "auth",
    params(LinkQuery),
    request_body = Option<Link>,
    responses(
        (status = 200, description = "The address is verified.", body = Done),
        (status = 400, description = "`invalid_verification_token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn verify_email(
    Extract(state): Extract<State>,
    origin: Origin,
    accepts: Accepts,
    Presented(token): Presented,
) -> Result<Response, Problem> {
    state.limiter.admit(Limited::Credential, &origin, None).await?;
    let outcome = verify(&state, &token).await;
    if !accepts.html {
        return outcome.map(|done| NoStore(Json(done)).into_response());
    }
    match outcome {
        Ok(_) => {
            let (title, text) = ("Address verified", "Thank you. You can close this page and sign in.");
            Ok(state.pages.render("message.html", context! { title, text })?.into_response())
        }
        Err(problem) if problem.code() == Code::InvalidVerificationToken => {
            let (title, text) = ("This link does not work", "It is not valid, or its time is over. Ask for a new one.");
            Ok(problem.shown_as(state.pages.render("message.html", context! { title, text })?))
        }
        Err(problem) => Err(problem),
    }
}
