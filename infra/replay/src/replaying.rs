use std::collections::HashMap;

use aws_config::BehaviorVersion;
use aws_sdk_dynamodbstreams::types::{Record, ShardIteratorType};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_sqs::types::Message;
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

use crate::record::event_of;

/// Seconds for which nobody else is handed a message that is being replayed: more than its invocations can take.
const HELD: i32 = 900;
/// Seconds to wait for a message: without waiting, SQS asks a part of its servers alone, and may say that there is none.
const WAIT: i32 = 5;
/// Records that one invocation takes.
const BATCH: usize = 10;

/// A failure queue, and all that is needed to have functions take its messages again.
pub struct Replay {
    queue: String,
    sqs: aws_sdk_sqs::Client,
    lambda: aws_sdk_lambda::Client,
    streams: aws_sdk_dynamodbstreams::Client,
}

/// What became of the messages.
#[derive(Debug, Default)]
pub struct Replayed {
    pub done: u32,
    pub left: u32,
}

/// Why a message stays.
#[derive(Debug, Error)]
pub enum Failure {
    #[error("it is no failure that is known here: {0}")]
    Unknown(String),
    #[error("{0}")]
    Refused(String),
    #[error("the function failed: {0}")]
    Failed(String),
    #[error("the function gave records back")]
    GivenBack,
}

/// Whom a failed invocation was of, as Lambda notes it.
///
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    function_arn: String,
}

/// A message of a failure queue.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Note {
    /// Where in a stream the records are that a function did not take.
    #[serde(rename_all = "camelCase")]
    OfStream {
        request_context: Context,
        #[serde(rename = "DDBStreamBatchInfo")]
        batch: Batch,
    },
    /// An event that a function did not take.
    #[serde(rename_all = "camelCase")]
    OfEvent { request_context: Context, request_payload: Value },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    shard_id: String,
    start_sequence_number: String,
    end_sequence_number: String,
    stream_arn: String,
}

impl Replay {
    /// Connects by the environment's region and credentials.
    pub async fn connect(queue: String) -> Self {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        Self {
            queue,
            sqs: aws_sdk_sqs::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            streams: aws_sdk_dynamodbstreams::Client::new(&config),
        }
    }

    /// Replays every message once, and tells of each. Those that stay can be replayed again at once.
    ///
    /// # Errors
    /// Where the queue does not answer.
    pub async fn run(&self, tell: impl Fn(String)) -> Result<Replayed, Failure> {
        let mut kept = HashMap::new();
        let replayed = self.replay_all(&mut kept, tell).await;
        for handle in kept.into_values() {
            let free = self.sqs.change_message_visibility().queue_url(&self.queue).receipt_handle(handle);
            free.visibility_timeout(0).send().await.map_err(refused)?;
        }
        replayed
    }

    /// Answers once the queue hands out nothing more. `kept` are the handles of the messages that stay, by their ids.
    async fn replay_all(&self, kept: &mut HashMap<String, String>, tell: impl Fn(String)) -> Result<Replayed, Failure> {
        let mut replayed = Replayed::default();
        loop {
            let received = self.sqs.receive_message().queue_url(&self.queue).wait_time_seconds(WAIT);
            let received = received.visibility_timeout(HELD).message_attribute_names("All").send().await;
            let Some(message) = received.map_err(refused)?.messages.unwrap_or_default().pop() else {
                return Ok(replayed);
            };
            let name = message.message_id().unwrap_or("a message").to_owned();
            let handle = message.receipt_handle().unwrap_or_default().to_owned();
            // One that comes again, because others took longer than it was held for, is held once more.
            if kept.insert(name.clone(), handle).is_some() {
                continue;
            }
            match self.replay(&message).await {
                Ok(()) => {
                    kept.remove(&name);
                    replayed.done += 1;
                    tell(format!("{name}: taken"));
                }
                Err(failure) => {
                    replayed.left += 1;
                    tell(format!("{name}: stays, {failure}"));
                }
            }
        }
    }

    async fn replay(&self, message: &Message) -> Result<(), Failure> {
        let body = message.body().unwrap_or_default();
        match serde_json::from_str(body) {
            Ok(Note::OfStream { request_context, batch }) => self.replay_batch(&request_context, &batch).await?,
            Ok(Note::OfEvent { request_context, request_payload }) => {
                self.invoke(&request_context.function_arn, &request_payload).await?;
            }
            // EventBridge sends the event itself, and its target beside it.
            Err(error) => {
                let target =
                    message.message_attributes().and_then(|attributes| attributes.get("TARGET_ARN")?.string_value());
                let target = target.ok_or_else(|| Failure::Unknown(error.to_string()))?;
                let event = serde_json::from_str(body).map_err(|error| Failure::Unknown(error.to_string()))?;
                self.invoke(target, &event).await?;
            }
        }
        let handle = message.receipt_handle().unwrap_or_default();
        self.sqs.delete_message().queue_url(&self.queue).receipt_handle(handle).send().await.map(drop).map_err(refused)
    }

    async fn replay_batch(&self, context: &Context, batch: &Batch) -> Result<(), Failure> {
        let records = self.records(batch).await?;
        for records in records.chunks(BATCH) {
            let records: Vec<Value> = records.iter().map(|record| event_of(record, &batch.stream_arn)).collect();
            self.invoke(&context.function_arn, &json!({ "Records": records })).await?;
        }
        Ok(())
    }

    /// The records of a batch, those among them that the function's filter would have left out: it passes over them.
    async fn records(&self, batch: &Batch) -> Result<Vec<Record>, Failure> {
        let iterator = self.streams.get_shard_iterator().stream_arn(&batch.stream_arn).shard_id(&batch.shard_id);
        let iterator = iterator.shard_iterator_type(ShardIteratorType::AtSequenceNumber);
        let iterator = iterator.sequence_number(&batch.start_sequence_number).send().await.map_err(refused)?;
        let (mut records, mut next) = (Vec::new(), iterator.shard_iterator);
        while let Some(iterator) = next {
            let page = self.streams.get_records().shard_iterator(iterator).send().await.map_err(refused)?;
            for record in page.records.unwrap_or_default() {
                let number = record.dynamodb().and_then(|change| change.sequence_number()).unwrap_or_default();
                let order = in_order(number).cmp(&in_order(&batch.end_sequence_number));
                if order.is_le() {
                    records.push(record);
                }
                if order.is_ge() {
                    return Ok(records);
                }
            }
            next = page.next_shard_iterator;
        }
        Ok(records)
    }

    async fn invoke(&self, function: &str, event: &Value) -> Result<(), Failure> {
        // A failed asynchronous invocation is named with its version, which whoever invokes may not.
        let function = function.strip_suffix(":$LATEST").unwrap_or(function);
        let payload = Blob::new(event.to_string());
        let answer = self.lambda.invoke().function_name(function).payload(payload).send().await.map_err(refused)?;
        let told = answer.payload().map(|payload| String::from_utf8_lossy(payload.as_ref()).into_owned());
        let told = told.unwrap_or_default();
        if answer.function_error().is_some() {
            return Err(Failure::Failed(told));
        }
        let told: Value = serde_json::from_str(&told).unwrap_or_default();
        let given_back = told["batchItemFailures"].as_array().is_some_and(|failures| !failures.is_empty());
        if given_back { Err(Failure::GivenBack) } else { Ok(()) }
    }
}

/// Sequence numbers are numbers of any length: the longer one is the greater.
fn in_order(number: &str) -> (usize, &str) {
    (number.len(), number)
}

fn refused(error: impl std::error::Error + 'static) -> Failure {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    Failure::Refused(words)
}
