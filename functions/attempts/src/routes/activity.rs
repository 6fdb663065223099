use axum::{Json, extract::State as Extract, response::IntoResponse};
use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};
use shared::{
    domain::{Day, Invalid},
    http::{Bearer, Fields, NoStore, Problem, ProblemBody, UrlQuery},
};
use utoipa::{IntoParams, ToSchema};

use crate::State;

/// Days that can be asked for at once: a leap year.
const MOST_DAYS: i64 = 366;

/// Which days, in UTC.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// The first day; 365 days before `to` where it is left out.
    #[param(value_type = Option<NaiveDate>, example = "2026-01-01")]
    from: Option<String>,
    /// The last day, at most 365 days later; today where it is left out.
    #[param(value_type = Option<NaiveDate>, example = "2026-12-31")]
    to: Option<String>,
}

impl Activity {
    /// The first and the last day.
    fn parse(&self, today: NaiveDate) -> Result<(NaiveDate, NaiveDate), Problem> {
        let mut fields = Fields::default();
        let to = self.to.as_deref().map_or(Ok(today), date);
        let to = fields.take("to", to);
        let from = match (self.from.as_deref(), to) {
            (Some(from), _) => fields.take("from", date(from)),
            (None, Some(to)) => to.checked_sub_signed(TimeDelta::days(MOST_DAYS - 1)),
            (None, None) => None,
        };
        if let (Some(from), Some(to)) = (from, to)
            && !(0..MOST_DAYS).contains(&(to - from).num_days())
        {
            fields.refuse("from", format!("must be at most {} days before to, and not after it", MOST_DAYS - 1));
        }
        fields.finish(from.zip(to))
    }
}

/// A full date (RFC 3339 §5.6), and no other spelling of one.
fn date(text: &str) -> Result<NaiveDate, Invalid> {
    let parsed = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let parsed = parsed.filter(|date| date.format("%Y-%m-%d").to_string() == text && text.len() == 10);
    parsed.ok_or_else(|| Invalid("must be a date, as in 2026-11-21".into()))
}

/// A day on which the caller has attempts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownDay {
    /// In UTC.
    date: NaiveDate,
    attempts: u64,
    /// Questions solved for the first time: their `solved_at` is on this day.
    solved: u64,
}

impl From<Day> for ShownDay {
    fn from(Day { date, attempts, solved }: Day) -> Self {
        Self { date, attempts, solved }
    }
}

/// What the caller has done on each day, oldest first; days without attempts are left out. As a heat map shows it.
#[utoipa::path(
    get,
    path = "/api/v1/attempts/me/activity",
    operation_id = "activity",
    tag = "attempts",
    security(("bearer" = []), ("password" = [])),
    params(Activity),
    responses(
        (status = 200, description = "The days.", body = [ShownDay]),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn activity(
    Extract(state): Extract<State>,
    bearer: Bearer,
    activity: Result<UrlQuery<Activity>, Problem>,
) -> Result<impl IntoResponse, Problem> {
    let today = state.clock.now().date_naive();
    let (from, to) = match activity.and_then(|UrlQuery(activity)| activity.parse(today)) {
        Ok(dates) => dates,
        Err(problem) => return Err(bearer.refuse(problem).await),
    };
    let user_id = bearer.user_id();
    let (_, days) = bearer.with(state.attempts.find_days(user_id, from, to)).await?;
    let days: Vec<_> = days.into_iter().map(ShownDay::from).collect();
    Ok(NoStore(Json(days)))
}
