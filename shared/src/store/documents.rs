//! The documents that people fill in about themselves, each an item beside the account, absent until it is edited.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use aws_sdk_dynamodb::{
    operation::put_item::PutItemError,
    types::{Put, TransactWriteItem},
};
use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::{
    Accounts, Item, Lookup, StoreError,
    attributes::{Reader, moment, number, text},
    keys,
    patience::Patience,
    transactions::build,
};
use crate::domain::{Account, Document};

/// Which document of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// The fields of the user that stand apart from the account.
    Profile,
    /// The extended profile.
    Extended,
    Preferences,
}

impl DocumentKind {
    pub(super) const ALL: [Self; 3] = [Self::Profile, Self::Extended, Self::Preferences];

    /// The sort key of its item.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Profile => "PROFILE",
            Self::Extended => "EXTENDED",
            Self::Preferences => "PREFERENCES",
        }
    }
}

/// A document as it was read.
#[derive(Clone, Debug, Default)]
pub struct StoredDocument {
    pub document: Document,
    /// How often it was written; 0 where it never was.
    pub version: u64,
    pub created_at: Option<DateTime<Utc>>,
    pub updated_at: Option<DateTime<Utc>>,
}

impl Accounts {
    /// A document of a user; an empty one where it was never edited.
    pub fn document(&self, user_id: Uuid, kind: DocumentKind) -> Lookup<StoredDocument> {
        let read = |item: Option<&Item>| item.map_or_else(|| Ok(StoredDocument::default()), read);
        Lookup { table: Arc::clone(&self.users), key: keys::document(user_id, kind.as_str()), read }
    }

    /// A document of a user, read strongly.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn find_document(&self, user_id: Uuid, kind: DocumentKind) -> Result<StoredDocument, StoreError> {
        self.document(user_id, kind).find(&self.client).await
    }

    /// A user and a document of theirs, read strongly in one call; nothing where there is no such user.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn find_with_document(
        &self,
        user_id: Uuid,
        kind: DocumentKind,
    ) -> Result<Option<(Account, StoredDocument)>, StoreError> {
        let (account, document) = self.find_with(user_id, self.document(user_id, kind)).await?;
        account.map(|account| Ok((account, document?))).transpose()
    }

    /// A document of each of these users, in their order, read strongly.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn find_documents(&self, users: &[Uuid], kind: DocumentKind) -> Result<Vec<StoredDocument>, StoreError> {
        let keys: Vec<_> = users.iter().map(|id| keys::document(*id, kind.as_str())).collect();
        let mut found = HashMap::new();
        for item in self.find_items(&keys).await? {
            let partition = Reader::new("users", &item).text(keys::PK)?.to_owned();
            found.insert(partition, read(&item)?);
        }
        Ok(keys.iter().map(|key| found.remove(&key.pk).unwrap_or_default()).collect())
    }

    /// The profile in an image of the stream of table `users`, and whose it is; nothing where the image is of another kind of item.
    ///
    /// # Errors
    /// Where the image is damaged.
    pub fn read_profile(image: serde_dynamo::Item) -> Result<Option<(Uuid, StoredDocument)>, StoreError> {
        let image: Item = image.into();
        let reader = Reader::new("users", &image);
        if reader.optional_text(keys::SK)? != Some(DocumentKind::Profile.as_str()) {
            return Ok(None);
        }
        let user_id = keys::user_of(reader.text(keys::PK)?).ok_or_else(|| reader.damaged(keys::PK))?;
        Ok(Some((user_id, read(&image)?)))
    }

    /// Writes a document by itself, where it is still as it was `seen`. Answers `false` where it is not.
    pub(super) async fn save_document(&self, item: Item, seen: u64) -> Result<bool, StoreError> {
        let put = self.client.put_item().table_name(&*self.users).set_item(Some(item));
        let put = put.condition_expression(UNCHANGED).expression_attribute_values(":seen", number(seen));
        let mut patience = Patience::of_a_write();
        loop {
            let Err(error) = put.clone().send().await else { return Ok(true) };
            match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => return Ok(false),
                Some(PutItemError::TransactionConflictException(_)) => patience.pause().await?,
                _ => return Err(error.into()),
            }
        }
    }

    pub(super) fn saving_document(&self, item: Item, seen: u64) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder()
            .table_name(&*self.users)
            .set_item(Some(item))
            .condition_expression(UNCHANGED)
            .expression_attribute_values(":seen", number(seen));
        Ok(TransactWriteItem::builder().put(build(put.build())?).build())
    }
}

/// A document that was never written has no version: its first writer finds no item.
const UNCHANGED: &str = "attribute_not_exists(pk) OR ver = :seen";

/// The item of a document that follows the one that was `seen`.
pub(super) fn item(
    user_id: Uuid,
    kind: DocumentKind,
    document: &Document,
    seen: &StoredDocument,
    now: DateTime<Utc>,
) -> Result<Item, StoreError> {
    let mut item = keys::document(user_id, kind.as_str()).item();
    // JSON can say numbers and names that DynamoDB's own maps cannot.
    let values = serde_json::to_string(document.values())
        .map_err(|error| StoreError::Refused(format!("a document cannot be written: {error}")))?;
    item.insert("v".to_owned(), text(values));
    item.insert("ver".to_owned(), number(seen.version + 1));
    item.insert("created".to_owned(), moment(seen.created_at.unwrap_or(now)));
    item.insert("updated".to_owned(), moment(now));
    Ok(item)
}

fn read(item: &Item) -> Result<StoredDocument, StoreError> {
    let reader = Reader::new("users", item);
    let values: BTreeMap<String, Value> = serde_json::from_str(reader.text("v")?).map_err(|_| reader.damaged("v"))?;
    Ok(StoredDocument {
        document: Document::stored(values),
        version: reader.number("ver")?,
        created_at: Some(reader.moment("created")?),
        updated_at: Some(reader.moment("updated")?),
    })
}
