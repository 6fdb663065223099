//! Verification links: sent again, and followed.

use aws_sdk_dynamodb::types::{ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Accounts, StoreError, account_item,
    accounts::{Event, build},
    attributes::{flag, moment, number, text},
    guesses::{Outcome, conditional},
    keys,
    transactions::{Transacted, transact},
};
use crate::domain::{Account, EmailAddress, Role, Verification};

/// How following a link ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    Yes,
    /// Another link, or one whose time is over.
    No,
}

impl Accounts {
    /// Replaces the verification link of an account that still needs one; the stream mails it. Where the account is
    /// verified, gone, or has another address by now, nothing happens.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn renew_verification(&self, account: &Account, verification: &Verification) -> Result<(), StoreError> {
        let request = self
            .client
            .update_item()
            .table_name(&*self.users)
            .set_key(Some(keys::account(account.id).item()))
            .update_expression("SET ver = :ver, ev = :ev")
            .condition_expression("verified = :no AND active = :yes AND email = :email")
            .expression_attribute_values(":ver", account_item::verification(verification))
            .expression_attribute_values(":ev", text(Event::VerificationRequested.as_str()))
            .expression_attribute_values(":no", flag(false))
            .expression_attribute_values(":yes", flag(true))
            .expression_attribute_values(":email", text(account.email.as_str()));
        match conditional(request).await? {
            Outcome::Done(_) | Outcome::Met(_) => Ok(()),
        }
    }

    /// Follows the link `link` of a user, whose token was checked: verifies the account, and makes it an admin where its address is one of
    /// `admins`. Following it again while it lives changes nothing and answers alike.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn verify(
        &self,
        user_id: Uuid,
        link: Uuid,
        admins: &[EmailAddress],
        now: DateTime<Utc>,
    ) -> Result<Verified, StoreError> {
        let Some(account) = self.find(user_id).await? else {
            return Ok(Verified::No);
        };
        let live = account.verification.as_ref().is_some_and(|live| live.id == link && now < live.end);
        if !live || !account.active {
            return Ok(Verified::No);
        }
        if account.verified {
            return Ok(Verified::Yes);
        }
        let promoted = account.role == Role::User && admins.contains(&account.email);
        let mut items =
            vec![TransactWriteItem::builder().update(self.verifying(&account, link, promoted, now)?).build()];
        if promoted {
            items.push(TransactWriteItem::builder().update(self.counting_admin()?).build());
        }
        match transact(&self.client, items).await? {
            Transacted::Committed => Ok(Verified::Yes),
            Transacted::Refused(refused) => self.was_verified(refused.met(0)),
        }
    }

    fn verifying(
        &self,
        account: &Account,
        link: Uuid,
        promoted: bool,
        now: DateTime<Utc>,
    ) -> Result<Update, StoreError> {
        let role = if promoted { Role::Admin } else { account.role };
        let update = Update::builder()
            .table_name(&*self.users)
            .set_key(Some(keys::account(account.id).item()))
            .update_expression("SET verified = :yes, #role = :role, updated = :now, ev = :ev")
            .condition_expression(
                "verified = :no AND active = :yes AND email = :email AND #role = :old_role AND ver.id = :link",
            )
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":yes", flag(true))
            .expression_attribute_values(":no", flag(false))
            .expression_attribute_values(":role", text(role.as_str()))
            .expression_attribute_values(":old_role", text(account.role.as_str()))
            .expression_attribute_values(":email", text(account.email.as_str()))
            .expression_attribute_values(":link", text(link.simple().to_string()))
            .expression_attribute_values(":now", moment(now))
            .expression_attribute_values(":ev", text(Event::Verified.as_str()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        build(update.build())
    }

    fn counting_admin(&self) -> Result<Update, StoreError> {
        let update = Update::builder()
            .table_name(&*self.users)
            .set_key(Some(keys::admins().item()))
            .update_expression("ADD #count :one")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":one", number(1));
        build(update.build())
    }

    /// Two clicks at once: the second finds the work done.
    fn was_verified(&self, met: Option<&super::Item>) -> Result<Verified, StoreError> {
        let verified = met.map(account_item::read).transpose()?.is_some_and(|account| account.verified);
        Ok(if verified { Verified::Yes } else { Verified::No })
    }
}
