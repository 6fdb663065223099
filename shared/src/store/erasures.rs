//! Erasing an account: one transaction ends it and frees what others may take; what is left goes piece by piece, and can
//! be taken up wherever it stopped.

use std::time::Instant;

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    Accounts, DocumentKind, Item, StoreError,
    account_item::roster_name,
    attributes::{Reader, flag, moment, text},
    change::Change,
    directory::Looked,
    keys,
    patience::Patience,
    removals::remove_all,
    search::Indexed,
    sessions::LIVES,
    transactions::{Transacted, build, transact},
};
use crate::domain::{Account, AuditEntry, SessionId};

/// Whatever was under way when the account ended has ended by then: the longest time-out, the janitor's own, and a margin.
const SWEPT_AGAIN: TimeDelta = TimeDelta::seconds(150);

/// On whose word an account is erased.
#[derive(Clone, Debug)]
pub enum Erasing {
    /// Its owner's, while this session lives.
    Own(SessionId),
    /// An admin's, with the entry of the trail.
    ByAdmin(AuditEntry),
    /// Nobody's: its address was never verified.
    NeverVerified,
}

/// How ending an account ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Yes,
    /// There would be no admin left.
    LastAdmin,
    /// Whoever asked for it may not, by now, or it is gone already.
    No,
}

/// An erasure that is under way.
#[derive(Clone, Copy, Debug)]
pub struct Erasure {
    pub user_id: Uuid,
    pub began_at: DateTime<Utc>,
}

impl Accounts {
    /// Ends an account at once: it, its claims, its documents and its rows in the index go in one transaction, which
    /// also notes that the rest is to be erased.
    ///
    /// # Errors
    /// `NotAllowed` where the admin who asked is none any more, or where the store cannot answer.
    pub async fn end_account(
        &self,
        mut account: Account,
        erasing: &Erasing,
        now: DateTime<Utc>,
    ) -> Result<Ended, StoreError> {
        let mut patience = Patience::of_a_plan();
        loop {
            let never_verified = matches!(erasing, Erasing::NeverVerified);
            let own = match erasing {
                Erasing::Own(session) => account.active && account.live_session(*session, now).is_some(),
                Erasing::ByAdmin(_) | Erasing::NeverVerified => true,
            };
            if !own || (never_verified && account.verified) {
                return Ok(Ended::No);
            }
            let (indexed, held) = tokio::try_join!(self.find_indexed(account.id), self.held_claims(&account))?;
            let items = self.ending(&account, &indexed, held, erasing, now)?;
            let admins = account.is_acting_admin().then_some(ADMINS);
            let entry = if let Erasing::ByAdmin(entry) = erasing { Some(entry) } else { None };
            match self.transact_for(entry, items, &mut patience).await? {
                Transacted::Committed => return Ok(Ended::Yes),
                Transacted::Refused(refused)
                    if admins.is_some_and(|place| refused.contains(place)) && !refused.contains(ACCOUNT) =>
                {
                    return Ok(Ended::LastAdmin);
                }
                Transacted::Refused(_) => patience.pause().await?,
            }
            let Some(met) = self.find(account.id).await? else { return Ok(Ended::No) };
            account = met;
        }
    }

    fn ending(
        &self,
        account: &Account,
        indexed: &Indexed,
        held: Vec<keys::Key>,
        erasing: &Erasing,
        now: DateTime<Utc>,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let id = account.id;
        let mut items = vec![self.deleting_account(account, erasing, now)?];
        items.extend(self.counting_admins(account.is_acting_admin(), false)?);
        items.push(self.giving_up(keys::email_claim(&account.email), id)?);
        if let Some(username) = &account.username {
            items.push(self.giving_up(keys::username_claim(username), id)?);
        }
        for claim in held {
            items.push(self.giving_up(claim, id)?);
        }
        for kind in DocumentKind::ALL {
            let delete =
                Delete::builder().table_name(&*self.users).set_key(Some(keys::document(id, kind.as_str()).item()));
            items.push(TransactWriteItem::builder().delete(build(delete.build())?).build());
        }
        items.extend(self.leaving_index(id, indexed)?);
        let mut note = keys::erasure(id).item();
        note.insert("began".into(), moment(now));
        let note = Put::builder().table_name(&*self.users).set_item(Some(note));
        items.push(TransactWriteItem::builder().put(build(note.build())?).build());
        Ok(items)
    }

    /// Every edit moves `updated`, if not by two edits of one millisecond: what the transaction was planned from is named beside it.
    fn deleting_account(
        &self,
        account: &Account,
        erasing: &Erasing,
        now: DateTime<Utc>,
    ) -> Result<TransactWriteItem, StoreError> {
        let unchanged =
            "updated = :updated AND email = :email AND #role = :role AND active = :active AND verified = :verified";
        let unchanged = match &account.username {
            Some(_) => format!("{unchanged} AND username = :username"),
            None => format!("{unchanged} AND attribute_not_exists(username)"),
        };
        let delete = match erasing {
            Erasing::Own(session) => Delete::builder()
                .condition_expression(format!("{unchanged} AND {LIVES}"))
                .expression_attribute_names("#caller", roster_name(*session))
                .expression_attribute_names("#end", "end")
                .expression_attribute_names("#abs", "abs")
                .expression_attribute_values(":now", moment(now))
                .expression_attribute_values(":yes", flag(true)),
            Erasing::ByAdmin(_) | Erasing::NeverVerified => Delete::builder().condition_expression(unchanged),
        };
        let delete = delete
            .table_name(&*self.users)
            .set_key(Some(keys::account(account.id).item()))
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":updated", moment(account.updated_at))
            .expression_attribute_values(":email", text(account.email.as_str()))
            .expression_attribute_values(":role", text(account.role.as_str()))
            .expression_attribute_values(":active", flag(account.active))
            .expression_attribute_values(":verified", flag(account.verified));
        let delete = match &account.username {
            Some(username) => delete.expression_attribute_values(":username", text(username.as_str())),
            None => delete,
        };
        Ok(TransactWriteItem::builder().delete(build(delete.build())?).build())
    }

    /// The claims on addresses that a change left behind, as far as nobody else has taken them since.
    async fn held_claims(&self, account: &Account) -> Result<Vec<keys::Key>, StoreError> {
        let mut held = Vec::new();
        for undo in &account.address_undos {
            if self.find_claimant(&undo.email).await? == Some(account.id) {
                held.push(keys::email_claim(&undo.email));
            }
        }
        Ok(held)
    }

    /// The erasures under way, oldest user first, and those whose note is damaged.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn open_erasures(&self) -> Result<Vec<Result<Erasure, StoreError>>, StoreError> {
        let rows = self
            .client
            .query()
            .table_name(&*self.users)
            .consistent_read(true)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(keys::erasure(Uuid::nil()).pk));
        let rows: Vec<_> = rows.into_paginator().items().send().try_collect().await?;
        Ok(rows.iter().map(read).collect())
    }

    /// Removes what stands beside the account: whatever a request that was under way wrote late, and session rows.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn erase_leftovers(&self, user_id: Uuid, until: Instant) -> Result<bool, StoreError> {
        let partition = keys::account(user_id).pk;
        let users = remove_all(&self.client, &self.users, &partition, until).await?;
        let tokens = remove_all(&self.client, self.tokens()?, &partition, until).await?;
        Ok(users && tokens)
    }

    /// Notes that an erasure is complete, once nothing that was under way when it began can write any more. Answers
    /// `false` where it is too early.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn finish_erasure(&self, erasure: &Erasure, now: DateTime<Utc>) -> Result<bool, StoreError> {
        if now < erasure.began_at + SWEPT_AGAIN {
            return Ok(false);
        }
        let delete = Delete::builder().table_name(&*self.users).set_key(Some(keys::erasure(erasure.user_id).item()));
        let mut done = keys::erased(erasure.user_id).item();
        done.insert("began".into(), moment(erasure.began_at));
        done.insert("done".into(), moment(now));
        let done = Put::builder().table_name(&*self.users).set_item(Some(done));
        let items = vec![
            TransactWriteItem::builder().delete(build(delete.build())?).build(),
            TransactWriteItem::builder().put(build(done.build())?).build(),
        ];
        transact(&self.client, items, &mut Patience::of_a_write()).await.map(|_| true)
    }

    /// The erasure in an image of the stream of table `users`; nothing where it is of another kind of item.
    ///
    /// # Errors
    /// Where the image is damaged.
    pub fn read_erasure(image: serde_dynamo::Item) -> Result<Option<Erasure>, StoreError> {
        let image: Item = image.into();
        let partition = keys::erasure(Uuid::nil()).pk;
        if Reader::new("users", &image).text(keys::PK)? != partition {
            return Ok(None);
        }
        read(&image).map(Some)
    }

    /// How far accounts that were never verified have been looked through.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn looked_through(&self) -> Result<Option<Looked>, StoreError> {
        let Some(item) = self.get(keys::unverified_sweep()).await? else { return Ok(None) };
        let reader = Reader::new("users", &item);
        let Some(until) = reader.optional_moment("until")? else { return Ok(None) };
        let last = reader.optional_text("last")?.map(str::parse).transpose().map_err(|_| reader.damaged("last"))?;
        Ok(Some(Looked { until, last, again: reader.optional_moment("again")? }))
    }

    /// Notes how far they have been looked through by whoever went on from what was `seen`. Where that is another moment by now,
    /// people were brought in, and nothing is noted.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn note_looked_through(&self, seen: Option<Looked>, now: Looked) -> Result<(), StoreError> {
        let change = match seen {
            Some(seen) => Change::provided("#until = :seen").value(":seen", moment(seen.until)),
            None => Change::provided("attribute_not_exists(#until)"),
        };
        let change = change.set("#until = :until").name("#until", "until").value(":until", moment(now.until));
        let change = match now.last {
            Some(last) => change.set("#last = :last").value(":last", text(last.to_string())),
            None => change.remove("#last"),
        };
        let change = match now.again {
            Some(again) => change.set("again = :again").value(":again", moment(again)),
            None => change.remove("again"),
        };
        let change = change.name("#last", "last");
        change.apply(&self.client, &self.users, &keys::unverified_sweep()).await.map(drop)
    }
}

/// Places in the transaction that ends an account.
const ACCOUNT: usize = 0;
const ADMINS: usize = 1;

fn read(item: &Item) -> Result<Erasure, StoreError> {
    let reader = Reader::new("users", item);
    let user_id = reader.text(keys::SK)?.parse().map_err(|_| reader.damaged("sk"))?;
    Ok(Erasure { user_id, began_at: reader.moment("began")? })
}
