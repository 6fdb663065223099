//! Reads items by their keys, several in one call: a call costs the function more processor time than an item does.

use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::{Client, types::KeysAndAttributes};
use uuid::Uuid;

use super::{
    Accounts, Item, StoreError, account_item,
    keys::{self, Key},
    patience::Rounds,
    transactions::build,
};
use crate::domain::Account;

/// Items that one call may ask for, as DynamoDB has it.
pub(super) const MOST: usize = 100;

/// An item that is still to be read, and what it says, or says by not being there.
pub struct Lookup<T> {
    pub(super) table: Arc<str>,
    pub(super) key: Key,
    pub(super) read: fn(Option<&Item>) -> Result<T, StoreError>,
}

impl<T> Lookup<T> {
    /// Reads it strongly, by itself.
    pub(super) async fn find(self, client: &Client) -> Result<T, StoreError> {
        (self.read)(get(client, &self.table, &self.key).await?.as_ref())
    }
}

/// The item of that key, read strongly.
pub(super) async fn get(client: &Client, table: &str, key: &Key) -> Result<Option<Item>, StoreError> {
    let request = client.get_item().table_name(table).set_key(Some(key.item())).consistent_read(true);
    Ok(request.send().await?.item)
}

impl Accounts {
    /// The account of that id and what another item says, read strongly in one call. What is wrong with the other item is told
    /// apart, since it is nothing to whoever may not see it.
    ///
    /// # Errors
    /// Where the store cannot answer.
    pub async fn find_with<T>(
        &self,
        id: Uuid,
        other: Lookup<T>,
    ) -> Result<(Option<Account>, Result<T, StoreError>), StoreError> {
        let account = keys::account(id);
        let mut wanted = HashMap::from([(self.users.to_string(), vec![account.item()])]);
        wanted.entry(other.table.to_string()).or_default().push(other.key.item());
        let found = find_all(&self.client, wanted, true).await?;
        let of = |table: &str, key: &Key| found.get(table)?.iter().find(|item| key.is_of(item));
        let account = of(&self.users, &account).map(account_item::read).transpose()?;
        Ok((account, (other.read)(of(&other.table, &other.key))))
    }

    /// Those items of the users' table that are there, read strongly, in no order; as many in one call as it may ask for.
    pub(super) async fn find_items(&self, keys: &[Key]) -> Result<Vec<Item>, StoreError> {
        let mut found = Vec::new();
        for keys in keys.chunks(MOST) {
            let wanted = HashMap::from([(self.users.to_string(), keys.iter().map(Key::item).collect())]);
            found.extend(find_all(&self.client, wanted, true).await?.into_values().flatten());
        }
        Ok(found)
    }
}

/// The items of these keys that are there, by table; at most [`MOST`] of them.
pub(super) async fn find_all(
    client: &Client,
    keys: HashMap<String, Vec<Item>>,
    strongly: bool,
) -> Result<HashMap<String, Vec<Item>>, StoreError> {
    let mut wanted = HashMap::new();
    for (table, keys) in keys {
        let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(strongly);
        wanted.insert(table, build(keys.build())?);
    }
    let mut found: HashMap<String, Vec<Item>> = HashMap::new();
    let mut rounds = Rounds::default();
    while !wanted.is_empty() {
        let answer = client.batch_get_item().set_request_items(Some(wanted)).send().await?;
        for (table, items) in answer.responses.unwrap_or_default() {
            found.entry(table).or_default().extend(items);
        }
        // What is throttled comes back, and is asked for again.
        wanted = answer.unprocessed_keys.unwrap_or_default();
        if !wanted.is_empty() {
            rounds.pause(wanted.values().map(|wanted| wanted.keys.len()).sum()).await?;
        }
    }
    Ok(found)
}
