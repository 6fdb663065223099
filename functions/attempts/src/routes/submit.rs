use axum::{
    Json,
    extract::State as Extract,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use serde::Deserialize;
use shared::{
    crypto::fingerprint,
    domain::{Invalid, NewAttempt, Outcome, Repeatable},
    http::{Bearer, Code, Fields, JsonBody, NoStore, Problem, ProblemBody},
    store::Submitted,
};
use utoipa::ToSchema;
use uuid::Uuid;

use super::shown::ShownAttempt;
use crate::State;

/// Bytes of code that an attempt may have.
const LARGEST_CODE: usize = 256 * 1024;
/// Characters that a language's name may have.
const LONGEST_LANGUAGE: usize = 50;
/// Tests that a question may have.
const MOST_TESTS: u16 = 32_767;
/// Largest whole number that every client reads exactly (RFC 8259 §6).
pub(super) const LARGEST_NUMBER: u64 = (1 << 53) - 1;

/// Header by which a client makes a submission repeatable (draft-ietf-httpapi-idempotency-key-header).
const KEY: &str = "idempotency-key";
/// Characters that it may have.
const LONGEST_KEY: usize = 255;

/// A run of a question's tests.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    #[schema(example = 1, maximum = 9_007_199_254_740_991_u64)]
    question_id: u64,
    /// 1 to 50 characters.
    #[schema(example = "python", min_length = 1, max_length = 50)]
    language: String,
    /// At most 256 KiB, any Unicode but NUL.
    #[schema(example = "def solution(nums): return sum(nums)")]
    submitted_code: String,
    #[schema(example = 8, maximum = 32_767)]
    passed_tests: u16,
    #[schema(example = 10, maximum = 32_767)]
    total_tests: u16,
    /// Milliseconds.
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    runtime_ms: Option<u64>,
}

impl Submission {
    /// Checks the fields, and takes the client's key, where there is one.
    fn check(&self, headers: &HeaderMap) -> Result<Option<Repeatable>, Problem> {
        let mut fields = Fields::default();
        let key = fields.take(KEY, key(headers)).flatten();
        if self.question_id > LARGEST_NUMBER {
            fields.refuse("question_id", format!("must be at most {LARGEST_NUMBER}"));
        }
        let language = self.language.chars().count();
        if language == 0 || language > LONGEST_LANGUAGE || self.language.chars().any(char::is_control) {
            fields.refuse(
                "language",
                format!("must have 1 to {LONGEST_LANGUAGE} characters, none of them control characters"),
            );
        }
        if self.submitted_code.len() > LARGEST_CODE {
            fields.refuse("submitted_code", format!("must have at most {LARGEST_CODE} bytes"));
        }
        if self.submitted_code.contains('\0') {
            fields.refuse("submitted_code", "must not hold NUL");
        }
        if self.total_tests > MOST_TESTS {
            fields.refuse("total_tests", format!("must be at most {MOST_TESTS}"));
        }
        if self.passed_tests > self.total_tests {
            fields.refuse("passed_tests", "must be at most total_tests");
        }
        if self.runtime_ms.is_some_and(|runtime| runtime > LARGEST_NUMBER) {
            fields.refuse("runtime_ms", format!("must be at most {LARGEST_NUMBER}"));
        }
        fields.check()?;
        Ok(key.map(|key| Repeatable { key: fingerprint(&[key.as_bytes()]), body: self.fingerprint() }))
    }

    /// The same for the same submission, however its JSON was written.
    fn fingerprint(&self) -> [u8; 32] {
        fingerprint(&[
            &self.question_id.to_be_bytes(),
            self.language.as_bytes(),
            self.submitted_code.as_bytes(),
            &self.passed_tests.to_be_bytes(),
            &self.total_tests.to_be_bytes(),
            self.runtime_ms.map(u64::to_be_bytes).as_ref().map_or(&[], |bytes| bytes.as_slice()),
        ])
    }

    fn of(self, user_id: Uuid, repeatable: Option<Repeatable>, state: &State) -> NewAttempt {
        NewAttempt {
            id: state.clock.new_id(),
            user_id,
            question_id: self.question_id,
            language: self.language,
            code: self.submitted_code,
            outcome: Outcome {
                passed_tests: self.passed_tests,
                total_tests: self.total_tests,
                runtime_ms: self.runtime_ms,
            },
            created_at: state.clock.now(),
            repeatable,
        }
    }
}

/// The client's key: visible ASCII, as it was sent. A comma is what API Gateway puts between two headers.
fn key(headers: &HeaderMap) -> Result<Option<&str>, Invalid> {
    let Some(key) = headers.get(KEY) else { return Ok(None) };
    let text = key.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b','));
    match text.filter(|text| (1..=LONGEST_KEY).contains(&text.len())) {
        Some(text) => Ok(Some(text)),
        None => Err(Invalid(format!("must have 1 to {LONGEST_KEY} visible ASCII characters, no comma among them"))),
    }
}

/// Records an attempt. Summary, history, question and day move together, or not at all. With an `Idempotency-Key`, the
/// same submission within 24 hours gets the same answer and counts once.
#[utoipa::path(
    post,
    path = "/api/v1/attempts/",
    operation_id = "submit",
    tag = "attempts",
    security(("bearer" = []), ("password" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Of the client's choice, new for each submission: 1 to 255 visible ASCII characters without a comma, such as a UUID.")),
    request_body = Submission,
    responses(
        (status = 201, description = "The attempt is counted.", body = ShownAttempt),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`, `idempotency_key_reused`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn submit(
    Extract(state): Extract<State>,
    bearer: Bearer,
    headers: HeaderMap,
    submission: Result<JsonBody<Submission>, Problem>,
) -> Result<impl IntoResponse, Problem> {
    let checked = submission.and_then(|JsonBody(body)| body.check(&headers).map(|repeatable| (body, repeatable)));
    let (submission, repeatable) = match checked {
        Ok(checked) => checked,
        Err(problem) => return Err(bearer.refuse(problem).await),
    };
    let mut attempt = submission.of(bearer.user_id(), repeatable, &state);
    let counts = match bearer.with_write(state.attempts.prepare(&attempt)).await {
        Ok((_, counts)) => counts,
        Err(problem) => {
            // Whoever was not admitted leaves nothing, and neither does a submission that was stored by halves. Where this fails too, the
            // `PENDING` row leads to the code, unless it is the half that is missing.
            drop(state.attempts.discard(&attempt).await);
            return Err(problem);
        }
    };
    match state.attempts.count(&mut attempt, counts).await? {
        Submitted::Counted => Ok((StatusCode::CREATED, NoStore(Json(ShownAttempt::from(attempt))))),
        Submitted::KeyReused => {
            Err(Problem::new(Code::IdempotencyKeyReused, "The Idempotency-Key was sent with another body before."))
        }
    }
}
