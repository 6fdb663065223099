use axum::{
    Json,
    extract::State as Extract,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use shared::{
    domain::{Identifier, Invalid, Plaintext, Stay},
    http::{Code, FormBody, Limited, NoStore, Origin, Problem, ProblemBody, log_refusal},
};
use utoipa::ToSchema;

use super::{login::sign_in, refresh::exchange_token};
use crate::State;

/// A token request (RFC 6749 §4.3.2 and §6). Fields that are not known are ignored.
#[derive(Deserialize, ToSchema)]
pub struct TokenRequest {
    /// `password` (or none) or `refresh_token`.
    grant_type: Option<String>,
    /// Address or username.
    username: Option<String>,
    password: Option<String>,
    refresh_token: Option<String>,
}

/// An access token response (RFC 6749 §5.1).
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenAnswer {
    access_token: String,
    /// Always `bearer`.
    token_type: &'static str,
    expires_in: i64,
    refresh_token: String,
    scope: String,
}

/// An error response (RFC 6749 §5.2), with our `code` where there is one.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenError {
    error: &'static str,
    error_description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    #[serde(skip)]
    logged: Option<Code>,
}

/// What a token request ends with when it fails.
pub enum Refusal {
    OAuth(StatusCode, TokenError, Option<i64>),
    Problem(Problem),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let challenge = if matches!(&self, Self::OAuth(_, TokenError { error: "invalid_client", .. }, _)) {
            r#"Basic realm="oauth""#
        } else {
            "Bearer"
        };
        let (status, error, retry_after) = match self {
            Self::Problem(problem) => return problem.into_response(),
            Self::OAuth(status, error, retry_after) => (status, error, retry_after),
        };
        let logged = error.logged;
        let mut response = NoStore((status, Json(error))).into_response();
        if let Some(code) = logged {
            log_refusal(&mut response, code);
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl Refusal {
    /// A client that is not who it says (RFC 6749 §5.2).
    pub fn unknown_client(description: &str) -> Self {
        let error =
            TokenError { error: "invalid_client", error_description: description.to_owned(), code: None, logged: None };
        Self::OAuth(StatusCode::UNAUTHORIZED, error, None)
    }
}

/// Failures of ours stay problems; what the grant is refused for is told as RFC 6749 says.
impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        let status = match problem.code() {
            Code::InvalidCredentials => StatusCode::UNAUTHORIZED,
            Code::AccountLocked | Code::EmailNotVerified | Code::AccountDisabled => StatusCode::FORBIDDEN,
            Code::InvalidRefreshToken | Code::RefreshTokenReused => StatusCode::BAD_REQUEST,
            Code::MalformedBody => return refused("invalid_request", problem.detail()),
            _ => return Self::Problem(problem),
        };
        let code = (status != StatusCode::UNAUTHORIZED).then(|| problem.code());
        let error_description = problem.detail().to_owned();
        let error = TokenError { error: "invalid_grant", error_description, code, logged: Some(problem.code()) };
        Self::OAuth(status, error, problem.retry_after_seconds())
    }
}

pub(super) fn refused(error: &'static str, description: impl Into<String>) -> Refusal {
    Refusal::OAuth(
        StatusCode::BAD_REQUEST,
        TokenError { error, error_description: description.into(), code: None, logged: None },
        None,
    )
}

fn field<T>(name: &str, value: Option<String>, parse: impl FnOnce(String) -> Result<T, Invalid>) -> Result<T, Refusal> {
    let value = value.ok_or_else(|| refused("invalid_request", format!("{name} is required")))?;
    parse(value).map_err(|invalid| refused("invalid_request", format!("{name} {invalid}")))
}

/// Signs in with username and password, or goes on with a refresh token, in the form of OAuth 2.0.
#[utoipa::path(
    post,
    path = "/api/v1/auth/token",
    operation_id = "token",
    tag = "auth",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The tokens.", body = TokenAnswer),
        (status = 400, description = "`invalid_request`, `unsupported_grant_type`, `invalid_grant`", body = TokenError),
        (status = 401, description = "`invalid_grant`", body = TokenError),
        (status = 403, description = "`invalid_grant`", body = TokenError),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn token(
    Extract(state): Extract<State>,
    origin: Origin,
    form: Result<FormBody<TokenRequest>, Problem>,
) -> Result<impl IntoResponse, Refusal> {
    let FormBody(request) = form?;
    let answer = match request.grant_type.as_deref() {
        None | Some("password") => {
            let identifier = field("username", request.username, |username| Identifier::parse(&username))?;
            let password = field("password", request.password, Plaintext::parse)?;
            let signed_in = sign_in(&state, origin, identifier, password, Stay::Remembered).await?;
            TokenAnswer {
                access_token: signed_in.access_token,
                token_type: signed_in.token_type,
                expires_in: signed_in.expires_in,
                refresh_token: signed_in.refresh_token,
                scope: signed_in.scope,
            }
        }
        Some("refresh_token") => {
            let token = field("refresh_token", request.refresh_token, Ok)?;
            state.limiter.admit(Limited::Credential, &origin, None).await?;
            let (account, tokens) = exchange_token(&state, &token, None).await?;
            TokenAnswer {
                access_token: tokens.access_token,
                token_type: tokens.token_type,
                expires_in: tokens.expires_in,
                refresh_token: tokens.refresh_token,
                scope: account.scope(state.settings.tokens.require_verified_email),
            }
        }
        Some(_) => return Err(refused("unsupported_grant_type", "The grant type is not supported.")),
    };
    Ok(NoStore(Json(answer)))
}
