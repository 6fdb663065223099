use axum::{
    Json,
    extract::State as Extract,
    http::{HeaderMap, header},
    response::IntoResponse,
};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use shared::{
    crypto::{Claims, RefreshToken},
    domain::Account,
    http::{FormBody, Limited, NoStore, Origin, Problem, ProblemBody},
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::token::{Refusal, TokenError, refused};
use crate::State;

/// An introspection request (RFC 7662 §2.1). Fields that are not known are ignored.
#[derive(Deserialize, ToSchema)]
pub struct Introspection {
    /// An access token or a refresh token.
    token: Option<String>,
    /// With `client_secret`, where the request has no `Authorization: Basic`.
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// What a token says as of now (RFC 7662 §2.2): role, plan and scope are the account's own, whatever they were when the
/// token was signed. `active` alone where it is not valid, for whichever reason.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Introspected {
    active: bool,
    /// `Bearer` or `refresh_token`.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// Seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    /// This and what follows: of access tokens alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<Uuid>,
}

/// Tells a service that has a secret whether a token counts, as of now.
#[utoipa::path(
    post,
    path = "/oauth/introspect",
    operation_id = "introspect",
    tag = "auth",
    security(("client" = [])),
    request_body(content = Introspection, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "Whether the token is active, and what it says.", body = Introspected),
        (status = 400, description = "`invalid_request`", body = TokenError),
        (status = 401, description = "`invalid_client`", body = TokenError),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn introspect(
    Extract(state): Extract<State>,
    origin: Origin,
    headers: HeaderMap,
    form: Result<FormBody<Introspection>, Problem>,
) -> Result<impl IntoResponse, Refusal> {
    let FormBody(form) = form?;
    let (id, secret) = match (basic(&headers), form.client_id, form.client_secret) {
        (Some(_), _, Some(_)) => return Err(refused("invalid_request", "A client authenticates in one way.")),
        (Some((id, _)), Some(other), None) if id != other => {
            return Err(refused("invalid_request", "A client has one id."));
        }
        (Some(client), ..) => client,
        (None, Some(id), Some(secret)) => (id, secret),
        _ => return Err(unknown_client()),
    };
    if !state.clients.fresh().await.map_err(Problem::from)?.admit(&id, &secret) {
        state.limiter.admit(Limited::Credential, &origin, None).await?;
        return Err(unknown_client());
    }
    let token = form.token.ok_or_else(|| refused("invalid_request", "token is required"))?;
    let told = match state.authority.inspect(&token).await? {
        Some((claims, account)) => Some(Introspected::of_access(&state, claims, &account)),
        None => refresh_token(&state, &token).await?,
    };
    Ok(NoStore(Json(told.unwrap_or_default())))
}

/// The refresh token that is the live one of a live session.
async fn refresh_token(state: &State, text: &str) -> Result<Option<Introspected>, Problem> {
    let Some(token) = RefreshToken::decode(text, &state.derivation.fresh().await?) else { return Ok(None) };
    let Some(account) = state.accounts.find(token.user_id).await?.filter(|account| account.active) else {
        return Ok(None);
    };
    let usable = account.verified || !state.settings.require_verified_email;
    let session = account.live_session(token.session_id, state.clock.now()).filter(|_| usable);
    let session = session.filter(|session| (session.number, session.key) == (token.number, token.key));
    Ok(session.map(|session| Introspected::of(state, &account, session.id, session.times.end().timestamp())))
}

impl Introspected {
    fn of_access(state: &State, claims: Claims, account: &Account) -> Self {
        Self {
            token_type: Some("Bearer"),
            aud: Some(claims.aud),
            iat: Some(claims.iat),
            nbf: Some(claims.nbf),
            jti: Some(claims.jti),
            ..Self::of(state, account, claims.sid, claims.exp)
        }
    }

    /// A refresh token, which says no more than this.
    fn of(state: &State, account: &Account, sid: Uuid, exp: i64) -> Self {
        let tokens = &state.settings.tokens;
        Self {
            active: true,
            token_type: Some("refresh_token"),
            sub: Some(account.id),
            sid: Some(sid),
            client_id: Some(tokens.audience.clone()),
            username: Some(account.email.as_str().to_owned()),
            email: Some(account.email.as_str().to_owned()),
            email_verified: Some(account.verified),
            name: account.name.as_ref().map(|name| name.as_str().to_owned()),
            role: Some(account.role.as_str()),
            plan: Some(account.plan.as_str()),
            scope: Some(account.scope(tokens.require_verified_email)),
            exp: Some(exp),
            iss: Some(tokens.issuer.clone()),
            ..Self::default()
        }
    }
}

/// Client id and secret as RFC 6749 §2.3.1 sends them.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded = BASE64.decode(encoded.trim().as_bytes()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let (id, secret) =
        String::from_utf8(decoded).ok()?.split_once(':').map(|(id, secret)| (decode(id), decode(secret)))?;
    Some((id, secret))
}

/// Undoes the form encoding of one value.
fn decode(value: &str) -> String {
    form_urlencoded::parse(format!("v={value}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn unknown_client() -> Refusal {
    Refusal::unknown_client("The client is not known, or its secret is wrong.")
}
