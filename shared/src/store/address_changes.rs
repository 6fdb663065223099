//! Changes of address: asked for, confirmed by the new address, undone by the old one.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Accounts, Reservation, StoreError,
    account_item::{self, roster_name},
    accounts::{Event, HELD_UNTIL, claim},
    attributes::{Reader, flag, moment, number, text},
    change::{Change, Outcome},
    guesses::row_over,
    keys,
    logins::without,
    patience::Patience,
    transactions::{Transacted, build, transact},
};
use crate::domain::{Account, AddressChange, AddressUndo, EmailAddress, Role, SessionId};

/// How a change of address went on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressMoved {
    Yes,
    /// The link is used up or its time is over, or the account changed meanwhile.
    No,
    /// Someone else has the address.
    Taken,
}

impl Accounts {
    /// Notes a change of address on the word of a right guess at the password, in place of one that waits; the stream
    /// mails the link. Answers `false` where the account changed meanwhile.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn ask_for_address(
        &self,
        reservation: &Reservation,
        account: &Account,
        session: SessionId,
        address: &AddressChange,
    ) -> Result<bool, StoreError> {
        let mut own_row = true;
        for _ in 0..2 {
            let change =
                Change::provided("active = :yes AND email = :email AND #hash = :hash AND attribute_exists(s.#by)")
                    .set("chg = :chg, chg_by = :by, ev = :ev")
                    .name("#hash", "hash")
                    .name("#by", account_item::roster_name(session))
                    .value(":yes", flag(true))
                    .value(":email", text(account.email.as_str()))
                    .value(":hash", text(&account.password_hash))
                    .value(":chg", account_item::address_change(address))
                    .value(":by", text(account_item::roster_name(session)))
                    .value(":ev", text(Event::AddressChangeRequested.as_str()));
            let change = if own_row {
                row_over(change.and_provided("gen = :gen")).value(":gen", number(reservation.guesses.generation))
            } else {
                change
            };
            let outcome = change.apply(&self.client, &self.users, &keys::account(account.id)).await?;
            if matches!(outcome, Outcome::Done(_)) {
                return Ok(true);
            }
            // Another success may have begun a new row of guesses, which is then not this one's to clear.
            own_row = false;
        }
        Ok(false)
    }

    /// Whether an address has no account and is not held for one at `now`, or is this user's.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn is_free(&self, email: &EmailAddress, for_user: Uuid, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let Some(claim) = self.get(keys::email_claim(email)).await? else { return Ok(true) };
        let claim = Reader::new("users", &claim);
        let over = claim.optional_moment(HELD_UNTIL)?.is_some_and(|end| end < now);
        Ok(over || claim.uuid("uid")? == for_user)
    }

    /// Gives a user the address that they asked for, in one transaction: the claim moves, the old address is held, and
    /// every session ends but the one that asked.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn move_address(
        &self,
        mut account: Account,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<AddressMoved, StoreError> {
        let mut patience = Patience::of_a_plan();
        loop {
            if account.address_undos.iter().any(|undo| undo.id == id && undo.is_live(now)) {
                return Ok(AddressMoved::Yes);
            }
            let live = |change: &AddressChange| change.id == id && change.is_live(now);
            let Some(change) = account.address_change.clone().filter(live).filter(|_| account.active) else {
                return Ok(AddressMoved::No);
            };
            let (old, mut undos) = (account.email.clone(), account.address_undos.clone());
            let (kept, gone): (Vec<_>, Vec<_>) =
                undos.drain(..).partition(|undo| undo.is_live(now) && undo.email != change.email);
            let end = now + AddressUndo::LIFETIME;
            let undo = AddressUndo { id, email: old.clone(), end };
            let undos: Vec<_> = kept.into_iter().chain([undo]).collect();
            let moved = moving(&account, &change.email, &undos, now);
            let mut items = vec![
                TransactWriteItem::builder()
                    .update(moved.in_transaction(&self.users, &keys::account(account.id))?)
                    .build(),
                self.taking(&change.email, account.id, now)?,
                TransactWriteItem::builder().update(self.holding(&old, account.id, Some(end))?).build(),
            ];
            items.extend(self.letting_go(&account, gone.iter().filter(|undo| undo.email != change.email)).await?);
            // The new address is verified by it.
            let verified = account.active && account.role == Role::Admin;
            items.extend(self.counting_admins(account.is_acting_admin(), verified)?);
            match transact(&self.client, items, &mut patience).await? {
                Transacted::Committed => return Ok(AddressMoved::Yes),
                Transacted::Refused(refused) if refused.contains(1) && !refused.contains(0) => {
                    return Ok(AddressMoved::Taken);
                }
                Transacted::Refused(_) => patience.pause().await?,
            }
            let Some(met) = self.find(account.id).await? else { return Ok(AddressMoved::No) };
            account = met;
        }
    }

    /// Gives a user back the address that change `id` took from them. Changes that were made after it are undone with
    /// it, and every session ends.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn restore_address(
        &self,
        mut account: Account,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<AddressMoved, StoreError> {
        let mut patience = Patience::of_a_plan();
        loop {
            let place = account.address_undos.iter().position(|undo| undo.id == id && undo.is_live(now));
            let Some(place) = place.filter(|_| account.active) else { return Ok(AddressMoved::No) };
            let (earlier, rest) = account.address_undos.split_at(place);
            let Some((restored, later)) = rest.split_first() else { return Ok(AddressMoved::No) };
            let change = restoring(&account, &restored.email, earlier, now);
            let mut items = vec![
                TransactWriteItem::builder()
                    .update(change.in_transaction(&self.users, &keys::account(account.id))?)
                    .build(),
                TransactWriteItem::builder().update(self.holding(&restored.email, account.id, None)?).build(),
                self.giving_up(keys::email_claim(&account.email), account.id)?,
            ];
            items.extend(self.letting_go(&account, later.iter().filter(|undo| undo.email != account.email)).await?);
            match transact(&self.client, items, &mut patience).await? {
                Transacted::Committed => return Ok(AddressMoved::Yes),
                Transacted::Refused(_) => patience.pause().await?,
            }
            let Some(met) = self.find(account.id).await? else { return Ok(AddressMoved::No) };
            account = met;
        }
    }

    /// Takes an address that is free, or that is held for this very user.
    fn taking(&self, email: &EmailAddress, user_id: Uuid, now: DateTime<Utc>) -> Result<TransactWriteItem, StoreError> {
        let free = format!(
            "attribute_not_exists(pk) OR {HELD_UNTIL} < :now OR (attribute_exists({HELD_UNTIL}) AND uid = :me)"
        );
        let put = Put::builder()
            .table_name(&*self.users)
            .set_item(Some(claim(keys::email_claim(email), user_id)))
            .condition_expression(free)
            .expression_attribute_values(":now", moment(now))
            .expression_attribute_values(":me", text(user_id.to_string()));
        Ok(TransactWriteItem::builder().put(build(put.build())?).build())
    }

    /// Holds the address of a user until `end`, or lets it be theirs again.
    fn holding(&self, email: &EmailAddress, user_id: Uuid, end: Option<DateTime<Utc>>) -> Result<Update, StoreError> {
        let change = Change::provided("uid = :me").value(":me", text(user_id.to_string()));
        let change = match end {
            Some(end) => change.set(format!("{HELD_UNTIL} = :end")).value(":end", moment(end)),
            None => change.remove(HELD_UNTIL),
        };
        change.in_transaction(&self.users, &keys::email_claim(email))
    }

    /// Gives up held addresses, as far as nobody else has taken them since.
    async fn letting_go(
        &self,
        account: &Account,
        undos: impl Iterator<Item = &AddressUndo>,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut items = Vec::new();
        for undo in undos {
            if self.find_claimant(&undo.email).await? == Some(account.id) {
                items.push(self.giving_up(keys::email_claim(&undo.email), account.id)?);
            }
        }
        Ok(items)
    }
}

/// The address, as of both moves: whoever has a reset code or a change under way has it for the old one.
fn readdressing(seen: &Account, email: &EmailAddress, undos: &[AddressUndo], now: DateTime<Utc>) -> Change {
    Change::provided("active = :yes AND email = :old AND updated = :seen")
        .set("email = :email, und = :und, updated = :now, ev = :ev")
        .remove("chg, chg_by, rst, exp")
        .value(":yes", flag(true))
        .value(":old", text(seen.email.as_str()))
        .value(":seen", moment(seen.updated_at))
        .value(":email", text(email.as_str()))
        .value(":und", account_item::address_undos(undos))
        // Two writes within a millisecond must not look alike to whoever saw the first.
        .value(":now", moment(now.max(seen.updated_at + chrono::TimeDelta::milliseconds(1))))
}

fn moving(seen: &Account, email: &EmailAddress, undos: &[AddressUndo], now: DateTime<Utc>) -> Change {
    let change = readdressing(seen, email, undos, now)
        .and_provided("chg.id = :id AND size(s) <= :size AND #role = :role AND verified = :verified")
        .set("verified = :yes")
        .name("#role", "role")
        .value(":role", text(seen.role.as_str()))
        .value(":verified", flag(seen.verified))
        .value(":id", text(undos.last().map(|undo| undo.id.simple().to_string()).unwrap_or_default()))
        .value(":size", number(seen.sessions.len()))
        .value(":ev", text(Event::AddressChanged.as_str()));
    let (kept, others): (Vec<_>, Vec<_>) =
        seen.sessions.iter().partition(|session| Some(session.id) == seen.address_change_by);
    // Where a sign-in took the place of the kept one, there are as many sessions as were seen, and one that nobody saw.
    let change = kept.into_iter().fold(change, |change, session| {
        change.and_provided("attribute_exists(s.#kept)").name("#kept", roster_name(session.id))
    });
    others.into_iter().fold(change, without)
}

fn restoring(seen: &Account, email: &EmailAddress, undos: &[AddressUndo], now: DateTime<Utc>) -> Change {
    readdressing(seen, email, undos, now)
        .set("s = :empty")
        .value(":empty", AttributeValue::M(HashMap::new()))
        .value(":ev", text(Event::AddressRestored.as_str()))
}
