use axum::{Json, extract::State as Extract, response::IntoResponse};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::http::{Bearer, NoStore, Problem, ProblemBody};
use utoipa::ToSchema;

use crate::State;

/// The caller in numbers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stats {
    /// Whole days since the account was made.
    account_age_days: i64,
    active_sessions: usize,
    attempts: u64,
    /// Questions that were solved.
    solved: u64,
    is_verified: bool,
    is_premium: bool,
    /// `basic` or `premium`.
    subscription_tier: &'static str,
    last_login_at: Option<DateTime<Utc>>,
    /// The last sign-in, refresh or attempt.
    last_activity_at: Option<DateTime<Utc>>,
}

/// The caller in numbers.
#[utoipa::path(
    get,
    path = "/api/v1/users/me/stats",
    operation_id = "stats",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "The numbers.", body = Stats),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn stats(Extract(state): Extract<State>, bearer: Bearer) -> Result<impl IntoResponse, Problem> {
    let summary = state.attempts.summary(bearer.user_id());
    let (caller, summary) = bearer.with_item(summary).await?;
    let (account, now) = (&caller.account, state.clock.now());
    let used = account.sessions.iter().map(|session| session.times.used_at);
    Ok(NoStore(Json(Stats {
        account_age_days: (now - account.created_at).num_days(),
        active_sessions: account.sessions.iter().filter(|session| session.is_live(now)).count(),
        attempts: summary.total_attempts,
        solved: summary.solved,
        is_verified: account.verified,
        is_premium: account.is_premium(),
        subscription_tier: account.plan.as_str(),
        last_login_at: account.last_login_at,
        last_activity_at: used.chain(account.last_login_at).chain(summary.last_attempt_at).max(),
    })))
}
