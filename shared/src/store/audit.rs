//! The audit trail: written in the transaction of the act itself, and never changed.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Accounts, Item, StoreError,
    attributes::{Reader, flag, moment, text},
    keys,
    patience::Patience,
    transactions::{Transacted, build, transact},
};
use crate::domain::{Act, AuditEntry, Role};

/// Entries of an actor that one call looks through for those about one target.
const FILTERED_AT_ONCE: usize = 1000;

/// Which entries are asked for.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    pub actor: Option<Uuid>,
    pub target: Option<Uuid>,
    pub from: Option<DateTime<Utc>>,
    pub to: Option<DateTime<Utc>>,
}

/// Where a page of the trail goes on: after this entry.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct AuditPosition {
    at: i64,
    id: Uuid,
}

impl Accounts {
    /// Entries of the trail, newest first, and where the next page begins.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn audit_page(
        &self,
        filter: &AuditFilter,
        after: Option<AuditPosition>,
        limit: usize,
        now: DateTime<Utc>,
    ) -> Result<(Vec<AuditEntry>, Option<AuditPosition>), StoreError> {
        // Nothing is newer than now, and no cursor of ours says so.
        let until = filter.to.unwrap_or(now).min(now);
        let after = after.filter(|after| (0..=now.timestamp_millis()).contains(&after.at));
        if filter.from.is_some_and(|from| from > until) {
            return Ok((Vec::new(), None));
        }
        let newest =
            after.map_or_else(|| keys::audit_moment(until) + "~", |after| keys::audit_entry_name(after.at, after.id));
        let oldest =
            filter.from.map_or_else(|| "0".to_owned(), |from| keys::audit_moment(from.max(DateTime::UNIX_EPOCH)));
        let partition = match (filter.actor, filter.target) {
            (Some(actor), _) => Partition::Actor(actor),
            (None, Some(target)) => Partition::Target(target),
            (None, None) => Partition::Trail,
        };
        let items = self.audit_items(&partition, &oldest, &newest, filter.target, limit + 1).await?;
        let mut entries = items.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries
            .last()
            .filter(|_| more)
            .map(|entry| AuditPosition { at: entry.at.timestamp_millis(), id: entry.id });
        Ok((entries, next))
    }

    /// At least `wanted` entries of a partition between two names, newest first, as far as there are so many.
    async fn audit_items(
        &self,
        partition: &Partition,
        oldest: &str,
        newest: &str,
        target: Option<Uuid>,
        wanted: usize,
    ) -> Result<Vec<Item>, StoreError> {
        let (index, attribute, value) = match partition {
            Partition::Trail => (None, keys::PK, keys::AUDIT.to_owned()),
            Partition::Actor(actor) => (Some("by_actor"), "actor", actor.to_string()),
            Partition::Target(target) => (Some("by_target"), "target", target.to_string()),
        };
        let target = target.filter(|_| matches!(partition, Partition::Actor(_)));
        // Of an actor's entries DynamoDB counts also those that are about someone else.
        let read = if target.is_some() { wanted.max(FILTERED_AT_ONCE) } else { wanted };
        let mut found = Vec::new();
        if oldest > newest {
            return Ok(found);
        }
        let mut start = None;
        loop {
            let request = self
                .client
                .query()
                .table_name(self.audit()?)
                .set_index_name(index.map(str::to_owned))
                .consistent_read(index.is_none())
                .scan_index_forward(false)
                .key_condition_expression("#pk = :pk AND sk BETWEEN :oldest AND :newest")
                .expression_attribute_names("#pk", attribute)
                .expression_attribute_values(":pk", text(&value))
                .expression_attribute_values(":oldest", text(oldest))
                .expression_attribute_values(":newest", text(newest))
                .set_exclusive_start_key(start)
                .limit(i32::try_from(read).unwrap_or(i32::MAX));
            let request = match target {
                Some(target) => request
                    .filter_expression("#target = :target")
                    .expression_attribute_names("#target", "target")
                    .expression_attribute_values(":target", text(target.to_string())),
                None => request,
            };
            let page = request.send().await?;
            // The entry that the walk goes on after is its upper bound, and was shown.
            let entries = page.items.unwrap_or_default();
            found.extend(entries.into_iter().filter(|item| item.get(keys::SK) != Some(&text(newest))));
            start = page.last_evaluated_key;
            if start.is_none() || found.len() >= wanted {
                return Ok(found);
            }
        }
    }

    /// Writes all or nothing; where that is an admin's act, with its entry of the trail, and only while its actor is an admin: what
    /// they were when they asked does not count, however long the write had to wait.
    ///
    /// # Errors
    /// `NotAllowed` where they are none any more, or where the store cannot answer.
    pub(super) async fn transact_for(
        &self,
        entry: Option<&AuditEntry>,
        mut items: Vec<TransactWriteItem>,
        patience: &mut Patience,
    ) -> Result<Transacted, StoreError> {
        let mut actor = None;
        if let Some(entry) = entry {
            items.push(self.auditing(entry)?);
            // An item can be in a transaction once: what is planned for one's own account asks there.
            if entry.actor != entry.target {
                actor = Some(items.len());
                items.push(self.being_admin(entry.actor)?);
            }
        }
        match transact(&self.client, items, patience).await? {
            Transacted::Refused(refused) if actor.is_some_and(|place| refused.contains(place)) => {
                Err(StoreError::NotAllowed)
            }
            transacted => Ok(transacted),
        }
    }

    fn being_admin(&self, actor: Uuid) -> Result<TransactWriteItem, StoreError> {
        let verified = if self.require_verified { " AND verified = :yes" } else { "" };
        let check = ConditionCheck::builder()
            .table_name(&*self.users)
            .set_key(Some(keys::account(actor).item()))
            .condition_expression(format!("#role = :admin AND active = :yes{verified}"))
            .expression_attribute_names("#role", "role")
            .expression_attribute_values(":admin", text(Role::Admin.as_str()))
            .expression_attribute_values(":yes", flag(true));
        Ok(TransactWriteItem::builder().condition_check(build(check.build())?).build())
    }

    fn auditing(&self, entry: &AuditEntry) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder().table_name(self.audit()?).set_item(Some(item(entry)));
        // Nothing that is on the trail is written over.
        let put = put.condition_expression("attribute_not_exists(pk)");
        Ok(TransactWriteItem::builder().put(build(put.build())?).build())
    }

    fn audit(&self) -> Result<&str, StoreError> {
        self.audit.as_deref().ok_or_else(|| StoreError::Refused("this function was not given AUDIT_TABLE".into()))
    }
}

enum Partition {
    Trail,
    Actor(Uuid),
    Target(Uuid),
}

fn item(entry: &AuditEntry) -> Item {
    let mut item = keys::audit_entry(entry.at, entry.id).item();
    let changes = entry.changes.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    item.extend([
        ("id".to_owned(), text(entry.id.to_string())),
        ("at".to_owned(), moment(entry.at)),
        ("actor".to_owned(), text(entry.actor.to_string())),
        ("target".to_owned(), text(entry.target.to_string())),
        ("act".to_owned(), text(entry.act.as_str())),
        ("changes".to_owned(), AttributeValue::M(changes)),
    ]);
    item
}

fn read(item: &Item) -> Result<AuditEntry, StoreError> {
    let reader = Reader::new("audit", item);
    let changes = item.get("changes").and_then(|value| value.as_m().ok()).ok_or_else(|| reader.damaged("changes"))?;
    let change = |(name, value): (&String, &AttributeValue)| Some((name.clone(), value.as_s().ok()?.clone()));
    let changes: Option<BTreeMap<_, _>> = changes.iter().map(change).collect();
    Ok(AuditEntry {
        id: reader.uuid("id")?,
        at: reader.moment("at")?,
        actor: reader.uuid("actor")?,
        target: reader.uuid("target")?,
        act: Act::of(reader.text("act")?).ok_or_else(|| reader.damaged("act"))?,
        changes: changes.ok_or_else(|| reader.damaged("changes"))?,
    })
}
