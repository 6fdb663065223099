use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::domain::{Attempt, NewAttempt};
use utoipa::ToSchema;
use uuid::Uuid;

/// An attempt without its code.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownAttempt {
    pub id: Uuid,
    pub question_id: u64,
    pub language: String,
    pub passed_tests: u16,
    pub total_tests: u16,
    /// Milliseconds.
    pub runtime_ms: Option<u64>,
    pub created_at: DateTime<Utc>,
    /// There were tests, and all passed.
    pub is_solved: bool,
}

impl From<Attempt> for ShownAttempt {
    fn from(attempt: Attempt) -> Self {
        Self {
            id: attempt.id,
            question_id: attempt.question_id,
            language: attempt.language,
            passed_tests: attempt.outcome.passed_tests,
            total_tests: attempt.outcome.total_tests,
            runtime_ms: attempt.outcome.runtime_ms,
            created_at: attempt.created_at,
            is_solved: attempt.outcome.is_solved(),
        }
    }
}

impl From<NewAttempt> for ShownAttempt {
    fn from(new: NewAttempt) -> Self {
        let NewAttempt { id, question_id, language, outcome, created_at, .. } = new;
        Attempt { id, question_id, language, outcome, created_at }.into()
    }
}
