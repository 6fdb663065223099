//! Sessions: refreshed, listed, ended. The roster in the account decides; a row in `tokens` says where one was opened.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    Accounts, StoreError, account_item,
    account_item::roster_name,
    accounts::Event,
    attributes::{Reader, flag, moment, number, text},
    change::{Change, Outcome},
    keys,
    lookup::find_all,
    patience::Patience,
    transactions::Transacted,
};
use crate::domain::{Account, AuditEntry, Device, Session, SessionId};

/// That the session `#caller` lives, in an account that is active.
pub(super) const LIVES: &str = "s.#caller.#end > :now AND s.#caller.#abs > :now AND active = :yes";

/// How long the predecessor of a refresh token still gets the same successor: a client that lost the answer asks again.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// A refresh token that was presented, and what its successor is made with.
#[derive(Clone, Debug)]
pub struct Refresh {
    pub user_id: Uuid,
    pub session_id: SessionId,
    pub number: u32,
    /// The derivation key of the successor.
    pub next_key: u32,
    /// When the session ends unless it is used again.
    pub idle_end: DateTime<Utc>,
    pub require_verified: bool,
    pub now: DateTime<Utc>,
}

/// How a refresh ended.
#[derive(Debug)]
pub enum Refreshed {
    /// The account, whose session holds the successor.
    Yes(Box<Account>),
    /// The session is over, or never was.
    No,
    /// The token was used before: the session is ended.
    Reused,
    /// The address must be verified first; nothing was used up.
    Unverified,
}

impl Accounts {
    /// Exchanges a refresh token for its successor, in one conditional write.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn refresh(&self, refresh: &Refresh) -> Result<Refreshed, StoreError> {
        let mut patience = Patience::of_a_write();
        loop {
            let change = rotation(refresh);
            let met = match change.apply(&self.client, &self.users, &keys::account(refresh.user_id)).await? {
                Outcome::Done(item) => return Ok(Refreshed::Yes(Box::new(account_item::read(&item)?))),
                Outcome::Met(None) => return Ok(Refreshed::No),
                Outcome::Met(Some(item)) => account_item::read(&item)?,
            };
            let Some(session) = met.live_session(refresh.session_id, refresh.now).filter(|_| met.active) else {
                return Ok(Refreshed::No);
            };
            if refresh.require_verified && !met.verified {
                return Ok(Refreshed::Unverified);
            }
            let ahead = session.number.checked_sub(refresh.number);
            match ahead {
                None => return Ok(Refreshed::No),
                Some(1) if refresh.now <= session.times.used_at + GRACE => return Ok(Refreshed::Yes(Box::new(met))),
                Some(0) => patience.pause().await?,
                Some(_) => {
                    self.end_reused(refresh, session).await?;
                    return Ok(Refreshed::Reused);
                }
            }
        }
    }

    /// A token that was used up comes again: whoever holds its successor loses the session too (ASVS 10.4.5).
    async fn end_reused(&self, refresh: &Refresh, session: &Session) -> Result<(), StoreError> {
        let change = Change::provided("s.#sid.#n >= :number")
            .set("ev = :ev")
            .remove("s.#sid")
            .name("#sid", roster_name(session.id))
            .name("#n", "n")
            .value(":number", number(session.number))
            .value(":ev", text(Event::SessionEnded.as_str()));
        change.apply(&self.client, &self.users, &keys::account(refresh.user_id)).await.map(drop)
    }

    /// Ends the session `ended` of a user, on the word of their live session `caller`. Answers `false` where the caller's
    /// own session is over; where the other is not there, nothing happens.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn end_session(
        &self,
        user_id: Uuid,
        caller: SessionId,
        ended: SessionId,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let change = on_the_word_of(caller, now).remove("s.#ended").name("#ended", roster_name(ended));
        let outcome = change.apply(&self.client, &self.users, &keys::account(user_id)).await?;
        Ok(matches!(outcome, Outcome::Done(_)))
    }

    /// Ends the session `ended` of a user, on the word of someone who was admitted; where that is an admin, with the entry
    /// of the trail. Answers `false` where there is no such session, or it is over.
    ///
    /// # Errors
    /// `NotAllowed` where that admin is none any more, or where the store cannot answer.
    pub async fn take_session(
        &self,
        user_id: Uuid,
        ended: SessionId,
        entry: Option<&AuditEntry>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let change = Change::provided("s.#ended.#end > :now AND s.#ended.#abs > :now")
            .set("ev = :ev")
            .remove("s.#ended")
            .name("#ended", roster_name(ended))
            .name("#end", "end")
            .name("#abs", "abs")
            .value(":now", moment(now))
            .value(":ev", text(Event::SessionEnded.as_str()));
        let key = keys::account(user_id);
        if entry.is_none() {
            let outcome = change.apply(&self.client, &self.users, &key).await?;
            return Ok(matches!(outcome, Outcome::Done(_)));
        }
        let update = TransactWriteItem::builder().update(change.in_transaction(&self.users, &key)?).build();
        let written = self.transact_for(entry, vec![update], &mut Patience::of_a_write()).await?;
        Ok(matches!(written, Transacted::Committed))
    }

    /// Ends every session of a user, on the word of their live session `caller`. Answers `false` where that one is over, or the
    /// address must be verified first.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn end_sessions(
        &self,
        user_id: Uuid,
        caller: SessionId,
        require_verified: bool,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let empty = AttributeValue::M(HashMap::new());
        // Whoever ends all sessions does not trust what any of them asked for.
        let change = on_the_word_of(caller, now).set("s = :empty").remove("chg, chg_by, exp").value(":empty", empty);
        let change = if require_verified { change.and_provided("verified = :yes") } else { change };
        let outcome = change.apply(&self.client, &self.users, &keys::account(user_id)).await?;
        Ok(matches!(outcome, Outcome::Done(_)))
    }

    /// Where the sessions of the roster were opened from, by session; newest ones may lack their row for a moment. Rows of
    /// sessions that ended stay for weeks, and are not read.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn find_devices(
        &self,
        account: &Account,
    ) -> Result<HashMap<SessionId, (DateTime<Utc>, Device)>, StoreError> {
        let rows: Vec<_> =
            account.sessions.iter().map(|session| keys::session(account.id, session.id).item()).collect();
        if rows.is_empty() {
            return Ok(HashMap::new());
        }
        let found = find_all(&self.client, HashMap::from([(self.tokens()?.to_owned(), rows)]), true).await?;
        found.values().flatten().map(read_row).collect()
    }

    /// Where a user's sessions were opened from, also of those that ended: for as long as their rows stay, some weeks.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn find_all_devices(
        &self,
        user_id: Uuid,
    ) -> Result<HashMap<SessionId, (DateTime<Utc>, Device)>, StoreError> {
        let key = keys::session(user_id, Uuid::nil());
        let prefix = key.sk.trim_end_matches(&Uuid::nil().to_string());
        let rows = self
            .client
            .query()
            .table_name(self.tokens()?)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(&key.pk))
            .expression_attribute_values(":prefix", text(prefix));
        let rows: Vec<_> = rows.into_paginator().items().send().try_collect().await?;
        rows.iter().map(read_row).collect()
    }
}

fn read_row(row: &super::Item) -> Result<(SessionId, (DateTime<Utc>, Device)), StoreError> {
    let reader = Reader::new("tokens", row);
    let id = reader.text(keys::SK)?.rsplit('#').next().and_then(|id| id.parse().ok());
    let device = Device {
        ip_address: reader.optional_text("ip")?.map(str::to_owned),
        user_agent: reader.optional_text("ua")?.map(str::to_owned),
    };
    Ok((id.ok_or_else(|| reader.damaged("sk"))?, (reader.moment("created")?, device)))
}

/// The write that uses a refresh token up.
fn rotation(refresh: &Refresh) -> Change {
    let live = "s.#sid.#n = :number AND s.#sid.#end > :now AND s.#sid.#abs > :now AND active = :yes";
    let change = Change::provided(live)
        .set("s.#sid.#n = :next, s.#sid.#t = :now, s.#sid.#end = :end, s.#sid.#key = :key, ev = :ev")
        .name("#sid", roster_name(refresh.session_id))
        .name("#n", "n")
        .name("#t", "t")
        .name("#end", "end")
        .name("#abs", "abs")
        .name("#key", "key")
        .value(":number", number(refresh.number))
        .value(":next", number(refresh.number.saturating_add(1)))
        .value(":now", moment(refresh.now))
        .value(":end", moment(refresh.idle_end))
        .value(":key", number(refresh.next_key))
        .value(":yes", flag(true))
        .value(":ev", text(Event::Refreshed.as_str()));
    if refresh.require_verified { change.and_provided("verified = :yes") } else { change }
}

/// What the session `caller` may do while it lives, without reading first whether it does.
fn on_the_word_of(caller: SessionId, now: DateTime<Utc>) -> Change {
    Change::provided(LIVES)
        .set("ev = :ev")
        .name("#caller", roster_name(caller))
        .name("#end", "end")
        .name("#abs", "abs")
        .value(":now", moment(now))
        .value(":yes", flag(true))
        .value(":ev", text(Event::SessionEnded.as_str()))
}
