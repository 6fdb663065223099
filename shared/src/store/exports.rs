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

impl Accounts {
    /// Asks for an export, unless one is fresh at `asked.asked_at`. Answers the one that counts; nothing where the account
    /// is gone.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn ask_for_export(&self, user_id: Uuid, asked: &Export) -> Result<Option<Export>, StoreError> {
        let change = Change::provided("active = :yes AND (attribute_not_exists(exp) OR exp.#at <= :stale)")
            .set("exp = :exp, ev = :ev")
            .name("#at", "at")
            .value(":yes", flag(true))
            .value(":stale", moment(asked.asked_at - Export::PATIENCE))
            .value(":exp", account_item::export(asked))
            .value(":ev", text(Event::ExportRequested.as_str()));
        Ok(match change.apply(&self.client, &self.users, &keys::account(user_id)).await? {
            Outcome::Done(_) => Some(asked.clone()),
            Outcome::Met(Some(item)) => account_item::read(&item)?.export,
            Outcome::Met(None) => None,
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
