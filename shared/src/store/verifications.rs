//! Verification links: sent again, and followed.

use aws_sdk_dynamodb::types::TransactWriteItem;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Accounts, StoreError,
    accounts::Event,
    attributes::{flag, moment, text},
    change::Change,
    keys,
    patience::Patience,
    transactions::{Transacted, transact},
};
use crate::domain::{Account, EmailAddress, Role};

/// How verifying ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    Yes,
    /// The account is disabled, gone, or has another address by now.
    No,
}

impl Accounts {
    /// Notes that a user whose address `email` still needs one asks for a verification link; the stream mails it. Where
    /// they are verified, gone, or have another address by now, nothing happens, at the same cost.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn ask_for_verification(
        &self,
        user_id: Uuid,
        email: &EmailAddress,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let change = Change::provided("verified = :no AND active = :yes AND email = :email")
            .quietly()
            .set("asked = :now, ev = :ev")
            .value(":now", moment(now))
            .value(":ev", text(Event::VerificationRequested.as_str()))
            .value(":no", flag(false))
            .value(":yes", flag(true))
            .value(":email", text(email.as_str()));
        change.apply(&self.client, &self.users, &keys::account(user_id)).await.map(drop)
    }

    /// Verifies `account`, as long as its address is what it was, and makes it an admin where that is one of `admins`.
    /// Verifying again changes nothing.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn verify(
        &self,
        mut account: Account,
        admins: &[EmailAddress],
        now: DateTime<Utc>,
    ) -> Result<Verified, StoreError> {
        let email = account.email.clone();
        let mut patience = Patience::of_a_plan();
        loop {
            if !account.active || account.email != email {
                return Ok(Verified::No);
            }
            if account.verified {
                return Ok(Verified::Yes);
            }
            let promoted = account.role == Role::User && admins.contains(&account.email);
            let change = verifying(&account, promoted, now);
            let mut items = vec![
                TransactWriteItem::builder()
                    .update(change.in_transaction(&self.users, &keys::account(account.id))?)
                    .build(),
            ];
            let acts = account.active && (promoted || account.role == Role::Admin);
            items.extend(self.counting_admins(account.is_acting_admin(), acts)?);
            if let Transacted::Committed = transact(&self.client, items, &mut patience).await? {
                return Ok(Verified::Yes);
            }
            // Someone changed the account meanwhile, perhaps a second click: look again.
            patience.pause().await?;
            let Some(met) = self.find(account.id).await? else { return Ok(Verified::No) };
            account = met;
        }
    }
}

fn verifying(account: &Account, promoted: bool, now: DateTime<Utc>) -> Change {
    let role = if promoted { Role::Admin } else { account.role };
    Change::provided("verified = :no AND active = :yes AND email = :email AND #role = :old_role")
        .set("verified = :yes, #role = :role, updated = :now, ev = :ev")
        .name("#role", "role")
        .value(":yes", flag(true))
        .value(":no", flag(false))
        .value(":role", text(role.as_str()))
        .value(":old_role", text(account.role.as_str()))
        .value(":email", text(account.email.as_str()))
        .value(":now", moment(now))
        .value(":ev", text(Event::Verified.as_str()))
}
