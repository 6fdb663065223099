use axum::{
    Json,
    extract::State as Extract,
    response::{IntoResponse, Response},
};
use minijinja::context;
use shared::{
    crypto::{LinkPurpose, MailedLink},
    http::{Accepts, Code, Limited, NoStore, Origin, Problem, ProblemBody, note_user},
    store::AddressMoved,
};

use super::{
    Done,
    verify_email::{Link, LinkQuery, Presented, invalid},
};
use crate::State;

/// Gives an account the address back that a change took from it, by the link that the old address was mailed. Ends every
/// session.
#[utoipa::path(
    post,
    path = "/api/v1/auth/undo-email-change",
    operation_id = "undo_email_change",
    tag = "auth",
    params(LinkQuery),
    request_body = Option<Link>,
    responses(
        (status = 200, description = "The account has its old address again.", body = Done),
        (status = 400, description = "`invalid_verification_token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn undo_email_change(
    Extract(state): Extract<State>,
    origin: Origin,
    accepts: Accepts,
    Presented(token): Presented,
) -> Result<Response, Problem> {
    state.limiter.admit(Limited::Credential, &origin, None).await?;
    let outcome = undo(&state, &token).await;
    if !accepts.html {
        return outcome.map(|done| NoStore(Json(done)).into_response());
    }
    match outcome {
        Ok(_) => {
            let title = "The change is undone";
            let text =
                "Your account has its old address again. Sign in, and choose another password: someone may know yours.";
            Ok(state.pages.render("message.html", context! { title, text })?.into_response())
        }
        Err(problem) if problem.code() == Code::InvalidVerificationToken => {
            let (title, text) = ("This link does not work", "It was used, or its time is over.");
            Ok(problem.shown_as(state.pages.render("message.html", context! { title, text })?))
        }
        Err(problem) => Err(problem),
    }
}

async fn undo(state: &State, token: &str) -> Result<Done, Problem> {
    let link =
        MailedLink::decode(token, LinkPurpose::AddressUndo, &state.derivation.fresh().await?).ok_or_else(invalid)?;
    note_user(link.user_id);
    let account = state.accounts.find(link.user_id).await?.ok_or_else(invalid)?;
    match state.accounts.restore_address(account, link.id, state.clock.now()).await? {
        AddressMoved::Yes => Ok(Done::saying("The change of address is undone")),
        AddressMoved::No | AddressMoved::Taken => Err(invalid()),
    }
}
