use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde::{Deserialize, Serialize};
use shared::{
    crypto::RefreshToken,
    domain::Account,
    http::{Code, JsonBody, Limited, NoStore, Origin, Problem, ProblemBody, note_user},
    store::{Refresh, Refreshed},
    telemetry::{self, Metric},
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::State;

/// A refresh token, to be exchanged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    refresh_token: String,
    /// Where it is given, the token must be of this session.
    refresh_token_id: Option<Uuid>,
}

/// The tokens of a session that goes on.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefreshedTokens {
    pub access_token: String,
    pub refresh_token: String,
    /// The session's id.
    pub refresh_token_id: Uuid,
    /// Always `bearer`.
    pub token_type: &'static str,
    /// Seconds that the access token is valid.
    pub expires_in: i64,
}

/// Exchanges a refresh token for its successor and a new access token. The same token again within ten seconds gets the
/// same successor; later, it ends the session.
#[utoipa::path(
    post,
    path = "/api/v1/auth/refresh",
    operation_id = "refresh",
    tag = "auth",
    request_body = Exchange,
    responses(
        (status = 200, description = "The session goes on.", body = RefreshedTokens),
        (status = 401, description = "`invalid_refresh_token`, `refresh_token_reused`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn refresh(
    Extract(state): Extract<State>,
    origin: Origin,
    JsonBody(exchange): JsonBody<Exchange>,
) -> Result<impl IntoResponse, Problem> {
    state.limiter.admit(Limited::Credential, &origin, None).await?;
    let (_, tokens) = exchange_token(&state, &exchange.refresh_token, exchange.refresh_token_id).await?;
    Ok(NoStore(Json(tokens)))
}

/// Exchanges a refresh token, for every door that takes one.
pub(super) async fn exchange_token(
    state: &State,
    text: &str,
    session: Option<Uuid>,
) -> Result<(Account, RefreshedTokens), Problem> {
    let invalid = || Problem::new(Code::InvalidRefreshToken, "The refresh token is not valid.");
    let (derivation, signer) = (state.derivation.fresh().await?, state.signer.fresh().await?);
    let token = RefreshToken::decode(text, &derivation)
        .filter(|token| session.is_none_or(|session| session == token.session_id))
        .ok_or_else(invalid)?;
    note_user(token.user_id);
    let now = state.clock.now();
    let refresh = Refresh {
        user_id: token.user_id,
        session_id: token.session_id,
        number: token.number,
        next_key: derivation.current(),
        idle_end: now + token.stay.idle(state.settings.tokens.refresh_ttl),
        require_verified: state.settings.require_verified_email,
        now,
    };
    let account = match state.accounts.refresh(&refresh).await? {
        Refreshed::Yes(account) => account,
        Refreshed::No => return Err(invalid()),
        Refreshed::Reused => {
            telemetry::count(Metric::RefreshReuses);
            return Err(Problem::new(
                Code::RefreshTokenReused,
                "The refresh token was used before. The session has ended.",
            ));
        }
        Refreshed::Unverified => return Err(Problem::new(Code::EmailNotVerified, "Email not verified")),
    };
    let session = account.live_session(token.session_id, now).ok_or_else(invalid)?;
    let access = signer.sign(&account, session.id, now)?;
    let successor = RefreshToken::of(account.id, session).encode(&derivation).ok_or_else(invalid)?;
    let tokens = RefreshedTokens {
        access_token: access.text,
        refresh_token: successor,
        refresh_token_id: session.id,
        token_type: "bearer",
        expires_in: access.expires_in.num_seconds(),
    };
    Ok((*account, tokens))
}
