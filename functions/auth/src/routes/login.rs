use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde::Deserialize;
use shared::{
    config,
    domain::{Account, Device, Identifier, Plaintext, Session, SessionTimes, Stay},
    http::{
        Code, Fields, Guess, JsonBody, Limited, NoStore, Origin, Problem, ProblemBody, RightGuess, locked, note_user,
    },
    store::{DocumentKind, Finished, GuessKey, Login},
    telemetry::{self, Metric},
};
use tokio::task::yield_now;
use utoipa::ToSchema;
use uuid::Uuid;

use super::signed_in::SignedIn;
use crate::{State, hold};

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

/// Opens a session. Three wrong passwords in a row lock the account for 15 minutes, whether or not it exists. With
/// `REGISTRATION=private` there is none before its address is verified.
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
    sign_in(&state, origin, identifier, password, stay).await.map(|signed_in| NoStore(Json(signed_in)))
}

/// Signs in, for every door that takes an identifier and a password.
pub(super) async fn sign_in(
    state: &State,
    origin: Origin,
    identifier: Identifier,
    password: Plaintext,
    stay: Stay,
) -> Result<SignedIn, Problem> {
    let outcome = hold::refusal(try_to_sign_in(state, origin, identifier, password, stay)).await;
    let metric = match outcome.as_ref().map_err(Problem::code) {
        Ok(_) => Some(Metric::LoginsSucceeded),
        Err(Code::InvalidCredentials) => Some(Metric::LoginsRefused),
        Err(Code::AccountLocked) => Some(Metric::LoginsLocked),
        Err(Code::EmailNotVerified) => Some(Metric::LoginsUnverified),
        Err(Code::AccountDisabled) => Some(Metric::LoginsDisabled),
        Err(_) => None,
    };
    if let Some(metric) = metric {
        // Where nobody gets in, that is told by zeros: what is not told cannot be computed with.
        for outcome in [Metric::LoginsSucceeded, Metric::LoginsRefused, Metric::LoginsLocked] {
            telemetry::add(outcome, 0.0);
        }
        telemetry::count(metric);
    }
    outcome
}

async fn try_to_sign_in(
    state: &State,
    origin: Origin,
    identifier: Identifier,
    password: Plaintext,
    stay: Stay,
) -> Result<SignedIn, Problem> {
    state.limiter.admit(Limited::Login, &origin, Some(identifier.as_str())).await?;
    let user = find_user(state, &identifier).await?;
    user.into_iter().for_each(note_user);
    let derivation = state.derivation.fresh().await?;
    let key = user.map_or_else(|| GuessKey::Ghost(derivation.lookup("ghost", identifier.as_str())), GuessKey::Account);
    let device = Device::from(origin);
    for _ in 0..COMPARISONS {
        let (guess, name) = tokio::join!(state.door.compare(key.clone(), password.clone()), device_name(&device));
        let right = match guess? {
            Guess::Right(right) => right,
            Guess::Wrong | Guess::Gone => return Err(wrong()),
        };
        if let Some(refusal) = refusal(state, &right.account) {
            state.accounts.settle_right(&right.reservation, state.clock.now()).await?;
            return Err(refusal);
        }
        if let Some(signed_in) = open_session(state, &right, &device, &name, stay).await? {
            return Ok(signed_in);
        }
    }
    Err(wrong())
}

/// Whom an identifier signs in. Where registering is private, nobody before they verified their address: a stranger who registered
/// it would learn from their own password that it had no account, and from a lock that went away.
async fn find_user(state: &State, identifier: &Identifier) -> Result<Option<Uuid>, Problem> {
    let claimant = state.accounts.find_user(identifier).await?;
    if state.settings.registration == config::Registration::Open {
        return Ok(claimant);
    }
    // Behind an identifier that nobody has the same call is made.
    let account = state.accounts.find(claimant.unwrap_or_else(Uuid::new_v4)).await?;
    Ok(account.filter(Account::was_ever_verified).map(|account| account.id))
}

/// Comparisons of one login: a further one where the hash was another by the time that the first was done, because the
/// password was changed, or only its outdated hash was replaced.
const COMPARISONS: usize = 2;

fn wrong() -> Problem {
    Problem::new(Code::InvalidCredentials, "Invalid credentials")
}

fn disabled() -> Problem {
    Problem::new(Code::AccountDisabled, "Account is disabled")
}

/// What is said only after a right password: that the account is disabled, or its address not verified.
fn refusal(state: &State, account: &Account) -> Option<Problem> {
    if !account.active {
        return Some(disabled());
    }
    let unverified = state.settings.require_verified_email && !account.verified;
    unverified.then(|| Problem::new(Code::EmailNotVerified, "Email not verified"))
}

/// Nothing where the hash is another one by now.
async fn open_session(
    state: &State,
    right: &RightGuess,
    device: &Device,
    device_name: &str,
    stay: Stay,
) -> Result<Option<SignedIn>, Problem> {
    let RightGuess { reservation, account, new_hash } = right;
    let now = state.clock.now();
    let session = Session {
        id: state.clock.new_id(),
        number: 0,
        times: SessionTimes::beginning(now, stay, state.settings.tokens.refresh_ttl),
        key: state.derivation.fresh().await?.current(),
        stay,
    };
    let family = device_family(state, account.id, device_name).await?;
    let cap = state.settings.max_active_sessions;
    let login = Login { session: &session, device, family, new_hash: new_hash.as_deref(), cap, now };
    // A login is finished also where the profile cannot be read: the guess was right, and must not count as wrong.
    let (finished, profile) = tokio::join!(
        state.accounts.finish_login(reservation, account, &login),
        state.accounts.find_document(account.id, DocumentKind::Profile)
    );
    let refused = match finished? {
        Finished::SignedIn(account) => return SignedIn::new(state, &account, &profile?, &session).await.map(Some),
        Finished::Locked(until) => return Err(locked(until - now)),
        Finished::Overtaken => None,
        Finished::Disabled => Some(disabled()),
    };
    // No session came of it, and the guess was right all the same.
    state.accounts.settle_right(reservation, now).await?;
    refused.map_or(Ok(None), Err)
}

/// The device's name, found out while something else is waited for: a process that names its first compiles what they are known
/// by, for about a millisecond.
pub(super) async fn device_name(device: &Device) -> String {
    yield_now().await; // What is waited for is on its way by then.
    device.name()
}

/// A keyed hash of a device's browser and system family, of one account: no reader of the table can compare two.
pub(super) async fn device_family(state: &State, user_id: Uuid, device_name: &str) -> Result<String, Problem> {
    let mut family = state.derivation.fresh().await?.lookup("device", &format!("{user_id} {device_name}"));
    family.truncate(10);
    Ok(family)
}
