use axum::{
    Json,
    extract::{FromRequestParts, State as Extract},
    http::{header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use shared::{
    domain::Tally,
    http::{Accepts, Caller, NoStore, Problem, ProblemBody, bearer_token},
};
use utoipa::ToSchema;

use crate::State;

/// How much of everything there is. Counted from the tables' streams, which takes seconds.
#[derive(Debug, Serialize, ToSchema)]
pub struct Metrics {
    users_total: i64,
    users_active: i64,
    users_premium: i64,
    users_verified: i64,
    /// An estimate: a session whose time is over counts until its account is next written to.
    sessions: i64,
    /// Attempts ever recorded, those of deleted accounts included.
    attempts: i64,
    sign_ins: i64,
    /// Locks of accounts after three wrong passwords in a row.
    locks: i64,
    mails: i64,
}

impl From<Tally> for Metrics {
    fn from(tally: Tally) -> Self {
        Self {
            users_total: tally.users,
            users_active: tally.active,
            users_premium: tally.premium,
            users_verified: tally.verified,
            sessions: tally.sessions,
            attempts: tally.attempts,
            sign_ins: tally.sign_ins,
            locks: tally.locks,
            mails: tally.mails,
        }
    }
}

impl Metrics {
    /// The text format of Prometheus, version 0.0.4.
    ///
    /// <https://prometheus.io/docs/instrumenting/exposition_formats/>
    fn exposition(&self) -> String {
        let families = [
            ("users", "gauge", "Accounts that exist.", self.users_total),
            ("users_active", "gauge", "Accounts that are not disabled.", self.users_active),
            ("users_premium", "gauge", "Accounts on the premium plan.", self.users_premium),
            ("users_verified", "gauge", "Accounts whose address is verified.", self.users_verified),
            ("sessions", "gauge", "Sessions that have not been ended: an estimate.", self.sessions),
            ("attempts_total", "counter", "Attempts recorded.", self.attempts),
            ("sign_ins_total", "counter", "Sign-ins with a password.", self.sign_ins),
            ("locks_total", "counter", "Accounts locked after three wrong passwords in a row.", self.locks),
            ("mails_total", "counter", "Mails that SES took.", self.mails),
        ];
        let family = |(name, kind, help, value)| {
            let name = format!("user_service_{name}");
            format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n")
        };
        families.map(family).concat()
    }
}

/// Someone who may read the metrics: a scraper with its token, or an admin.
pub struct Scraper;

impl FromRequestParts<State> for Scraper {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        if !state.scrape_token.fresh().await?.admits(bearer_token(parts)?) {
            Caller::from_request_parts(parts, state).await?.require_admin()?;
        }
        Ok(Self)
    }
}

/// How much of everything there is, at most a minute ago: for Prometheus, or as JSON where `Accept` names it. For admins,
/// and for a scraper with its own token.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "system",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "The metrics.", content((Metrics = "application/json"), (String = "text/plain"))),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn metrics(Extract(state): Extract<State>, _: Scraper, accepts: Accepts) -> Result<Response, Problem> {
    let metrics = Metrics::from(state.counters.totals().await?);
    if accepts.json {
        return Ok(NoStore(Json(metrics)).into_response());
    }
    let media_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok(NoStore((media_type, metrics.exposition())).into_response())
}
