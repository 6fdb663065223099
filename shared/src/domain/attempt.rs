use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// What a run of the tests gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub passed_tests: u16,
    pub total_tests: u16,
    /// Milliseconds, where the run was timed.
    pub runtime_ms: Option<u64>,
}

impl Outcome {
    /// Solved: there were tests, and all passed.
    pub fn is_solved(&self) -> bool {
        self.total_tests > 0 && self.passed_tests == self.total_tests
    }
}

/// An attempt that is about to be counted.
#[derive(Clone, Debug)]
pub struct NewAttempt {
    pub id: Uuid,
    pub user_id: Uuid,
    pub question_id: u64,
    pub language: String,
    pub code: String,
    pub outcome: Outcome,
    pub created_at: DateTime<Utc>,
    pub repeatable: Option<Repeatable>,
}

/// What tells that a submission is sent once more, by hashes: the client's `Idempotency-Key`, and what it came with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeatable {
    pub key: [u8; 32],
    pub body: [u8; 32],
}

/// An attempt as lists show it, without its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub id: Uuid,
    pub question_id: u64,
    pub language: String,
    pub outcome: Outcome,
    pub created_at: DateTime<Utc>,
}

/// What a person has done in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub total_attempts: u64,
    /// Distinct questions.
    pub solved: u64,
    pub last_attempt_at: Option<DateTime<Utc>>,
}

impl Summary {
    /// The summary once an attempt is added that does or does not solve its question for the first time.
    pub fn with(&self, first_solve: bool, at: DateTime<Utc>) -> Self {
        Self {
            total_attempts: self.total_attempts + 1,
            solved: self.solved + u64::from(first_solve),
            last_attempt_at: Some(self.last_attempt_at.map_or(at, |last| last.max(at))),
        }
    }
}

/// What a person did on one day, in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    pub date: NaiveDate,
    pub attempts: u64,
    /// Questions that were solved for the first time.
    pub solved: u64,
}

/// What a person has done on one question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuestionProgress {
    pub attempts: u64,
    /// The best run: most tests passed, and of as many the one that solved it.
    pub best_passed_tests: u16,
    /// Tests of that best run.
    pub total_tests: u16,
    /// Over solved attempts only.
    pub best_runtime_ms: Option<u64>,
    /// The first time.
    pub solved_at: Option<DateTime<Utc>>,
    pub last_attempt_at: Option<DateTime<Utc>>,
}

impl QuestionProgress {
    /// The progress once an attempt with `outcome` is added.
    pub fn with(&self, outcome: &Outcome, at: DateTime<Utc>) -> Self {
        let as_good = outcome.passed_tests == self.best_passed_tests && outcome.is_solved();
        let better = self.attempts == 0 || outcome.passed_tests > self.best_passed_tests || as_good;
        let runtime = outcome.runtime_ms.filter(|_| outcome.is_solved());
        Self {
            attempts: self.attempts + 1,
            best_passed_tests: if better { outcome.passed_tests } else { self.best_passed_tests },
            total_tests: if better { outcome.total_tests } else { self.total_tests },
            best_runtime_ms: [self.best_runtime_ms, runtime].into_iter().flatten().min(),
            solved_at: self.solved_at.or(outcome.is_solved().then_some(at)),
            last_attempt_at: Some(self.last_attempt_at.map_or(at, |last| last.max(at))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(passed_tests: u16, total_tests: u16, runtime_ms: Option<u64>) -> Outcome {
        Outcome { passed_tests, total_tests, runtime_ms }
    }

    #[test]
    fn an_attempt_without_tests_solves_nothing() {
        assert!(!outcome(0, 0, None).is_solved());
        assert!(!outcome(1, 2, None).is_solved());
        assert!(outcome(2, 2, None).is_solved());
    }

    #[test]
    fn the_best_is_kept_and_only_solved_runs_are_timed() {
        let at = DateTime::UNIX_EPOCH;
        let runs = [outcome(1, 3, Some(1)), outcome(3, 3, Some(9)), outcome(2, 3, Some(2)), outcome(3, 3, Some(5))];
        let progress = runs.iter().fold(QuestionProgress::default(), |progress, run| progress.with(run, at));
        assert_eq!((progress.attempts, progress.best_passed_tests, progress.best_runtime_ms), (4, 3, Some(5)));
        assert_eq!((progress.total_tests, progress.solved_at), (3, Some(at)));
        let as_good = progress.with(&outcome(3, 9, None), at);
        assert_eq!((as_good.best_passed_tests, as_good.total_tests), (3, 3), "the first run that was as good");
        let unsolved = QuestionProgress::default().with(&outcome(3, 9, None), at);
        let solved = unsolved.with(&outcome(3, 3, None), at);
        assert_eq!((solved.best_passed_tests, solved.total_tests, solved.solved_at), (3, 3, Some(at)));
    }
}
