//! Attempts.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Act, Said, TRIES};
use crate::{
    person::{Attempt, Doubt, TESTS},
    service::Wrong,
};

impl Act<'_> {
    pub(super) async fn submit(&mut self) -> Result<(), Wrong> {
        let Some(session) = self.fresh()? else { return Ok(()) };
        if !self.account()?.verified {
            return Ok(());
        }
        // Sometimes what was submitted before, once more.
        let known = self.account()?.attempts.clone();
        let again = self.random.choice(known).filter(|_| self.random.u8(..4) == 0);
        let attempt = again.unwrap_or_else(|| Attempt {
            key: self.person.made_up("key"),
            question: self.random.u64(..6),
            passed: self.random.u64(..=TESTS),
            code: self.person.made_up("code"),
            id: None,
        });
        for _ in 0..TRIES {
            match self.send(&attempt, &session.tokens.access).await? {
                Said::Nothing => {}
                Said::Yes(body) => return self.counted(attempt, &body),
                said @ Said::No(..) => return Err(format!("a submission was answered {said:?}")),
            }
        }
        self.account_mut()?.unsure_attempts.push(attempt);
        self.doubt(Doubt::Credentials)
    }

    pub(super) async fn send(&mut self, attempt: &Attempt, token: &str) -> Result<Said, Wrong> {
        let body = json!({ "question_id": attempt.question, "language": "rust", "submitted_code": attempt.code,
            "passed_tests": attempt.passed, "total_tests": TESTS });
        let mut request = self.request(Method::POST, "/api/v1/attempts/", body, Some(token));
        request.key = Some(attempt.key.clone());
        let answer = self.service.ask(request).await;
        self.hear(answer)
    }

    /// The same key has the same id, and counts once.
    pub(super) fn counted(&mut self, mut attempt: Attempt, body: &Value) -> Result<(), Wrong> {
        let id = body["id"].as_str().map(str::to_owned);
        let attempts = &mut self.account_mut()?.attempts;
        match attempts.iter().find(|other| other.key == attempt.key) {
            Some(other) if other.id == id => Ok(()),
            Some(other) => Err(format!("one key has two attempts: {:?}, {id:?}", other.id)),
            None => {
                attempt.id = id;
                attempts.push(attempt);
                Ok(())
            }
        }
    }
}
