//! What DynamoDB does by itself: items past their TTL go.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use shared::clock::TimeSource;
use tokio::{task::JoinSet, time::sleep};

use crate::{aws::Aws, clock::MovableClock, template::Template};

/// Pause between two sweeps.
const PAUSE: Duration = Duration::from_secs(300);
/// Items that one step of a sweep reads, so that requests get in between.
const STEP: u32 = 500;

/// Sweeps every table that has a TTL attribute, for as long as the stack runs.
pub fn start(aws: &Aws, template: &Template, clock: &MovableClock, tasks: &mut JoinSet<()>) {
    let (aws, template, clock) = (aws.clone(), template.clone(), clock.clone());
    tasks.spawn(async move {
        loop {
            sleep(PAUSE).await;
            sweep(&aws, &template, clock.now()).await;
        }
    });
}

/// Deletes what is past its TTL at `now`. The engine's own sweep would go by the machine's clock where data is on disk.
pub async fn sweep(aws: &Aws, template: &Template, now: DateTime<Utc>) {
    for table in template.tables() {
        let Some(attribute) = &table.ttl_attribute else { continue };
        let mut start = Value::Null;
        loop {
            let page = expired(aws, &table.name, attribute, now, &start).await;
            for item in page["Items"].as_array().into_iter().flatten() {
                delete(aws, &table.name, attribute, now, item).await;
            }
            start = page["LastEvaluatedKey"].clone();
            if start.is_null() {
                break;
            }
        }
    }
}

async fn expired(aws: &Aws, table: &str, attribute: &str, now: DateTime<Utc>, start: &Value) -> Value {
    let mut request = json!({
        "TableName": table, "Limit": STEP,
        "FilterExpression": "#ttl < :now", "ProjectionExpression": "pk, sk",
        "ExpressionAttributeNames": { "#ttl": attribute },
        "ExpressionAttributeValues": { ":now": { "N": now.timestamp().to_string() } },
    });
    if !start.is_null() {
        request["ExclusiveStartKey"] = start.clone();
    }
    aws.dynamodb.call("Scan", request).await.body
}

/// On the condition that it was not given a longer life meanwhile.
async fn delete(aws: &Aws, table: &str, attribute: &str, now: DateTime<Utc>, key: &Value) {
    let request = json!({
        "TableName": table, "Key": { "pk": key["pk"], "sk": key["sk"] },
        "ConditionExpression": "#ttl < :now",
        "ExpressionAttributeNames": { "#ttl": attribute },
        "ExpressionAttributeValues": { ":now": { "N": now.timestamp().to_string() } },
    });
    aws.dynamodb.call("DeleteItem", request).await;
}
