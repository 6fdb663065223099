use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde::Deserialize;
use shared::{
    domain::{Identifier, Plaintext, Session, SessionTimes, Stay},
    http::{Code, Fields, Guess, JsonBody, NoStore, Origin, Problem, ProblemBody},
    store::{Finished, GuessKey, Login, Reservation},
};
use utoipa::ToSchema;

use super::signed_in::SignedIn;
use crate::State;

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Address or username.
    #[schema(example = "alice@example.com")]
    email: String,
    #[schema(example = "SecurePass123!")]
    password: String,
    /// `false`: the session ends after 24 hours without use.
    remember_me: Option<bool>,
}

impl Credentials {
    fn parse(self) -> Result<(Identifier, Plaintext, Stay), Problem> {
        let mut fields = Fields::default();
        let identifier = fields.take("email", Identifier::parse(&self.email));
        let password = fields.take("password", Plaintext::parse(self.password));
        let (identifier, password) = fields.finish(identifier.zip(password))?;
        Ok((identifier, password, Stay::remembering(self.remember_me.unwrap_or(true))))
    }
}

/// Opens a session. Three wrong passwords in a row lock the account for 15 minutes, whether or not it exists.
#[utoipa::path(
    post,
    path = "/api/v1/auth/login",
    operation_id = "login",
    tag = "auth",
    request_body = Credentials,
    responses(
        (status = 200, description = "Signed in.", body = SignedIn),
        (status = 401, description = "`invalid_credentials`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`, `account_locked`, `account_disabled`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn login(
    Extract(state): Extract<State>,
    origin: Origin,
    JsonBody(credentials): JsonBody<Credentials>,
) -> Result<impl IntoResponse, Problem> {
    let (identifier, password, stay) = credentials.parse()?;
    let user = state.accounts.find_user(&identifier).await?;
    let key =
        user.map_or_else(|| GuessKey::Ghost(state.derivation.lookup("ghost", identifier.as_str())), GuessKey::Account);
    let reservation = match state.door.compare(key, password).await? {
        Guess::Right(reservation) => reservation,
        Guess::Wrong | Guess::Gone => return Err(wrong()),
    };
    admit(&state, &reservation).await?;
    open_session(&state, &reservation, origin, stay).await.map(|signed_in| NoStore(Json(signed_in)))
}

fn wrong() -> Problem {
    Problem::new(Code::InvalidCredentials, "Invalid credentials")
}

/// What is said only after a right password: that the account is disabled, or its address not verified.
async fn admit(state: &State, reservation: &Reservation) -> Result<(), Problem> {
    let account = reservation.account.as_ref().ok_or_else(wrong)?;
    let refusal = if !account.active {
        Problem::new(Code::AccountDisabled, "Account is disabled")
    } else if state.settings.require_verified_email && !account.verified {
        Problem::new(Code::EmailNotVerified, "Email not verified")
    } else {
        return Ok(());
    };
    state.accounts.settle_right(reservation, state.clock.now()).await?;
    Err(refusal)
}

async fn open_session(
    state: &State,
    reservation: &Reservation,
    origin: Origin,
    stay: Stay,
) -> Result<SignedIn, Problem> {
    let account = reservation.account.as_ref().ok_or_else(wrong)?;
    let now = state.clock.now();
    let session = Session {
        id: state.clock.new_id(),
        number: 0,
        times: SessionTimes::beginning(now, stay, state.settings.tokens.refresh_ttl),
        key: state.derivation.current(),
        stay,
    };
    let cap = state.settings.max_active_sessions;
    let login = Login { session: &session, device: &origin.into(), cap, now };
    match state.accounts.finish_login(reservation, account, &login).await? {
        Finished::SignedIn(account) => SignedIn::new(state, &account, &session),
        Finished::Overtaken => Err(wrong()),
    }
}
