//! Accounts that another service had.

use chrono::{DateTime, Utc};

use super::{
    Accounts, StoreError, account_item,
    accounts::Event,
    keys,
    patience::Patience,
    transactions::{Transacted, transact},
};
use crate::domain::Account;

/// How bringing an account in ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    Made,
    /// An earlier run brought it in.
    Present,
    EmailTaken,
    UsernameTaken,
}

impl Accounts {
    /// Brings an account in, with its claims, in one transaction.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn import(&self, account: &Account, now: DateTime<Utc>) -> Result<Imported, StoreError> {
        let mut items = vec![
            self.claiming(keys::email_claim(&account.email), account.id, now)?,
            self.put_new(account_item::item(account, Event::Imported))?,
        ];
        if let Some(username) = &account.username {
            items.push(self.claiming(keys::username_claim(username), account.id, now)?);
        }
        items.extend(self.counting_admins(false, account.is_acting_admin())?);
        match transact(&self.client, items, &mut Patience::of_a_plan()).await? {
            Transacted::Committed => Ok(Imported::Made),
            Transacted::Refused(refused) if refused.contains(0) => self.imported_before(account).await,
            Transacted::Refused(_) => Ok(Imported::UsernameTaken),
        }
    }

    /// Whoever has the address came in by this very line where they were made at the same moment, to the millisecond, and
    /// with the same username.
    async fn imported_before(&self, account: &Account) -> Result<Imported, StoreError> {
        let Some(holder) = self.find_claimant(&account.email).await? else { return Ok(Imported::EmailTaken) };
        let holder = self.find(holder).await?;
        let same = |holder: &Account| holder.created_at == account.created_at && holder.username == account.username;
        Ok(if holder.as_ref().is_some_and(same) { Imported::Present } else { Imported::EmailTaken })
    }
}
