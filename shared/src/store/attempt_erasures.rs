//! Removes attempts: all of a person's, and code that no attempt came to refer to.

use std::time::Instant;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    Attempts, Item, StoreError, attempt_items,
    attributes::{Reader, number, text},
    keys::{self, ROWS_PER_BUCKET},
    removals::{remove, remove_all},
};

/// History rows that are removed together with their code.
const PAGE: i32 = 1000;

/// Code that was stored, and whose attempt may never have been counted.
#[derive(Clone, Copy, Debug)]
pub struct Pending {
    pub user_id: Uuid,
    pub attempt_id: Uuid,
    pub question_id: u64,
    pub stored_at: DateTime<Utc>,
}

impl Attempts {
    /// Removes a person's attempts: code and history first, the counts last, so that it can be taken up wherever it
    /// stopped. Answers `false` where the time was over before.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn erase(&self, user_id: Uuid, until: Instant) -> Result<bool, StoreError> {
        loop {
            let total = self.find_total(user_id, None).await?;
            // One bucket more: an attempt may have been counted since.
            for bucket in 0..=total / ROWS_PER_BUCKET + 1 {
                if !self.erase_bucket(&keys::history_row(user_id, bucket * ROWS_PER_BUCKET).pk, until).await? {
                    return Ok(false);
                }
            }
            if !self.erase_pending(user_id, until).await? {
                return Ok(false);
            }
            if self.take_summary(user_id, total).await? {
                return remove_all(&self.client, &self.table, &keys::summary(user_id).pk, until).await;
            }
        }
    }

    /// Removes a bucket of the history, and the code of its attempts.
    async fn erase_bucket(&self, partition: &str, until: Instant) -> Result<bool, StoreError> {
        loop {
            let rows = self.page_of(partition, "A#").await?;
            if rows.is_empty() {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            let ids = rows.iter().map(|row| Ok(attempt_items::read_row(row)?.id));
            let ids = ids.collect::<Result<Vec<_>, StoreError>>()?;
            remove(&self.client, &self.table, ids.into_iter().map(|id| keys::code(id).item()).collect()).await?;
            remove(&self.client, &self.table, rows).await?;
        }
    }

    /// Removes code whose attempt was not counted, or not yet.
    async fn erase_pending(&self, user_id: Uuid, until: Instant) -> Result<bool, StoreError> {
        let first = keys::pending(user_id, Uuid::nil());
        loop {
            let rows = self.page_of(&first.pk, keys::PENDING).await?;
            if rows.is_empty() {
                return Ok(true);
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            let ids = rows.iter().map(pending_id).collect::<Result<Vec<_>, _>>()?;
            remove(&self.client, &self.table, ids.into_iter().map(|id| keys::code(id).item()).collect()).await?;
            remove(&self.client, &self.table, rows).await?;
        }
    }

    /// Takes the summary away where it still counts `total`. Answers `false` where an attempt was counted since.
    async fn take_summary(&self, user_id: Uuid, total: u64) -> Result<bool, StoreError> {
        let condition = if total == 0 { "attribute_not_exists(#total) OR #total = :total" } else { "#total = :total" };
        let delete = self
            .client
            .delete_item()
            .table_name(&*self.table)
            .set_key(Some(keys::summary(user_id).item()))
            .condition_expression(condition)
            .expression_attribute_names("#total", "total")
            .expression_attribute_values(":total", number(total));
        match delete.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn page_of(&self, partition: &str, prefix: &str) -> Result<Vec<Item>, StoreError> {
        let page = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(partition))
            .expression_attribute_values(":prefix", text(prefix))
            .limit(PAGE)
            .send()
            .await?;
        Ok(page.items.unwrap_or_default())
    }

    /// The stored code in an image of the stream of table `attempts`; nothing where it is of another kind of item.
    ///
    /// # Errors
    /// Where the image is damaged.
    pub fn read_pending(image: serde_dynamo::Item) -> Result<Option<Pending>, StoreError> {
        let image: Item = image.into();
        let reader = Reader::new("attempts", &image);
        if !reader.text(keys::SK)?.starts_with(keys::PENDING) {
            return Ok(None);
        }
        Ok(Some(Pending {
            user_id: reader.uuid("uid")?,
            attempt_id: pending_id(&image)?,
            question_id: reader.number("q")?,
            stored_at: reader.moment("at")?,
        }))
    }

    /// Removes code that no attempt refers to. Answers whether it did.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn remove_unreferenced(&self, pending: &Pending) -> Result<bool, StoreError> {
        if self.is_counted(pending).await? {
            return Ok(false);
        }
        remove(&self.client, &self.table, vec![keys::code(pending.attempt_id).item()]).await?;
        Ok(true)
    }

    /// Whether the attempt stands among those at its question, which are in the order of their times.
    async fn is_counted(&self, pending: &Pending) -> Result<bool, StoreError> {
        let mut start = None;
        loop {
            let first = keys::question_row(pending.user_id, pending.question_id, 0);
            let prefix = first.sk.rsplit_once('#').map_or("", |(prefix, _)| prefix);
            let page = self
                .client
                .query()
                .table_name(&*self.table)
                .consistent_read(true)
                .scan_index_forward(false)
                .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
                .expression_attribute_values(":pk", text(&first.pk))
                .expression_attribute_values(":prefix", text(format!("{prefix}#")))
                .set_exclusive_start_key(start)
                .limit(PAGE)
                .send()
                .await?;
            for row in page.items.unwrap_or_default() {
                let row = attempt_items::read_row(&row)?;
                if row.id == pending.attempt_id {
                    return Ok(true);
                }
                if row.created_at < pending.stored_at {
                    return Ok(false);
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(false);
            }
        }
    }
}

fn pending_id(row: &Item) -> Result<Uuid, StoreError> {
    let reader = Reader::new("attempts", row);
    let id = reader.text(keys::SK)?.strip_prefix(keys::PENDING).and_then(|id| id.parse().ok());
    id.ok_or_else(|| reader.damaged("sk"))
}
