//! Edits of an account and of the documents beside it: whatever belongs together is one transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Accounts, StoreError, StoredDocument,
    accounts::Event,
    attributes::{flag, moment, number, text},
    change::Change,
    documents::{self, DocumentKind},
    guesses::row_over,
    keys,
    patience::Patience,
    transactions::{Refused, Transacted, build},
};
use crate::domain::{Account, AccountEdit, AuditEntry, Document, Edits, Invalid, Role, agree};

/// An edit of a user.
#[derive(Clone, Debug, Default)]
pub struct UserEdit {
    pub account: AccountEdit,
    pub document: Option<(DocumentKind, Edits)>,
    /// The entry of the trail, where an admin does it.
    pub audit: Option<AuditEntry>,
    /// Whether the plan must be another one than before.
    pub other_plan: bool,
}

/// How an edit ended.
#[derive(Debug)]
pub enum Edited {
    /// The user as they are now, with the document that was edited, as it is and as it was.
    Yes {
        account: Box<Account>,
        document: StoredDocument,
        before: StoredDocument,
    },
    UsernameTaken,
    /// There would be no admin left.
    LastAdmin,
    /// The account has that plan already.
    PlanUnchanged,
    /// A field does not agree with another one.
    Disagrees(&'static str, Invalid),
    /// Whoever edits themselves was disabled meanwhile.
    Disabled,
    /// Whoever edits themselves is not verified any more, and would have to be.
    Unverified,
    /// The account is gone.
    Gone,
}

/// What each item of the transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Account,
    Claim,
    Document,
    Index,
    Admins,
    Other,
}

impl Accounts {
    /// Edits a user who is as `account` and `stored` say, or has changed since.
    ///
    /// # Errors
    /// `NotAllowed` where whoever edits may not by then, or where the store cannot answer.
    pub async fn edit(
        &self,
        mut account: Account,
        mut stored: StoredDocument,
        edit: &UserEdit,
        now: DateTime<Utc>,
    ) -> Result<Edited, StoreError> {
        let mut patience = Patience::of_a_plan();
        loop {
            let planned = match self.planned(&account, &stored, edit) {
                Ok(planned) => planned,
                Err((field, invalid)) => return Ok(Edited::Disagrees(field, invalid)),
            };
            if edit.other_plan && planned.0.plan == account.plan {
                return Ok(Edited::PlanUnchanged);
            }
            let refused = match self.write(&account, &stored, &planned, edit, now, &mut patience).await? {
                Written::Yes => {
                    let (next, document) = planned;
                    let document = document.map_or(stored.clone(), |document| after(&stored, document, now));
                    let mut next = next;
                    next.updated_at = if edit.account.is_empty() { next.updated_at } else { now };
                    return Ok(Edited::Yes { account: Box::new(next), document, before: stored });
                }
                Written::No(refused) => refused,
            };
            let changed = [Part::Account, Part::Document, Part::Index];
            if !changed.iter().any(|part| refused.contains(part)) {
                if refused.contains(&Part::Claim) {
                    return Ok(Edited::UsernameTaken);
                }
                if refused.contains(&Part::Admins) {
                    return Ok(Edited::LastAdmin);
                }
            }
            patience.pause().await?;
            let (user_id, kind) = (account.id, edit.document.as_ref().map(|(kind, _)| *kind));
            let document = async {
                match kind {
                    Some(kind) => self.find_document(user_id, kind).await,
                    None => Ok(stored),
                }
            };
            let (met, document) = tokio::try_join!(self.find(user_id), document)?;
            let Some(met) = met else { return Ok(Edited::Gone) };
            // Who changes somebody else is asked about in the write itself.
            if edit.audit.as_ref().is_none_or(|entry| entry.actor == met.id) {
                if !met.active {
                    return Ok(Edited::Disabled);
                }
                if self.require_verified && !met.verified {
                    return Ok(Edited::Unverified);
                }
                if edit.audit.is_some() && met.role != Role::Admin {
                    return Err(StoreError::NotAllowed);
                }
            }
            (account, stored) = (met, document);
        }
    }

    fn planned(
        &self,
        account: &Account,
        stored: &StoredDocument,
        edit: &UserEdit,
    ) -> Result<(Account, Option<Document>), (&'static str, Invalid)> {
        let next = edit.account.applied(account);
        let document = edit.document.as_ref().map(|(_, edits)| stored.document.edited(edits));
        document.as_ref().map_or(Ok(()), agree)?;
        Ok((next, document))
    }

    async fn write(
        &self,
        seen: &Account,
        stored: &StoredDocument,
        (next, document): &(Account, Option<Document>),
        edit: &UserEdit,
        now: DateTime<Utc>,
        patience: &mut Patience,
    ) -> Result<Written, StoreError> {
        let document = match (document, &edit.document) {
            (Some(document), Some((kind, _))) => Some(documents::item(seen.id, *kind, document, stored, now)?),
            _ => None,
        };
        let unaccounted = edit.account.is_empty() && edit.audit.is_none();
        if unaccounted {
            let Some(item) = document else { return Ok(Written::Yes) };
            let saved = self.save_document(item, stored.version).await?;
            return Ok(if saved { Written::Yes } else { Written::No(vec![Part::Document]) });
        }
        let change = editing(seen, next, &edit.account, now).in_transaction(&self.users, &keys::account(seen.id))?;
        let mut parts = vec![(Part::Account, TransactWriteItem::builder().update(change).build())];
        parts.extend(self.moving_username(seen, next, now)?);
        if let Some(item) = document {
            parts.push((Part::Document, self.saving_document(item, stored.version)?));
        }
        parts.extend(
            self.counting_admins(seen.is_acting_admin(), next.is_acting_admin())?.map(|item| (Part::Admins, item)),
        );
        if seen.is_listed() && !next.is_listed() {
            // Whoever hides, or is hidden, is found no more from now on; everything else the index learns by and by.
            let indexed = self.find_indexed(seen.id).await?;
            parts.extend(self.leaving_index(seen.id, &indexed)?.into_iter().map(|item| (Part::Index, item)));
        }
        let (names, items): (Vec<Part>, Vec<TransactWriteItem>) = parts.into_iter().unzip();
        Ok(match self.transact_for(edit.audit.as_ref(), items, patience).await? {
            Transacted::Committed => Written::Yes,
            Transacted::Refused(refused) => Written::No(failed(&names, &refused)),
        })
    }

    /// A username belongs to whoever has its claim. Its case is the account's own affair.
    fn moving_username(
        &self,
        seen: &Account,
        next: &Account,
        now: DateTime<Utc>,
    ) -> Result<Vec<(Part, TransactWriteItem)>, StoreError> {
        let (old, new) = (seen.username.as_ref(), next.username.as_ref());
        if old.map(|name| name.folded()) == new.map(|name| name.folded()) {
            return Ok(Vec::new());
        }
        let mut parts = Vec::new();
        if let Some(new) = new {
            parts.push((Part::Claim, self.claiming(keys::username_claim(new), seen.id, now)?));
        }
        if let Some(old) = old {
            parts.push((Part::Other, self.giving_up(keys::username_claim(old), seen.id)?));
        }
        Ok(parts)
    }

    /// Gives up a claim of a user.
    pub(super) fn giving_up(&self, key: keys::Key, user_id: Uuid) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&*self.users)
            .set_key(Some(key.item()))
            .condition_expression("uid = :me")
            .expression_attribute_values(":me", text(user_id.to_string()));
        Ok(TransactWriteItem::builder().delete(build(delete.build())?).build())
    }

    /// Counts the admins who can act, where someone becomes one or stops being one. The last one stays.
    pub(super) fn counting_admins(&self, before: bool, after: bool) -> Result<Option<TransactWriteItem>, StoreError> {
        let change = match (before, after) {
            (false, true) => Change::unconditional().add("#count :one"),
            (true, false) => Change::provided("#count > :one").set("#count = #count - :one"),
            _ => return Ok(None),
        };
        let change = change.name("#count", "count").value(":one", number(1));
        let update = change.in_transaction(&self.users, &keys::admins())?;
        Ok(Some(TransactWriteItem::builder().update(update).build()))
    }
}

enum Written {
    Yes,
    /// These were not as they had been seen.
    No(Vec<Part>),
}

fn failed(names: &[Part], refused: &Refused) -> Vec<Part> {
    names.iter().enumerate().filter(|(place, _)| refused.contains(*place)).map(|(_, part)| *part).collect()
}

fn after(stored: &StoredDocument, document: Document, now: DateTime<Utc>) -> StoredDocument {
    StoredDocument {
        document,
        version: stored.version + 1,
        created_at: stored.created_at.or(Some(now)),
        updated_at: Some(now),
    }
}

/// The write of the account, conditioned on everything that it was computed from.
fn editing(seen: &Account, next: &Account, edit: &AccountEdit, now: DateTime<Utc>) -> Change {
    let event = if seen.role == next.role { Event::Edited } else { Event::RoleChanged };
    let change = Change::provided("#role = :role AND #plan = :plan AND active = :active AND verified = :verified")
        .set("#role = :new_role, #plan = :new_plan, active = :new_active, verified = :new_verified")
        .set("updated = :now, ev = :ev")
        .name("#role", "role")
        .name("#plan", "plan")
        .value(":role", text(seen.role.as_str()))
        .value(":plan", text(seen.plan.as_str()))
        .value(":active", flag(seen.active))
        .value(":verified", flag(seen.verified))
        .value(":new_role", text(next.role.as_str()))
        .value(":new_plan", text(next.plan.as_str()))
        .value(":new_active", flag(next.active))
        .value(":new_verified", flag(next.verified))
        .value(":now", moment(now))
        .value(":ev", text(event.as_str()));
    // Who is hidden, or not, decides whether the index has them.
    let hidden = if seen.profile_private { "hid = :hidden" } else { "attribute_not_exists(hid)" };
    let change = change.and_provided(hidden);
    let change = if seen.profile_private { change.value(":hidden", flag(true)) } else { change };
    let change = username_as_seen(change, seen);
    let texts = [
        ("name", next.name.as_ref().map(|name| name.as_str()), edit.name.is_unchanged()),
        ("username", next.username.as_ref().map(|name| name.as_str()), edit.username.is_unchanged()),
        ("tz", next.timezone.as_deref(), edit.timezone.is_unchanged()),
        ("lang", next.language.as_deref(), edit.language.is_unchanged()),
    ];
    let changed = texts.into_iter().filter(|(.., unchanged)| !unchanged);
    let change = changed.fold(change, |change, (attribute, value, _)| put(change, attribute, value.map(text)));
    let unverifies = (seen.verified && !next.verified).then_some(true);
    let flags = [("hid", edit.profile_private), ("con", edit.contact_public), ("unv", unverifies)];
    let raised = flags.into_iter().filter_map(|(attribute, value)| Some((attribute, value?)));
    let change = raised.fold(change, |change, (attribute, value)| put(change, attribute, value.then(|| flag(true))));
    let change = if edit.ends_sessions() {
        // What a thief's session asked for must not work again once the account does.
        let empty = AttributeValue::M(HashMap::new());
        change.set("s = :empty").remove("chg, chg_by, exp").value(":empty", empty)
    } else {
        change
    };
    if edit.unlock { row_over(change) } else { change }
}

fn username_as_seen(change: Change, seen: &Account) -> Change {
    match &seen.username {
        Some(username) => change.and_provided("username = :username").value(":username", text(username.as_str())),
        None => change.and_provided("attribute_not_exists(username)"),
    }
}

/// Sets an attribute, or takes it away where it has no value.
fn put(change: Change, attribute: &str, value: Option<AttributeValue>) -> Change {
    let change = change.name(format!("#{attribute}"), attribute);
    match value {
        Some(value) => change.set(format!("#{attribute} = :set_{attribute}")).value(format!(":set_{attribute}"), value),
        None => change.remove(format!("#{attribute}")),
    }
}
