use axum::{
    Json,
    extract::State as Extract,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use shared::{
    config,
    crypto::NOBODY,
    domain::{
        Device, DisplayName, EmailAddress, Invitation, NewAccount, NewPassword, PasswordRules, Plaintext, Plan, Role,
        Session, SessionTimes, Stay, Username,
    },
    http::{Code, Fields, JsonBody, Limited, NoStore, Origin, Problem, ProblemBody},
    store::{Created, MadeBy, StoredDocument},
    telemetry::{self, Metric},
};
use utoipa::ToSchema;

use super::{
    Done,
    login::{device_family, device_name},
    signed_in::SignedIn,
};
use crate::{State, hold};

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
        let rules =
            PasswordRules { require_mixed, email: email.as_ref(), name: name.as_ref(), username: username.as_ref() };
        let password = fields.take("password", NewPassword::parse(self.password, &rules));
        let (email, password) = fields.finish(email.zip(password))?;
        let password = password.into_plaintext();
        Ok(Parsed { email, username, name, password })
    }
}

/// Makes an account and opens its first session. A mail asks to verify the address; until then the session may do
/// little. With `REGISTRATION=private` there is no session, and the answer says nothing of the address.
#[utoipa::path(
    post,
    path = "/api/v1/auth/register",
    operation_id = "register",
    tag = "auth",
    request_body = Registration,
    responses(
        (status = 201, description = "The account is made.", body = SignedIn),
        (status = 202, description = "Private: what there is to do comes by mail.", body = Done),
        (status = 409, description = "`email_taken`, `username_taken`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn register(
    Extract(state): Extract<State>,
    origin: Origin,
    JsonBody(registration): JsonBody<Registration>,
) -> Result<Response, Problem> {
    let parsed = registration.parse(state.settings.password_require_mixed)?;
    state.limiter.admit(Limited::Register, &origin, Some(parsed.email.as_str())).await?;
    match state.settings.registration {
        config::Registration::Open => in_the_open(&state, origin, parsed).await,
        config::Registration::Private => hold::success(in_private(&state, origin, parsed)).await,
    }
}

async fn in_the_open(state: &State, origin: Origin, parsed: Parsed) -> Result<Response, Problem> {
    let now = state.clock.now();
    let session = Session {
        id: state.clock.new_id(),
        number: 0,
        times: SessionTimes::beginning(now, Stay::Remembered, state.settings.tokens.refresh_ttl),
        key: state.derivation.fresh().await?.current(),
        stay: Stay::Remembered,
    };
    let (account, device) = account(state, origin, parsed, Some(session.clone())).await?;
    match state.accounts.create(account.clone(), MadeBy::Owner(&device)).await? {
        Created::Made => {
            telemetry::count(Metric::SignUps);
            let signed_in = SignedIn::new(state, &account.into(), &StoredDocument::default(), &session).await?;
            Ok((StatusCode::CREATED, NoStore(Json(signed_in))).into_response())
        }
        Created::EmailTaken => Err(Problem::new(Code::EmailTaken, "Email already registered")),
        Created::UsernameTaken => Err(username_taken()),
    }
}

/// The same calls and the same words, whether or not the address has an account; its owner learns by mail.
async fn in_private(state: &State, origin: Origin, parsed: Parsed) -> Result<Response, Problem> {
    state.limiter.admit_named(Limited::Resend, parsed.email.as_str()).await?;
    let (account, device) = account(state, origin, parsed, None).await?;
    let (id, email, username, now) = (account.id, account.email.clone(), account.username.clone(), account.created_at);
    match state.accounts.create(account, MadeBy::Owner(&device)).await? {
        Created::Made => telemetry::count(Metric::SignUps),
        Created::EmailTaken => {}
        Created::UsernameTaken => return Err(username_taken()),
    }
    // Else the name would be free, as it is not behind a new address.
    if let Some(username) = username {
        state.accounts.hold_username(&username, now).await?;
    }
    let invitation = Invitation { id: state.clock.new_id(), end: now + Invitation::LIFETIME };
    state.accounts.tell_of_registration(&email, id, &invitation, NOBODY, now).await?;
    let done = Done::saying("Thank you. What there is to do now comes by mail.");
    Ok((StatusCode::ACCEPTED, NoStore(Json(done))).into_response())
}

fn username_taken() -> Problem {
    Problem::new(Code::UsernameTaken, "Username already taken")
}

async fn account(
    state: &State,
    origin: Origin,
    parsed: Parsed,
    session: Option<Session>,
) -> Result<(NewAccount, Device), Problem> {
    let device = Device::from(origin);
    let place = state.hasher.place().await?;
    let (password_hash, device_name) = tokio::join!(place.hash(parsed.password), device_name(&device));
    let id = state.clock.new_id();
    let account = NewAccount {
        id,
        email: parsed.email,
        username: parsed.username,
        name: parsed.name,
        password_hash: password_hash?,
        session,
        device_family: Some(device_family(state, id, &device_name).await?),
        role: Role::User,
        plan: Plan::Basic,
        invitation: None,
        created_at: state.clock.now(),
    };
    Ok((account, device))
}
