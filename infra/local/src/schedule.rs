//! What happens by itself with time: items past their TTL go, and the functions that a schedule wakes run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use janitor::Janitor;
use lambda_http::{Context, LambdaEvent};
use serde_json::{Value, json};
use shared::clock::TimeSource;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::{aws::Aws, clock::MovableClock, template::Template};

/// Pause between two runs.
const PAUSE: Duration = Duration::from_secs(60);
/// Items that one step of a sweep reads, so that requests get in between.
const STEP: u32 = 100;
/// How many times as long as a step took it rests, where nobody waits for the sweep: it reads all that there is, and those who ask
/// something of millions of attempts would wait for it in every minute. On AWS it takes days.
const REST: u32 = 20;

/// What is due by and by.
#[derive(Clone)]
pub struct Schedule {
    aws: Aws,
    template: Template,
    clock: MovableClock,
    janitor: Janitor,
    runs: Arc<AtomicU64>,
}

impl Schedule {
    /// The schedule of a stack.
    pub fn new(aws: &Aws, template: &Template, clock: &MovableClock, janitor: Janitor) -> Self {
        Self { aws: aws.clone(), template: template.clone(), clock: clock.clone(), janitor, runs: Arc::default() }
    }

    /// Does what is due every minute, for as long as the stack runs. The functions do not wait for a sweep.
    pub fn start(&self, tasks: &mut JoinSet<()>) {
        let schedule = self.clone();
        tasks.spawn(async move {
            loop {
                sleep(PAUSE).await;
                schedule.sweep(REST).await;
            }
        });
        let schedule = self.clone();
        tasks.spawn(async move {
            loop {
                sleep(PAUSE).await;
                schedule.wake().await;
            }
        });
    }

    /// Does what is due now.
    pub async fn run(&self) {
        self.sweep(0).await;
        self.wake().await;
    }

    /// Deletes what is past its TTL, and rests between steps, so many times as long as each took. The engine's own sweep would go by
    /// the machine's clock where data is on disk.
    async fn sweep(&self, rest: u32) {
        let now = self.clock.now();
        for table in self.template.tables() {
            let Some(attribute) = &table.ttl_attribute else { continue };
            let mut start = Value::Null;
            loop {
                let step = async {
                    let page = expired(&self.aws, &table.name, attribute, now, &start).await;
                    for item in page["Items"].as_array().into_iter().flatten() {
                        delete(&self.aws, &table.name, attribute, now, item).await;
                    }
                    page["LastEvaluatedKey"].clone()
                };
                start = paced(step, rest).await;
                if start.is_null() {
                    break;
                }
            }
        }
    }

    /// Runs the functions that a schedule wakes.
    async fn wake(&self) {
        let mut context = Context::default();
        context.request_id = uuid::Uuid::new_v4().to_string();
        // The runs are numbered, so that a plan of faults strikes the same ones again.
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        context.xray_trace_id = Some(format!("Root=1-{:08x}-{number:024x}", 0));
        let event = json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} });
        if let Err(error) = self.janitor.handle(LambdaEvent::new(event, context)).await {
            tracing::error!(%error, "the janitor's sweep failed; the next one tries again");
        }
    }
}

/// Makes a step, and rests so many times as long as it took.
async fn paced<T>(step: impl Future<Output = T>, rest: u32) -> T {
    let began = Instant::now();
    let done = step.await;
    if rest > 0 {
        sleep(began.elapsed() * rest).await;
    }
    done
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sweep_leaves_nearly_all_time_to_others_but_for_one_that_someone_waits_for() {
        let step = Duration::from_millis(50);
        let mut took = [Duration::ZERO; 2];
        for (took, rest) in took.iter_mut().zip([REST, 0]) {
            let began = Instant::now();
            paced(sleep(step), rest).await;
            *took = began.elapsed();
        }
        assert!(took[0] >= step * 21 && took[1] < step * 21, "{took:?}");
    }
}
