use std::time::{Duration, Instant};

use shared::store::Erasure;

use crate::{Failure, Janitor};

/// How long one go may take: at a record, behind which others wait, and in the minute's sweep.
pub const OF_A_RECORD: Duration = Duration::from_secs(20);
pub const OF_A_SWEEP: Duration = Duration::from_secs(50);

/// When a go that begins now has to stop.
pub fn deadline(time: Duration) -> Instant {
    Instant::now() + time
}

impl Janitor {
    /// Erases what an account left, as far as there is time. What is left is taken up by the next sweep, which also looks
    /// once more after whatever was under way when the account ended.
    pub async fn erase(&self, erasure: &Erasure, until: Instant) -> Result<(), Failure> {
        let user_id = erasure.user_id;
        self.avatars.delete_all(&format!("avatars/{user_id}/")).await?;
        self.exports.delete_all(&format!("exports/{user_id}/")).await?;
        let erased =
            self.attempts.erase(user_id, until).await? && self.accounts.erase_leftovers(user_id, until).await?;
        if erased && self.accounts.finish_erasure(erasure, self.clock.now()).await? {
            tracing::info!(%user_id, "erasure complete");
        }
        Ok(())
    }
}
