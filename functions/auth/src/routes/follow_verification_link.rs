use axum::{
    Json,
    extract::State as Extract,
    response::{IntoResponse, Response},
};
use minijinja::context;
use shared::http::{Accepts, Limited, NoStore, Origin, Problem, ProblemBody, UrlQuery};

use super::{
    Done,
    verify_email::{LinkQuery, verify},
};
use crate::State;

/// Follows a mailed link: a program that accepts JSON verifies; a browser gets a page with one button, because mail
/// scanners follow links.
#[utoipa::path(
    get,
    path = "/auth/verify-email",
    operation_id = "follow_verification_link",
    tag = "auth",
    params(LinkQuery),
    responses(
        (status = 200, description = "The address is verified; for a browser, the page that asks for the click.", content((Done = "application/json"), (String = "text/html"))),
        (status = 400, description = "`invalid_verification_token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn follow_verification_link(
    Extract(state): Extract<State>,
    origin: Origin,
    accepts: Accepts,
    UrlQuery(LinkQuery { token }): UrlQuery<LinkQuery>,
) -> Result<Response, Problem> {
    let token = token.unwrap_or_default();
    if accepts.json {
        state.limiter.admit(Limited::Credential, &origin, None).await?;
        return Ok(NoStore(Json(verify(&state, &token).await?)).into_response());
    }
    Ok(state.pages.render("verify_email.html", context! { token })?.into_response())
}
