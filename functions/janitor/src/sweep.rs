use std::time::Instant;

use chrono::TimeDelta;
use shared::{
    aws,
    domain::Account,
    store::{Ended, Erasing, Looked},
    telemetry::{self, Metric},
};
use uuid::Uuid;

use crate::{Failure, Janitor, erasing};

/// How far back a stack looks that never looked before, and for how long one looks again at an account that cannot be ended.
const LOOKED_BACK: TimeDelta = TimeDelta::days(1);
/// Accounts that one sweep looks through.
const ACCOUNTS: usize = 500;

impl Janitor {
    /// What every minute does: tells how much of everything there is, goes on with the erasures under way, and ends
    /// accounts that were never verified.
    pub async fn sweep(&self) -> Result<(), Failure> {
        let totals = self.counters.totals().await?;
        telemetry::gauge(Metric::Accounts, totals.users as f64);
        telemetry::gauge(Metric::LiveSessions, totals.sessions as f64);
        let until = erasing::deadline(erasing::OF_A_SWEEP);
        // One that fails keeps none of the others waiting, and one that takes long no longer than its share.
        let mut failed = None;
        let open = self.accounts.open_erasures().await?;
        for (waiting, erasure) in (1..=open.len() as u32).rev().zip(open) {
            let share = until.saturating_duration_since(Instant::now()) / waiting;
            if share.is_zero() {
                break;
            }
            let gone_on = match erasure {
                Ok(erasure) => self.erase(&erasure, erasing::deadline(share)).await,
                Err(damaged) => Err(damaged.into()),
            };
            if let Err(error) = gone_on {
                tracing::error!(reason = aws::reason(&error), "an erasure does not go on");
                failed = Some(error);
            }
        }
        self.end_unverified().await?;
        failed.map_or(Ok(()), Err)
    }

    async fn end_unverified(&self) -> Result<(), Failure> {
        let now = self.clock.now();
        let seen = self.accounts.looked_through().await?;
        // Where nobody has to verify, nobody is erased for it, also not once the setting is another one.
        if !self.settings.require_verified_email {
            return Ok(self.accounts.note_looked_through(seen, Looked::until(now)).await?);
        }
        let until = now - Account::UNVERIFIED_LIFETIME;
        let from = seen.unwrap_or(Looked::until(until - LOOKED_BACK));
        if from.until >= until {
            return Ok(());
        }
        let made = self.accounts.made_between(from, until, ACCOUNTS).await?;
        // One that fails keeps none of the others waiting, and is looked at again for a day.
        let (mut failed, mut again) = (None, from.again);
        for (made_at, user_id) in &made {
            if let Err(error) = self.end_never_verified(*user_id).await {
                tracing::error!(%user_id, reason = aws::reason(&error), "an account that was never verified cannot be ended");
                failed.get_or_insert(error);
                again = again.or(Some(*made_at).filter(|made_at| *made_at > until - LOOKED_BACK));
            }
        }
        let looked_through = match made.last() {
            Some((at, id)) if made.len() == ACCOUNTS => Looked { until: *at, last: Some(*id), again },
            _ => Looked::until(again.unwrap_or(until)),
        };
        self.accounts.note_looked_through(seen, looked_through).await?;
        failed.map_or(Ok(()), Err)
    }

    async fn end_never_verified(&self, user_id: Uuid) -> Result<(), Failure> {
        // One that an admin unverified is not taken for new.
        let never_verified = |account: &Account| !account.was_ever_verified();
        let Some(account) = self.accounts.find(user_id).await?.filter(never_verified) else { return Ok(()) };
        if self.accounts.end_account(account, &Erasing::NeverVerified, self.clock.now()).await? == Ended::Yes {
            tracing::info!(%user_id, "an account that was never verified is ended");
        }
        Ok(())
    }
}
