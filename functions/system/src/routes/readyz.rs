use axum::{Json, extract::State as Extract};
use chrono::TimeDelta;
use shared::{
    crypto::{Keyring, PublicKeys},
    http::{Code, Problem, ProblemBody},
};

use super::Fine;
use crate::State;

/// Seconds after which asking again makes sense.
const PAUSE: TimeDelta = TimeDelta::seconds(5);

/// Whether tables and keys answer; the problem says which does not.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    tag = "system",
    responses(
        (status = 200, description = "They answer.", body = Fine),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn readyz(Extract(state): Extract<State>) -> Result<Json<Fine>, Problem> {
    let (mut missing, keys) = tokio::join!(state.missing_tables(), Keyring::<PublicKeys>::load(&state.platform));
    missing.extend(keys.is_err().then(|| "keys".to_owned()));
    if missing.is_empty() { Ok(Json(Fine { ok: true })) } else { Err(not_ready(&missing)) }
}

/// Says what does not answer.
pub(super) fn not_ready(missing: &[String]) -> Problem {
    Problem::new(Code::Unavailable, format!("Not ready: {}.", missing.join(", "))).retry_after(PAUSE)
}
