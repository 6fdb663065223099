use std::error::Error;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use serde::Serialize;
use utoipa::ToSchema;

use super::layers::RequestId;
use crate::{
    aws::reason,
    crypto::{AccessTokenError, HashError, KeyError, SecretError},
    objects::ObjectError,
    store::StoreError,
};

macro_rules! codes {
    ($($name:ident, $word:literal, $status:ident, $documentation:literal;)*) => {
        /// The stable word of every problem. Clients decide by it, never by the text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        #[schema(as = ProblemCode)]
        pub enum Code {
            $(#[doc = $documentation] $name,)*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// The status it is answered with.
            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)*
                }
            }
        }
    };
}

codes! {
    MalformedBody, "malformed_body", BAD_REQUEST, "the body is no JSON, or cannot be read";
    InvalidVerificationToken, "invalid_verification_token", BAD_REQUEST, "the verification link is not valid, or its time is over";
    AuthenticationRequired, "authentication_required", UNAUTHORIZED, "no access token was sent";
    InvalidToken, "invalid_token", UNAUTHORIZED, "the access token is not valid";
    TokenExpired, "token_expired", UNAUTHORIZED, "the access token has expired";
    SessionEnded, "session_ended", UNAUTHORIZED, "the session has ended";
    InvalidCredentials, "invalid_credentials", UNAUTHORIZED, "the address or the password is wrong";
    InvalidRefreshToken, "invalid_refresh_token", UNAUTHORIZED, "the refresh token is not valid, or its session has ended";
    RefreshTokenReused, "refresh_token_reused", UNAUTHORIZED, "the refresh token was used before; its session is ended";
    InvalidResetCode, "invalid_reset_code", UNAUTHORIZED, "the code or the link of the reset is not valid, or used up";
    EmailNotVerified, "email_not_verified", FORBIDDEN, "the address must be verified first";
    AccountLocked, "account_locked", FORBIDDEN, "three wrong passwords in a row; see `Retry-After`";
    AccountDisabled, "account_disabled", FORBIDDEN, "an admin disabled the account";
    Forbidden, "forbidden", FORBIDDEN, "the caller may not do this";
    PremiumRequired, "premium_required", FORBIDDEN, "this is for premium accounts";
    NotFound, "not_found", NOT_FOUND, "nothing is there";
    MethodNotAllowed, "method_not_allowed", METHOD_NOT_ALLOWED, "the path does not take this method; see `Allow`";
    EmailTaken, "email_taken", CONFLICT, "the address has an account";
    UsernameTaken, "username_taken", CONFLICT, "the username has an account";
    PlanUnchanged, "plan_unchanged", CONFLICT, "the account has that plan already";
    LastAdmin, "last_admin", CONFLICT, "there would be no admin left";
    BodyTooLarge, "body_too_large", PAYLOAD_TOO_LARGE, "the body is larger than this path takes";
    UnsupportedMediaType, "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "the body's content type is not one that this path takes";
    InvalidImage, "invalid_image", UNPROCESSABLE_ENTITY, "the picture is broken, or larger than is taken";
    ValidationFailed, "validation_failed", UNPROCESSABLE_ENTITY, "a field is missing, unknown or not valid; see `errors`";
    IdempotencyKeyReused, "idempotency_key_reused", UNPROCESSABLE_ENTITY, "the key was sent with another body before";
    TooManyRequests, "too_many_requests", TOO_MANY_REQUESTS, "try again after `Retry-After` seconds";
    InternalError, "internal_error", INTERNAL_SERVER_ERROR, "the service failed; the log has the reason";
    Unavailable, "unavailable", SERVICE_UNAVAILABLE, "the service cannot answer now; see `Retry-After`";
}

/// One field that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field's name, a path with dots where it lies deeper.
    pub field: String,
    /// Why, in words for a person.
    pub message: String,
}

/// The body of a problem (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Always `about:blank`: `code` tells problems apart.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened, in words for a person.
    detail: String,
    code: Code,
    /// The id under which the log has this request.
    request_id: String,
    /// The fields that were refused, with `validation_failed` alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// What a request ends with when it fails: what the client is told, and apart from that what the operator is told.
#[derive(Debug)]
pub struct Problem {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    retry_after: Option<u64>,
    source: Option<String>,
}

impl Problem {
    /// A problem with words for the client.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), errors: Vec::new(), retry_after: None, source: None }
    }

    /// Fields that were refused.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self { errors, ..Self::new(Code::ValidationFailed, "The request has fields that are not valid.") }
    }

    /// A failure of ours: the client learns that there was one, the log its reason.
    pub fn internal(source: &(dyn Error + 'static)) -> Self {
        Self { source: Some(reason(source)), ..Self::new(Code::InternalError, "Something went wrong on our side.") }
    }

    /// Says when to try again, in whole seconds, at least one.
    #[must_use]
    pub fn retry_after(mut self, wait: TimeDelta) -> Self {
        self.retry_after = Some(wait.as_seconds_f64().ceil().max(1.0) as u64);
        self
    }

    /// What the operator is told of it.
    pub fn reason(&self) -> &str {
        self.source.as_deref().unwrap_or(&self.detail)
    }

    /// A handler that panicked, at that place of the code.
    pub(super) fn panicked(place: String) -> Self {
        Self {
            source: Some(format!("panicked at {place}")),
            ..Self::new(Code::InternalError, "Something went wrong on our side.")
        }
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The fields that were refused.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// What the client is told.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// When to try again, in seconds.
    pub fn retry_after_seconds(&self) -> Option<i64> {
        self.retry_after.and_then(|seconds| i64::try_from(seconds).ok())
    }

    /// A page in place of the problem's JSON: with the status, the headers and the word in the log that the problem has.
    pub fn shown_as(self, page: impl IntoResponse) -> Response {
        let (mut own, _) = self.into_response().into_parts();
        let mut page = page.into_response();
        *page.status_mut() = own.status;
        for name in [header::WWW_AUTHENTICATE, header::RETRY_AFTER] {
            page.headers_mut().extend(own.headers.remove(&name).map(|value| (name, value)));
        }
        page.extensions_mut().extend(own.extensions);
        page
    }

    fn challenge(&self) -> Option<&'static str> {
        match self.code {
            Code::AuthenticationRequired => Some("Bearer"),
            Code::InvalidToken => {
                Some(r#"Bearer error="invalid_token", error_description="The access token is not valid""#)
            }
            Code::TokenExpired => {
                Some(r#"Bearer error="invalid_token", error_description="The access token has expired""#)
            }
            Code::SessionEnded => Some(r#"Bearer error="invalid_token", error_description="The session has ended""#),
            code if code.status() == StatusCode::UNAUTHORIZED => Some("Bearer"),
            _ => None,
        }
    }
}

/// Has the log say what a request was refused for whose answer is no problem.
pub fn log_refusal(response: &mut Response, code: Code) {
    response.extensions_mut().insert(Failure { code, source: None });
}

/// What the log says of a failed request, carried to the boundary that logs it once.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub code: Code,
    pub source: Option<String>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let body = ProblemBody {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: self.detail.clone(),
            code: self.code,
            request_id: RequestId::current(),
            errors: self.errors.clone(),
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge() {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(Failure { code: self.code, source: self.source });
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Throttled(_) | StoreError::Unavailable(_) | StoreError::Contended => {
                let told = Self::new(Code::Unavailable, "The service cannot answer now. Please try again.");
                Self { source: Some(reason(&error)), ..told.retry_after(TimeDelta::seconds(1)) }
            }
            StoreError::NotAllowed => Self::new(Code::Forbidden, "This is not yours to see or change."),
            StoreError::Refused(_) | StoreError::Damaged { .. } => Self::internal(&error),
        }
    }
}

impl From<ObjectError> for Problem {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Unavailable(_) => {
                let told = Self::new(Code::Unavailable, "The service cannot answer now. Please try again.");
                Self { source: Some(reason(&error)), ..told.retry_after(TimeDelta::seconds(1)) }
            }
            ObjectError::Refused(_) => Self::internal(&error),
        }
    }
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        Self::internal(&error)
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        Self::internal(&error)
    }
}

/// Keys that were read when the function started, and cannot be read again.
impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        let told = Self::new(Code::Unavailable, "The service cannot answer now. Please try again.");
        Self { source: Some(reason(&error)), ..told.retry_after(TimeDelta::seconds(5)) }
    }
}

impl From<AccessTokenError> for Problem {
    fn from(error: AccessTokenError) -> Self {
        let code = match error {
            AccessTokenError::Invalid | AccessTokenError::UnknownKey => Code::InvalidToken,
            AccessTokenError::Expired => Code::TokenExpired,
        };
        Self::new(code, error.to_string())
    }
}

/// Answers 404 as a problem. Extracts nothing, so that it fits as a fallback everywhere.
pub(super) async fn not_found() -> Problem {
    Problem::new(Code::NotFound, "There is nothing at this path.")
}

/// Answers 405 as a problem; axum adds `Allow`.
pub(super) async fn method_not_allowed() -> Problem {
    Problem::new(Code::MethodNotAllowed, "This path does not take this method.")
}
