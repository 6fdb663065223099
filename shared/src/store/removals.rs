//! Removes many items: partition after partition, in batches, for as long as there is time.

use std::{collections::HashMap, time::Instant};

use aws_sdk_dynamodb::{
    Client,
    types::{DeleteRequest, PutRequest, WriteRequest},
};
use futures_util::{TryStreamExt, stream};

use super::{
    Item, StoreError,
    attributes::text,
    keys::{PK, SK},
    patience::Rounds,
    transactions::build,
};

/// Deletes that one call can hold: DynamoDB's own bound.
const BATCH: usize = 25;
/// Calls that are out at once.
const PARALLEL: usize = 8;
/// Items that one query lists.
const PAGE: i32 = 1000;

/// Removes every item of a partition. Answers `false` where the time was over before.
pub(super) async fn remove_all(
    client: &Client,
    table: &str,
    partition: &str,
    until: Instant,
) -> Result<bool, StoreError> {
    loop {
        let keys = keys_of(client, table, partition).await?;
        if keys.is_empty() {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        remove(client, table, keys).await?;
    }
}

async fn keys_of(client: &Client, table: &str, partition: &str) -> Result<Vec<Item>, StoreError> {
    let page = client
        .query()
        .table_name(table)
        .consistent_read(true)
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", text(partition))
        .projection_expression("pk, sk")
        .limit(PAGE)
        .send()
        .await?;
    Ok(page.items.unwrap_or_default())
}

/// Removes the items of these keys; one that is not there is no failure.
pub(super) async fn remove(client: &Client, table: &str, keys: Vec<Item>) -> Result<(), StoreError> {
    let batches: Vec<Vec<Item>> = keys.chunks(BATCH).map(<[Item]>::to_vec).collect();
    let removals = batches.into_iter().map(|batch| Ok(remove_batch(client, table, batch)));
    stream::iter(removals).try_for_each_concurrent(PARALLEL, |removal| removal).await
}

async fn remove_batch(client: &Client, table: &str, keys: Vec<Item>) -> Result<(), StoreError> {
    let delete = |key: Item| {
        let key: HashMap<_, _> = key.into_iter().filter(|(name, _)| name == PK || name == SK).collect();
        let request = build(DeleteRequest::builder().set_key(Some(key)).build())?;
        Ok(WriteRequest::builder().delete_request(request).build())
    };
    let requests = keys.into_iter().map(delete).collect::<Result<Vec<_>, StoreError>>()?;
    write_batch(client, table, requests).await
}

/// Writes at most 25 items in one call: whoever makes it and dies has written all of them or none, but for what DynamoDB had no capacity
/// for.
pub(super) async fn put_batch(client: &Client, table: &str, items: Vec<Item>) -> Result<(), StoreError> {
    let put = |item| {
        let request = build(PutRequest::builder().set_item(Some(item)).build())?;
        Ok(WriteRequest::builder().put_request(request).build())
    };
    write_batch(client, table, items.into_iter().map(put).collect::<Result<Vec<_>, StoreError>>()?).await
}

async fn write_batch(client: &Client, table: &str, mut requests: Vec<WriteRequest>) -> Result<(), StoreError> {
    let mut rounds = Rounds::default();
    while !requests.is_empty() {
        let answer = client.batch_write_item().request_items(table, requests).send().await?;
        requests = answer.unprocessed_items.and_then(|mut left| left.remove(table)).unwrap_or_default();
        if !requests.is_empty() {
            rounds.pause(requests.len()).await?;
        }
    }
    Ok(())
}
