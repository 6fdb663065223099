//! When an answer leaves that must not tell whether there is an account: at one time, whatever stood behind it (ASVS 6.3.8).

use std::time::Duration;

use shared::http::{Code, Problem};
use tokio::time::{Instant, sleep_until};

/// How long after its request such an answer leaves: more than a hash on a whole processor and four round trips to DynamoDB take.
/// What took longer leaves at once.
const TIME: Duration = Duration::from_millis(100);

/// Refusals that are the same for accounts and for nobody.
const ALIKE: [Code; 3] = [Code::InvalidCredentials, Code::AccountLocked, Code::InvalidResetCode];

/// Holds back that it is done.
pub async fn success<T>(answer: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    held(answer, Result::is_ok).await
}

/// Holds a refusal back that is the same for accounts and for nobody.
pub async fn refusal<T>(answer: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    held(answer, |answer| answer.as_ref().is_err_and(|problem| ALIKE.contains(&problem.code()))).await
}

async fn held<T>(answer: impl Future<Output = T>, is_held: impl Fn(&T) -> bool) -> T {
    let time = Instant::now() + TIME;
    let answer = answer.await;
    if is_held(&answer) {
        sleep_until(time).await;
    }
    answer
}
