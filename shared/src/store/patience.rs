use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::StoreError;
use crate::telemetry::{self, Metric};

/// The first pause is at most this long; each further one at most twice as long, up to the longest.
const FIRST: Duration = Duration::from_millis(5);
const LONGEST: Duration = Duration::from_millis(250);

/// How long a request goes on against others who write the same items at the same time.
#[derive(Debug)]
pub(super) struct Patience {
    until: Instant,
    longest: Duration,
}

impl Patience {
    /// Enough for a single write.
    pub fn of_a_write() -> Self {
        Self::lasting(Duration::from_secs(5))
    }

    /// Enough for a write that is planned anew each time, well within the time that a request has.
    pub fn of_a_plan() -> Self {
        Self::lasting(Duration::from_secs(20))
    }

    fn lasting(time: Duration) -> Self {
        Self { until: Instant::now() + time, longest: FIRST }
    }

    /// Pauses for a random while, so that writers who met once do not meet again.
    ///
    /// # Errors
    /// Where the time is over.
    pub async fn pause(&mut self) -> Result<(), StoreError> {
        telemetry::count(Metric::Conflicts);
        let pause = at_most(self.longest);
        if Instant::now() + pause > self.until {
            return Err(StoreError::Contended);
        }
        self.longest = (self.longest * 2).min(LONGEST);
        sleep(pause).await;
        Ok(())
    }
}

/// How often a batch is sent again of which DynamoDB, which throttles, did nothing more; and how long it rests before the first
/// time, at most. As the SDK does with a call that is throttled whole.
const ROUNDS: u32 = 3;
const REST: Duration = Duration::from_millis(50);

/// How long a batch is sent again, as long as there is something left of it.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    in_vain: u32,
    left: Option<usize>,
}

impl Rounds {
    /// Pauses before what is `left` is sent again.
    ///
    /// # Errors
    /// Where nothing was done in too many rounds.
    pub async fn pause(&mut self, left: usize) -> Result<(), StoreError> {
        let went_on = self.left.replace(left).is_none_or(|before| left < before);
        self.in_vain = if went_on { 1 } else { self.in_vain + 1 };
        if self.in_vain > ROUNDS {
            return Err(StoreError::Throttled("a part of a batch comes back".into()));
        }
        sleep(at_most(REST * 2_u32.pow(self.in_vain - 1))).await;
        Ok(())
    }
}

/// For how long a tool waits for a table that throttles, which takes twice as much within half an hour; and how long at a time.
const OUTLASTED: Duration = Duration::from_mins(10);
const LONGEST_REST: Duration = Duration::from_secs(5);

/// Makes a call of a tool that brings in much: where DynamoDB throttles it is slower, and does not end.
///
/// # Errors
/// As `call` fails otherwise, or where ten minutes were not enough.
pub async fn outlasting_throttles<T, E: Into<StoreError>>(
    mut call: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, StoreError> {
    let until = Instant::now() + OUTLASTED;
    let mut longest = REST;
    loop {
        match call().await.map_err(Into::into) {
            Err(StoreError::Throttled(_)) if Instant::now() < until => sleep(at_most(longest)).await,
            done => return done,
        }
        longest = (longest * 2).min(LONGEST_REST);
    }
}

/// A random while.
fn at_most(longest: Duration) -> Duration {
    let mut random = [0; 2];
    // Without randomness the pause is the longest one: slower, and still right.
    let share = aws_lc_rs::rand::fill(&mut random).map_or(u16::MAX, |()| u16::from_be_bytes(random));
    longest.mul_f64(f64::from(share) / f64::from(u16::MAX))
}
