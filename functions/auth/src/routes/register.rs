use axum::{Json, extract::State as Extract, http::StatusCode, response::IntoResponse};
use chrono::TimeDelta;
use serde::Deserialize;
use shared::{
    domain::{
        DisplayName, EmailAddress, NewAccount, NewPassword, PasswordRules, Plaintext, Session, SessionTimes, Stay,
        Username, Verification,
    },
    http::{Code, Fields, JsonBody, NoStore, Origin, Problem, ProblemBody},
    store::Created,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::signed_in::SignedIn;
use crate::State;

/// How long a verification link lives.
pub(super) const VERIFICATION_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// Who registers. `full_name` and `display_name` are other words for `name`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    #[schema(example = "alice@example.com")]
    email: String,
    /// 8 to 128 characters, none of the common ones.
    #[schema(example = "SecurePass123!")]
    password: String,
    #[schema(example = "Alice")]
    name: Option<String>,
    full_name: Option<String>,
    display_name: Option<String>,
    /// 3 to 50 of `A-Z a-z 0-9 _ -`.
    username: Option<String>,
    /// The same as `password`, where it is given.
    confirm_password: Option<String>,
}

/// A registration whose every field is right.
struct Parsed {
    email: EmailAddress,
    username: Option<Username>,
    name: Option<DisplayName>,
    password: Plaintext,
}

impl Registration {
    fn parse(self, require_mixed: bool) -> Result<Parsed, Problem> {
        let mut fields = Fields::default();
        let email = fields.take("email", EmailAddress::parse(&self.email));
        let username = self.username.and_then(|username| fields.take("username", Username::parse(&username)));
        let names = [("name", self.name), ("full_name", self.full_name), ("display_name", self.display_name)];
        let named = names.into_iter().find_map(|(field, name)| Some((field, name?)));
        let name = named.and_then(|(field, name)| fields.take(field, DisplayName::parse(&name)));
        if self.confirm_password.is_some_and(|confirmation| confirmation != self.password) {
            fields.refuse("confirm_password", "must be the same as the password");
        }
        let Some(email) = email else { return fields.finish(None) };
        let rules = PasswordRules { require_mixed, email: &email, name: name.as_ref(), username: username.as_ref() };
        let password = fields.take("password", NewPassword::parse(self.password, &rules));
        let password = fields.finish(password)?.into_plaintext();
        Ok(Parsed { email, username, name, password })
    }
}

/// Makes an account and opens its first session. A mail asks to verify the address; until then the session may do
/// little.
#[utoipa::path(
    post,
    path = "/api/v1/auth/register",
    operation_id = "register",
    tag = "auth",
    request_body = Registration,
    responses(
        (status = 201, description = "The account is made.", body = SignedIn),
        (status = 409, description = "`email_taken`, `username_taken`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn register(
    Extract(state): Extract<State>,
    origin: Origin,
    JsonBody(registration): JsonBody<Registration>,
) -> Result<impl IntoResponse, Problem> {
    let parsed = registration.parse(state.settings.password_require_mixed)?;
    let password_hash = state.hasher.place().await?.hash(parsed.password).await?;
    let now = state.clock.now();
    let key = state.derivation.current();
    let session = Session {
        id: state.clock.new_id(),
        number: 0,
        times: SessionTimes::beginning(now, Stay::Remembered, state.settings.tokens.refresh_ttl),
        key,
        stay: Stay::Remembered,
    };
    let account = NewAccount {
        id: state.clock.new_id(),
        email: parsed.email,
        username: parsed.username,
        name: parsed.name,
        password_hash,
        verification: Verification { id: Uuid::new_v4(), end: now + VERIFICATION_LIFETIME, key },
        session: session.clone(),
        created_at: now,
    };
    match state.accounts.create(account.clone(), &origin.into()).await? {
        Created::Made => Ok((StatusCode::CREATED, NoStore(Json(SignedIn::new(&state, &account.into(), &session)?)))),
        Created::EmailTaken => Err(Problem::new(Code::EmailTaken, "Email already registered")),
        Created::UsernameTaken => Err(Problem::new(Code::UsernameTaken, "Username already taken")),
    }
}
