use axum::{Json, extract::State as Extract, response::IntoResponse};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared::{
    domain::QuestionProgress,
    http::{Bearer, Fields, NoStore, Problem, ProblemBody, UrlQuery, decode_cursor, link_to_next, page_limit},
};
use utoipa::{IntoParams, ToSchema};

use crate::State;

/// Which page of the questions.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    /// Questions on a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// Where the last page ended, from its `Link`.
    cursor: Option<String>,
}

impl Questions {
    /// How many, and after which question.
    fn parse(&self) -> Result<(usize, Option<u64>), Problem> {
        let mut fields = Fields::default();
        let limit = page_limit(self.limit, &mut fields);
        let after = self.cursor.as_deref().and_then(|cursor| fields.take("cursor", decode_cursor(cursor)));
        fields.check().map(|()| (limit, after))
    }
}

/// What the caller has done on one question.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownQuestion {
    question_id: u64,
    attempts: u64,
    /// Of the attempt that passed the most.
    best_passed_tests: u16,
    /// Tests of that attempt.
    total_tests: u16,
    /// Milliseconds, over solved attempts only.
    best_runtime_ms: Option<u64>,
    /// The first time.
    solved_at: Option<DateTime<Utc>>,
    last_attempt_at: Option<DateTime<Utc>>,
}

impl ShownQuestion {
    fn of(question_id: u64, progress: QuestionProgress) -> Self {
        Self {
            question_id,
            attempts: progress.attempts,
            best_passed_tests: progress.best_passed_tests,
            total_tests: progress.total_tests,
            best_runtime_ms: progress.best_runtime_ms,
            solved_at: progress.solved_at,
            last_attempt_at: progress.last_attempt_at,
        }
    }
}

/// What the caller has done on each question, in the order of the questions' numbers.
#[utoipa::path(
    get,
    path = "/api/v1/attempts/me/questions",
    operation_id = "questions",
    tag = "attempts",
    security(("bearer" = []), ("password" = [])),
    params(Questions),
    responses(
        (status = 200, description = "A page; `Link` leads to the next.", body = [ShownQuestion]),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn questions(
    Extract(state): Extract<State>,
    bearer: Bearer,
    questions: Result<UrlQuery<Questions>, Problem>,
) -> Result<impl IntoResponse, Problem> {
    let (limit, after) = match questions.and_then(|UrlQuery(questions)| questions.parse()) {
        Ok(parsed) => parsed,
        Err(problem) => return Err(bearer.refuse(problem).await),
    };
    let user_id = bearer.user_id();
    let (_, (page, next)) = bearer.with(state.attempts.find_questions(user_id, after, limit)).await?;
    let headers = link_to_next("/api/v1/attempts/me/questions", &[("limit", limit.to_string())], next.as_ref());
    let shown: Vec<_> = page.into_iter().map(|(question, progress)| ShownQuestion::of(question, progress)).collect();
    Ok((headers, NoStore(Json(shown))))
}
