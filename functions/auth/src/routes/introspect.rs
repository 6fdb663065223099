use axum::{
    Form, Json,
    extract::{FromRequest, Request, State as Extract},
    http::{HeaderMap, header},
    response::IntoResponse,
};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use shared::{
    crypto::{Claims, RefreshToken},
    domain::Account,
    http::{Limited, NoStore, Origin, Problem, ProblemBody},
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
    #[serde(flatten)]
    token: Option<ActiveToken>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveToken {
    /// `Bearer` or `refresh_token`.
    token_type: &'static str,
    sub: Uuid,
    sid: Uuid,
    client_id: String,
    username: String,
    email: String,
    email_verified: bool,
    name: Option<String>,
    role: &'static str,
    plan: &'static str,
    scope: String,
    /// Seconds since 1970.
    exp: i64,
    iss: String,
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
    request: Request,
) -> Result<impl IntoResponse, Refusal> {
    let basic = basic(request.headers());
    let form = Form::<Introspection>::from_request(request, &state).await;
    let Form(form) = form.map_err(|_| refused("invalid_request", "The body must be a form."))?;
    let (id, secret) = match (basic, form.client_id, form.client_secret) {
        (Some(_), _, Some(_)) => return Err(refused("invalid_request", "A client authenticates in one way.")),
        (Some(client), ..) => client,
        (None, Some(id), Some(secret)) => (id, secret),
        _ => return Err(unknown_client()),
    };
    if !state.clients.fresh().await.map_err(Problem::from)?.admit(&id, &secret) {
        state.limiter.admit(Limited::Credential, &origin, None).await?;
        return Err(unknown_client());
    }
    let token = form.token.ok_or_else(|| refused("invalid_request", "token is required"))?;
    let token = match state.authority.inspect(&token).await? {
        Some((claims, account)) => Some(ActiveToken::of_access(&state, claims, &account)),
        None => refresh_token(&state, &token).await?,
    };
    Ok(NoStore(Json(Introspected { active: token.is_some(), token })))
}

/// The refresh token that is the live one of a live session.
async fn refresh_token(state: &State, text: &str) -> Result<Option<ActiveToken>, Problem> {
    let Some(token) = RefreshToken::decode(text, &state.derivation.fresh().await?) else { return Ok(None) };
    let Some(account) = state.accounts.find(token.user_id).await?.filter(|account| account.active) else {
        return Ok(None);
    };
    let usable = account.verified || !state.settings.require_verified_email;
    let session = account.live_session(token.session_id, state.clock.now()).filter(|_| usable);
    let session = session.filter(|session| (session.number, session.key) == (token.number, token.key));
    Ok(session.map(|session| ActiveToken::of(state, &account, session.id, session.times.end().timestamp())))
}

impl ActiveToken {
    fn of_access(state: &State, claims: Claims, account: &Account) -> Self {
        Self {
            token_type: "Bearer",
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
            token_type: "refresh_token",
            sub: account.id,
            sid,
            client_id: tokens.audience.clone(),
            username: account.email.as_str().to_owned(),
            email: account.email.as_str().to_owned(),
            email_verified: account.verified,
            name: account.name.as_ref().map(|name| name.as_str().to_owned()),
            role: account.role.as_str(),
            plan: account.plan.as_str(),
            scope: account.scope(tokens.require_verified_email),
            exp,
            iss: tokens.issuer.clone(),
            aud: None,
            iat: None,
            nbf: None,
            jti: None,
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
