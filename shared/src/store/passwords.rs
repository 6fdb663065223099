//! Password changes and resets.

use chrono::{DateTime, Utc};
use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use super::{
    Accounts, GuessKey, Reservation, StoreError, account_item,
    accounts::Event,
    attributes::{expiry, flag, moment, number, text},
    change::{Change, Outcome},
    guesses::{reservation_id, row_over},
    keys,
    logins::without,
    patience::Patience,
    transactions::{Transacted, transact},
};
use crate::domain::{Account, EmailAddress, Invitation, Reset, Role, SessionId};

/// A try at a reset code: reserved before it is compared, and given back where it was right.
#[derive(Debug)]
pub struct ResetTry {
    pub account: Box<Account>,
    /// The reset that is tried.
    pub reset: Reset,
    name: String,
}

/// What a mail gave its reader, by which they set a password.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A code, whose try is among those that are reserved.
    ResetCode(Reset),
    ResetLink(Reset),
    Invitation(Invitation),
}

impl Proof {
    fn presented(&self) -> Change {
        let presented = |condition: &str, reset: &Reset| {
            let change = Change::provided(condition).value(":proof", text(reset.id.simple().to_string()));
            change.value(":tries", number(Reset::TRIES))
        };
        match self {
            Self::ResetCode(reset) => presented("rst.id = :proof AND rst.#end > :now AND rst.tries <= :tries", reset),
            Self::ResetLink(reset) => presented("rst.id = :proof AND rst.#end > :now AND rst.tries < :tries", reset),
            Self::Invitation(invitation) => Change::provided("inv.id = :proof AND inv.#end > :now")
                .value(":proof", text(invitation.id.simple().to_string())),
        }
    }

    /// Whether the account still takes it; of a code whose try is reserved only whether its reset is there.
    fn is_still_in(&self, account: &Account, now: DateTime<Utc>) -> bool {
        let same = |reset: &Reset| account.reset.as_ref().filter(|other| other.id == reset.id).cloned();
        match self {
            Self::ResetCode(reset) => same(reset).is_some_and(|reset| now < reset.end),
            Self::ResetLink(reset) => same(reset).is_some_and(|reset| reset.is_live(now)),
            Self::Invitation(invitation) => account.invitation.as_ref().is_some_and(|other| other.id == invitation.id),
        }
    }

    /// Nobody needs to be told that the password, which nobody had, is another one.
    fn event(&self) -> Event {
        match self {
            Self::ResetCode(_) | Self::ResetLink(_) => Event::PasswordChanged,
            Self::Invitation(_) => Event::Verified,
        }
    }
}

/// How a new password was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordSet {
    Yes,
    /// What it was set by is used up, or the account changed meanwhile.
    No,
}

impl Accounts {
    /// Begins a reset, in place of one that is under way; the stream mails code and link. Behind a ghost the same write
    /// is made, and nothing comes of it.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn begin_reset(&self, key: &GuessKey, reset: &Reset) -> Result<(), StoreError> {
        let begun = |change: Change| change.quietly().set("rst = :rst").value(":rst", account_item::reset(reset));
        match key {
            GuessKey::Account(id) => {
                let change = begun(Change::provided("active = :yes")).value(":yes", flag(true));
                let change = change.set("ev = :ev").value(":ev", text(Event::ResetRequested.as_str()));
                change.apply(&self.client, &self.users, &keys::account(*id)).await.map(drop)
            }
            GuessKey::Ghost(lookup) => {
                let change = begun(Change::unconditional());
                let change = change.set("expires_at = :expires").value(":expires", expiry(reset.end));
                change.apply(&self.client, self.tokens()?, &keys::ghost_reset(lookup)).await.map(drop)
            }
        }
    }

    /// Reserves a try at the code of a reset that lives and has a try left; nothing where there is none.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn try_reset(&self, key: &GuessKey, now: DateTime<Utc>) -> Result<Option<ResetTry>, StoreError> {
        let name = reservation_id();
        let room = "rst.tries < :tries AND rst.#end > :now AND attribute_not_exists(rst.#try)";
        let change = Change::provided(room)
            .set("rst.tries = rst.tries + :one, rst.#try = :one, ev = :ev")
            .name("#end", "end")
            .name("#try", &name)
            .value(":tries", number(Reset::TRIES))
            .value(":now", moment(now))
            .value(":one", number(1))
            .value(":ev", text(Event::ResetTried.as_str()));
        let user_id = match key {
            GuessKey::Account(user_id) => *user_id,
            GuessKey::Ghost(lookup) => {
                change.apply(&self.client, self.tokens()?, &keys::ghost_reset(lookup)).await?;
                return Ok(None);
            }
        };
        let item = match change.apply(&self.client, &self.users, &keys::account(user_id)).await? {
            Outcome::Done(item) => item,
            // The SDK repeated a call whose first answer was lost.
            Outcome::Met(Some(item)) if account_item::has_reset_try(&item, &name)? => item,
            Outcome::Met(_) => return Ok(None),
        };
        let account = Box::new(account_item::read(&item)?);
        Ok(account.reset.clone().map(|reset| ResetTry { account, reset, name }))
    }

    /// Gives a try back that was right and is not used up: once, however often it is asked for, and whatever others were reserved since.
    ///
    /// # Errors
    /// Where the store cannot answer; the try then counts as wrong.
    pub async fn give_reset_try_back(&self, tried: &ResetTry) -> Result<(), StoreError> {
        let change = Change::provided("rst.id = :id AND attribute_exists(rst.#try)")
            .set("rst.tries = rst.tries - :one, ev = :ev")
            .remove("rst.#try")
            .name("#try", &tried.name)
            .value(":id", text(tried.reset.id.simple().to_string()))
            .value(":one", number(1))
            .value(":ev", text(Event::ResetTried.as_str()));
        change.apply(&self.client, &self.users, &keys::account(tried.account.id)).await.map(drop)
    }

    /// Sets a new password on the word of a mail: verifies the address, ends every session, lifts a lock, and uses the
    /// proof up. An address that this verifies makes an admin where it is one of `admins`.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn set_password(
        &self,
        account: &Account,
        proof: &Proof,
        password_hash: &str,
        admins: &[EmailAddress],
        now: DateTime<Utc>,
    ) -> Result<PasswordSet, StoreError> {
        let mut account = account.clone();
        let mut patience = Patience::of_a_plan();
        loop {
            let promoted = !account.verified && account.role == Role::User && admins.contains(&account.email);
            let change = resetting(&account, proof, password_hash, promoted, now);
            let acts = account.active && (promoted || account.role == Role::Admin);
            let written = match self.counting_admins(account.is_acting_admin(), acts)? {
                None => {
                    let outcome = change.apply(&self.client, &self.users, &keys::account(account.id)).await?;
                    matches!(outcome, Outcome::Done(_))
                }
                Some(counting) => {
                    let update = change.in_transaction(&self.users, &keys::account(account.id))?;
                    let items = vec![TransactWriteItem::builder().update(update).build(), counting];
                    matches!(transact(&self.client, items, &mut patience).await?, Transacted::Committed)
                }
            };
            if written {
                return Ok(PasswordSet::Yes);
            }
            let Some(met) = self.find(account.id).await? else { return Ok(PasswordSet::No) };
            // The SDK may have repeated a call whose answer was lost.
            if met.password_hash == password_hash {
                return Ok(PasswordSet::Yes);
            }
            if !proof.is_still_in(&met, now) || !met.active || met.email != account.email {
                return Ok(PasswordSet::No);
            }
            account = met;
            patience.pause().await?;
        }
    }

    /// Sets a new password on the word of a right guess at the old one: ends every session but `kept`.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn change_password(
        &self,
        reservation: &Reservation,
        account: &Account,
        kept: SessionId,
        password_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<PasswordSet, StoreError> {
        let mut seen = account.clone();
        let mut patience = Patience::of_a_write();
        loop {
            let change = changing(&seen, kept, password_hash, now);
            let change =
                if seen.guesses.generation == reservation.guesses.generation { row_over(change) } else { change };
            let met = match change.apply(&self.client, &self.users, &keys::account(seen.id)).await? {
                Outcome::Done(_) => return Ok(PasswordSet::Yes),
                Outcome::Met(None) => return Ok(PasswordSet::No),
                Outcome::Met(Some(item)) => account_item::read(&item)?,
            };
            if met.password_hash == password_hash {
                return Ok(PasswordSet::Yes);
            }
            if met.password_hash != account.password_hash || !met.active || met.live_session(kept, now).is_none() {
                return Ok(PasswordSet::No);
            }
            seen = met;
            patience.pause().await?;
        }
    }
}

fn resetting(account: &Account, proof: &Proof, password_hash: &str, promoted: bool, now: DateTime<Utc>) -> Change {
    let role = if promoted { Role::Admin } else { account.role };
    let change = proof
        .presented()
        .and_provided("active = :yes AND email = :email AND #role = :old_role AND verified = :verified")
        .set("#hash = :hash, verified = :yes, #role = :role, s = :empty, updated = :now, ev = :ev")
        .remove("rst, inv, chg, chg_by, exp")
        .name("#hash", "hash")
        .name("#role", "role")
        .name("#end", "end")
        .value(":hash", text(password_hash))
        .value(":yes", flag(true))
        .value(":verified", flag(account.verified))
        .value(":email", text(account.email.as_str()))
        .value(":role", text(role.as_str()))
        .value(":old_role", text(account.role.as_str()))
        .value(":empty", AttributeValue::M(HashMap::new()))
        .value(":now", moment(now))
        .value(":ev", text(proof.event().as_str()));
    // What signed in before anybody had verified the address is not known to whoever did.
    let change = if account.was_ever_verified() { change } else { change.remove("dev, dn") };
    row_over(change)
}

fn changing(seen: &Account, kept: SessionId, password_hash: &str, now: DateTime<Utc>) -> Change {
    let unchanged = "gen = :gen AND #hash = :old AND active = :yes AND size(s) <= :size AND s.#kept.#end > :now";
    let change = Change::provided(unchanged)
        .set("#hash = :hash, updated = :now, ev = :ev")
        .remove("rst, chg, chg_by, exp")
        .name("#hash", "hash")
        .name("#end", "end")
        .name("#kept", account_item::roster_name(kept))
        .value(":gen", number(seen.guesses.generation))
        .value(":old", text(&seen.password_hash))
        .value(":hash", text(password_hash))
        .value(":yes", flag(true))
        .value(":size", number(seen.sessions.len()))
        .value(":now", moment(now))
        .value(":ev", text(Event::PasswordChanged.as_str()));
    seen.sessions.iter().filter(|session| session.id != kept).fold(change, without)
}
