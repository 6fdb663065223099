//! The search index: a row for each word of each person who is listed, under the word's first two letters.

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    Accounts, DocumentKind, Item, StoreError,
    attributes::{Reader, moment, number, put_some, text},
    keys,
    patience::Patience,
    transactions::{Transacted, build, transact},
};
use crate::domain::{Account, SearchHit};

/// The item that knows which rows a person has.
const INDEXED: &str = "SEARCH";
/// Rows that a page reads at the least, of one word and of several: short pages would make many.
const LEAST_READ: (usize, usize) = (10, 40);
/// Rows that a page reads at the most.
const MOST_READ: usize = 400;
/// Bytes of the longest sort key that DynamoDB takes.
const LONGEST_NAME: usize = 1024;

/// Where a search goes on: after this row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SearchPosition {
    row: String,
}

/// The rows that a person has in the index.
#[derive(Debug, Default)]
pub(super) struct Indexed {
    pub version: u64,
    pub words: Vec<String>,
    hit: String,
}

impl Accounts {
    /// Brings the index in line with what a user is by now. Doing so again changes nothing.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn index(&self, user_id: Uuid) -> Result<(), StoreError> {
        let mut patience = Patience::of_a_plan();
        loop {
            let found = self.find_with_document(user_id, DocumentKind::Profile);
            let (found, indexed) = tokio::try_join!(found, self.find_indexed(user_id))?;
            // Erasing takes the rows along.
            let Some((account, profile)) = found else { return Ok(()) };
            let hit = SearchHit::of(&account, &profile.document);
            if indexed.is_in_line(hit.as_ref()) {
                return Ok(());
            }
            let items = self.indexing(&account, &indexed, hit.as_ref())?;
            if let Transacted::Committed = transact(&self.client, items, &mut patience).await? {
                return Ok(());
            }
            patience.pause().await?;
        }
    }

    pub(super) async fn find_indexed(&self, user_id: Uuid) -> Result<Indexed, StoreError> {
        let Some(item) = self.get(keys::document(user_id, INDEXED)).await? else { return Ok(Indexed::default()) };
        let reader = Reader::new("users", &item);
        Ok(Indexed {
            version: reader.number("ver")?,
            words: reader.texts("words")?,
            hit: reader.text("hit")?.to_owned(),
        })
    }

    /// New rows, the old ones away, and the note of them: all or nothing, and only while the account is as it was read.
    fn indexing(
        &self,
        account: &Account,
        indexed: &Indexed,
        hit: Option<&SearchHit>,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let user_id = account.id;
        let words: &[String] = hit.map_or(&[], |hit| &hit.words);
        let there = ConditionCheck::builder()
            .table_name(&*self.users)
            .set_key(Some(keys::account(account.id).item()))
            .condition_expression("updated = :updated")
            .expression_attribute_values(":updated", moment(account.updated_at));
        let note = Put::builder()
            .table_name(&*self.users)
            .set_item(Some(note(user_id, indexed.version + 1, hit)))
            .condition_expression("attribute_not_exists(pk) OR ver = :seen")
            .expression_attribute_values(":seen", number(indexed.version));
        let mut items = vec![
            TransactWriteItem::builder().condition_check(build(there.build())?).build(),
            TransactWriteItem::builder().put(build(note.build())?).build(),
        ];
        if let Some(hit) = hit {
            for word in words {
                let row = Put::builder().table_name(&*self.users).set_item(Some(row(word, hit)));
                items.push(TransactWriteItem::builder().put(build(row.build())?).build());
            }
        }
        let gone = indexed.words.iter().filter(|word| !words.contains(word));
        items.extend(gone.map(|word| self.unindexing(user_id, word)).collect::<Result<Vec<_>, _>>()?);
        Ok(items)
    }

    fn unindexing(&self, user_id: Uuid, word: &str) -> Result<TransactWriteItem, StoreError> {
        let delete =
            Delete::builder().table_name(&*self.users).set_key(Some(keys::search_row(word, &place(user_id)).item()));
        Ok(TransactWriteItem::builder().delete(build(delete.build())?).build())
    }

    /// Everything that the index has of a person, away, where it is still as it was `seen`.
    pub(super) fn leaving_index(&self, user_id: Uuid, seen: &Indexed) -> Result<Vec<TransactWriteItem>, StoreError> {
        let note = Delete::builder()
            .table_name(&*self.users)
            .set_key(Some(keys::document(user_id, INDEXED).item()))
            .condition_expression("attribute_not_exists(pk) OR ver = :seen")
            .expression_attribute_values(":seen", number(seen.version));
        let mut items = vec![TransactWriteItem::builder().delete(build(note.build())?).build()];
        for word in &seen.words {
            items.push(self.unindexing(user_id, word)?);
        }
        Ok(items)
    }

    /// People whom every word of `query` finds, exact words first, and where the next page begins. One query of a
    /// bounded size, however many people there are; a page may be short.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn search(
        &self,
        query: &[String],
        after: Option<SearchPosition>,
        limit: usize,
    ) -> Result<(Vec<SearchHit>, Option<SearchPosition>), StoreError> {
        let Some(lead) = query.iter().max_by_key(|word| word.chars().count()) else { return Ok((Vec::new(), None)) };
        let partition = keys::search_row(lead, "").pk;
        let read = rows_of_a_page(query.len(), limit);
        // A cursor may be anybody's work; DynamoDB takes no longer name for one of a row.
        let of_a_row = |position: &SearchPosition| position.row.starts_with(lead) && position.row.len() <= LONGEST_NAME;
        let start = after.filter(of_a_row);
        let start = start.map(|position| keys::search_position(&partition, &position.row));
        let page = self
            .client
            .query()
            .table_name(&*self.users)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", text(&partition))
            .expression_attribute_values(":prefix", text(lead))
            .set_exclusive_start_key(start)
            .limit(i32::try_from(read).unwrap_or(i32::MAX))
            .send()
            .await?;
        let mut hits = Vec::new();
        for item in page.items.unwrap_or_default() {
            let name = Reader::new("users", &item).text(keys::SK)?.to_owned();
            let (word, hit) = (name.split('#').next().unwrap_or_default(), read_row(&item)?);
            if hit.matches(query) && hit.shown_at(lead) == Some(word) {
                hits.push((name, hit));
            }
        }
        if hits.len() > limit {
            hits.truncate(limit);
            let next = hits.last().map(|(name, _)| SearchPosition { row: name.clone() });
            return Ok((hits.into_iter().map(|(_, hit)| hit).collect(), next));
        }
        let last = page.last_evaluated_key.as_ref().and_then(|key| key.get(keys::SK)?.as_s().ok());
        let next = last.map(|name| SearchPosition { row: name.clone() });
        Ok((hits.into_iter().map(|(_, hit)| hit).collect(), next))
    }
}

impl Indexed {
    fn is_in_line(&self, hit: Option<&SearchHit>) -> bool {
        self.hit == fingerprint(hit) && (hit.is_some() || self.words.is_empty())
    }
}

/// How many rows a page of `limit` people reads. One word finds whomever it meets, but for those whom it meets at two words; each
/// further word leaves some of them out.
fn rows_of_a_page(words: usize, limit: usize) -> usize {
    let (spare, least) = if words == 1 { (limit / 4, LEAST_READ.0) } else { (limit, LEAST_READ.1) };
    limit.saturating_add(spare).clamp(least, MOST_READ)
}

/// All that the rows of a person say, to tell whether they are still right.
fn fingerprint(hit: Option<&SearchHit>) -> String {
    let Some(hit) = hit else { return String::new() };
    let texts = [&hit.username, &hit.name, &hit.current_title, &hit.avatar, &hit.location];
    serde_json::to_string(&texts).unwrap_or_default()
}

/// Where a person stands among those with the same word: nowhere in particular, since ids begin with a time.
fn place(user_id: Uuid) -> String {
    user_id.simple().to_string().chars().rev().collect()
}

/// What the index holds of a person, and the note of it.
pub(super) fn items(hit: &SearchHit) -> Vec<Item> {
    let rows = hit.words.iter().map(|word| row(word, hit));
    rows.chain([note(hit.id, 1, Some(hit))]).collect()
}

/// The note of which rows a person has.
fn note(user_id: Uuid, version: u64, hit: Option<&SearchHit>) -> Item {
    let words: &[String] = hit.map_or(&[], |hit| &hit.words);
    let mut note = keys::document(user_id, INDEXED).item();
    note.insert("ver".into(), number(version));
    note.insert("words".into(), AttributeValue::L(words.iter().map(text).collect()));
    note.insert("hit".into(), text(fingerprint(hit)));
    note
}

fn row(word: &str, hit: &SearchHit) -> Item {
    let mut item = keys::search_row(word, &place(hit.id)).item();
    item.insert("uid".into(), text(hit.id.to_string()));
    item.insert("words".into(), AttributeValue::L(hit.words.iter().map(text).collect()));
    put_some(&mut item, "username", hit.username.as_ref().map(text));
    put_some(&mut item, "name", hit.name.as_ref().map(text));
    put_some(&mut item, "title", hit.current_title.as_ref().map(text));
    put_some(&mut item, "avatar", hit.avatar.as_ref().map(text));
    put_some(&mut item, "location", hit.location.as_ref().map(text));
    item
}

fn read_row(item: &Item) -> Result<SearchHit, StoreError> {
    let reader = Reader::new("users", item);
    let optional = |name| reader.optional_text(name).map(|text| text.map(str::to_owned));
    Ok(SearchHit {
        id: reader.uuid("uid")?,
        username: optional("username")?,
        name: optional("name")?,
        current_title: optional("title")?,
        avatar: optional("avatar")?,
        location: optional("location")?,
        words: reader.texts("words")?,
    })
}
