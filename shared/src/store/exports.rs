//! Exports: asked for, and ready.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Accounts, StoreError, account_item,
    accounts::Event,
    attributes::{flag, moment, text},
    change::{Change, Outcome},
    keys,
};
use crate::domain::{Account, Export};

/// What comes of asking for an export.
#[derive(Debug)]
pub enum ExportAsked {
    /// The one that counts now: this one, or one that was asked for before and is fresh.
    Yes(Export),
    /// The one before was taken back, and so soon there is no other.
    NotBefore(DateTime<Utc>),
    /// The account is gone.
    Gone,
}

impl Accounts {
    /// Asks for an export, unless one was asked for within the last hour before `asked.asked_at`.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn ask_for_export(&self, user_id: Uuid, asked: &Export) -> Result<ExportAsked, StoreError> {
        let change = Change::provided("active = :yes AND (attribute_not_exists(exp_at) OR exp_at <= :stale)")
            .set("exp = :exp, exp_at = :now, ev = :ev")
            .value(":yes", flag(true))
            .value(":now", moment(asked.asked_at))
            .value(":stale", moment(asked.asked_at - Export::PATIENCE))
            .value(":exp", account_item::export(asked))
            .value(":ev", text(Event::ExportRequested.as_str()));
        let met = match change.apply(&self.client, &self.users, &keys::account(user_id)).await? {
            Outcome::Done(_) => return Ok(ExportAsked::Yes(asked.clone())),
            Outcome::Met(None) => return Ok(ExportAsked::Gone),
            Outcome::Met(Some(item)) => item,
        };
        let account = account_item::read(&met)?;
        let before = account_item::export_asked_at(&met)?.filter(|_| account.active);
        Ok(match (account.export, before) {
            (Some(export), Some(_)) => ExportAsked::Yes(export),
            (None, Some(before)) => ExportAsked::NotBefore(before + Export::PATIENCE),
            (_, None) => ExportAsked::Gone,
        })
    }

    /// Notes that an export is written; the stream mails the link. Answers `false` where another one is wanted by now, or none.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn note_export(
        &self,
        account: &Account,
        export: &Export,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let ready = Export { ready_at: Some(now), ..export.clone() };
        let change = Change::provided("exp.id = :id AND attribute_not_exists(exp.ready)")
            .set("exp = :exp, ev = :ev")
            .value(":id", text(export.id.simple().to_string()))
            .value(":exp", account_item::export(&ready))
            .value(":ev", text(Event::ExportReady.as_str()));
        Ok(match change.apply(&self.client, &self.users, &keys::account(account.id)).await? {
            Outcome::Done(_) => true,
            // It is noted already: the SDK repeated a call whose first answer was lost, or the record came twice.
            Outcome::Met(Some(item)) => account_item::read(&item)?.export.is_some_and(|noted| noted.id == export.id),
            Outcome::Met(None) => false,
        })
    }
}
