use axum::{extract::State as Extract, response::IntoResponse};
use serde::Deserialize;
use shared::{
    crypto::RefreshToken,
    http::{FormBody, Limited, NoStore, Origin, Problem, ProblemBody},
};
use utoipa::ToSchema;

use super::token::{Refusal, TokenError, refused};
use crate::State;

/// A revocation request (RFC 7009 §2.1). Fields that are not known are ignored.
#[derive(Deserialize, ToSchema)]
pub struct Revocation {
    /// An access token or a refresh token.
    token: Option<String>,
}

/// Ends the session of an access or refresh token, and with it every token of the session, at once. The answer is the same
/// where the token is not valid, or its session has ended.
#[utoipa::path(
    post,
    path = "/oauth/revoke",
    operation_id = "revoke",
    tag = "auth",
    request_body(content = Revocation, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token is of no use, if ever it was."),
        (status = 400, description = "`invalid_request`", body = TokenError),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn revoke(
    Extract(state): Extract<State>,
    origin: Origin,
    form: Result<FormBody<Revocation>, Problem>,
) -> Result<impl IntoResponse, Refusal> {
    let FormBody(form) = form?;
    let token = form.token.ok_or_else(|| refused("invalid_request", "token is required"))?;
    state.limiter.admit(Limited::Credential, &origin, None).await?;
    let derivation = state.derivation.fresh().await.map_err(Problem::from)?;
    // A refresh token that was used up proves as much as its successor that the session is its bearer's to end.
    let session = match RefreshToken::decode(&token, &derivation) {
        Some(token) => Some((token.user_id, token.session_id)),
        None => state.authority.claims(&token).await?.ok().map(|claims| (claims.sub, claims.sid)),
    };
    if let Some((user_id, session_id)) = session {
        // It may have ended by itself.
        let _ended =
            state.accounts.take_session(user_id, session_id, None, state.clock.now()).await.map_err(Problem::from)?;
    }
    Ok(NoStore(()))
}
