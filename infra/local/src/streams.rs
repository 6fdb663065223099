//! Plays Lambda's stream pollers: takes records from a table's stream, filters them as the template says, and hands them
//! to the function in batches until it has taken them all.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    sync::atomic::Ordering,
    time::Duration,
};

use dynoxide::{
    Database,
    actions::{
        describe_stream::DescribeStreamRequest, get_records::GetRecordsRequest,
        get_shard_iterator::GetShardIteratorRequest, list_streams::ListStreamsRequest,
    },
};
use lambda_runtime::{Context, LambdaEvent};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::{JoinSet, spawn_blocking},
    time::{sleep, timeout},
};

use crate::{
    Data, StartError,
    aws::{
        Aws, Written,
        faults::{BatchFault, Faults},
    },
    files,
    functions::{Consumer, Functions},
    ledger::Ledger,
    template::{StreamSource, Template},
};

/// Records that one read of a shard takes.
const READ: usize = 200;
/// How long after a write the stream is read. Lambda polls a few times a second; here too a function never runs while the
/// request that made the write is still being answered.
const DELAY: Duration = Duration::from_millis(50);
/// Longest sleep when nothing tells of a write.
const IDLE: Duration = Duration::from_secs(1);
/// Pause after a batch that failed.
const RETRY: Duration = Duration::from_millis(300);
/// Functions that may wake one another in a row: a janitor that writes what a mailer mails.
const CHAIN: usize = 3;
/// How long someone who asks for the mailbox waits for the streams.
const SETTLING: Duration = Duration::from_secs(5);

/// Tells when the streams have been read up to some moment.
#[derive(Clone)]
pub struct Streams {
    written: Written,
    read: Vec<watch::Receiver<u64>>,
}

impl Streams {
    /// Waits until everything written before this call was handed to its function, and what these wrote to the next one,
    /// or for a few seconds.
    pub async fn settle(&self) {
        let settled = async {
            for _ in 0..CHAIN {
                let wanted = self.written.count.fetch_add(1, Ordering::SeqCst) + 1;
                self.written.notify.notify_waiters();
                for mut read in self.read.clone() {
                    let _ = read.wait_for(|read| *read >= wanted).await;
                }
                if self.written.count.load(Ordering::SeqCst) == wanted {
                    break;
                }
            }
        };
        // Where a function keeps failing, the caller sees what there is.
        let _ = timeout(SETTLING, settled).await;
    }
}

/// Starts a poller for each stream of each function.
///
/// # Errors
/// Where the position in one cannot be read.
pub fn start(
    aws: &Aws,
    functions: &Functions,
    template: &Template,
    data: &Data,
    tasks: &mut JoinSet<()>,
) -> Result<Streams, StartError> {
    let mut read = Vec::new();
    for function in template.functions() {
        let Some(consumer) = functions.consumer(&function.binary) else { continue };
        for source in function.streams {
            let name = format!("{}-{}", function.binary, source.table);
            let file = match data {
                Data::Memory => None,
                Data::Folder(folder) => Some(folder.join(format!("stream-{name}"))),
            };
            let after = file.as_deref().filter(|file| file.exists()).map(position).transpose()?;
            let (sender, receiver) = watch::channel(0);
            let poller = Poller {
                database: aws.dynamodb.database.clone(),
                written: aws.written.clone(),
                ledger: aws.ledger.clone(),
                faults: aws.faults.clone(),
                batches: 0,
                shard: None,
                after,
                name,
                consumer: consumer.clone(),
                source,
                file,
            };
            tasks.spawn(poller.run(sender));
            read.push(receiver);
        }
    }
    Ok(Streams { written: aws.written.clone(), read })
}

/// The sequence number that a file of this stack holds.
fn position(file: &Path) -> Result<String, StartError> {
    let refused = |reason: String| StartError::Data { path: file.display().to_string(), reason };
    let text = fs::read_to_string(file).map_err(|error| refused(error.to_string()))?;
    let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if number { Ok(text) } else { Err(refused("it is damaged".into())) }
}

struct Poller {
    database: Database,
    written: Written,
    ledger: Ledger,
    faults: Faults,
    /// How many batches were handed over.
    batches: u64,
    /// The function and the table.
    name: String,
    consumer: Consumer,
    source: StreamSource,
    /// A stream of the engine has one, once it holds anything.
    shard: Option<Shard>,
    /// The last record that was taken.
    after: Option<String>,
    file: Option<PathBuf>,
}

impl Poller {
    async fn run(mut self, read: watch::Sender<u64>) {
        loop {
            let seen = self.written.count.load(Ordering::SeqCst);
            match self.step().await {
                Step::Nothing => {
                    read.send_replace(seen);
                    let written = self.written.notify.notified();
                    if self.written.count.load(Ordering::SeqCst) == seen {
                        let _ = timeout(IDLE, written).await;
                        sleep(DELAY).await;
                    }
                }
                Step::Taken => {}
                Step::Failed => sleep(RETRY).await,
            }
        }
    }

    async fn step(&mut self) -> Step {
        if self.shard.is_none() {
            self.shard = match shard(&self.database, &self.source.table) {
                Ok(shard) => shard,
                Err(error) => return failed(&error),
            };
        }
        let Some(shard) = self.shard.clone() else { return Step::Nothing };
        let (database, after) = (self.database.clone(), self.after.clone());
        let records = match spawn_blocking(move || records(&database, shard, after)).await {
            Ok(Ok(records)) => records,
            Ok(Err(error)) => return failed(&error),
            Err(error) => return failed(&error.to_string()),
        };
        if records.is_empty() {
            return Step::Nothing;
        }
        for batch in records.chunks(self.source.batch_size) {
            if !self.deliver(batch).await {
                return Step::Failed;
            }
        }
        Step::Taken
    }

    /// Hands a batch over; the position moves past what was taken.
    async fn deliver(&mut self, batch: &[Value]) -> bool {
        let sequence = |record: &Value| record["dynamodb"]["SequenceNumber"].as_str().map(str::to_owned);
        let wanted = |record: &&Value| {
            self.source.patterns.is_empty() || self.source.patterns.iter().any(|pattern| matches(pattern, record))
        };
        let mut records: Vec<&Value> = batch.iter().filter(wanted).collect();
        if records.is_empty() {
            self.keep(batch.last().and_then(sequence));
            return true;
        }
        self.batches += 1;
        let trace = self.trace();
        let fault = self.faults.of_batch(&trace);
        if let Some(BatchFault::Reordered) = fault {
            records.sort_by_key(|record| record["dynamodb"]["Keys"].to_string());
        }
        let failure = self.invoke(&trace, &records).await;
        match fault {
            Some(BatchFault::Twice) => drop(self.invoke(&trace, &records).await),
            Some(BatchFault::Unheard) => return false,
            Some(BatchFault::Reordered) if failure.is_some() => return false,
            _ => {}
        }
        let taken = batch.iter().filter_map(sequence).take_while(|number| Some(number) != failure.as_ref()).last();
        if taken.is_some() {
            self.keep(taken);
        }
        failure.is_none()
    }

    /// The trace of the batch: the same for the same batch of another run, so that a plan of faults strikes it again.
    fn trace(&self) -> String {
        let mut hasher = DefaultHasher::new();
        (&self.name, self.batches).hash(&mut hasher);
        format!("Root=1-00000001-{:016x}{:08x}", hasher.finish(), self.batches)
    }

    /// The sequence number of the first record that the function did not take.
    async fn invoke(&self, trace: &str, records: &[&Value]) -> Option<String> {
        let first = records.first().and_then(|record| record["dynamodb"]["SequenceNumber"].as_str()).map(str::to_owned);
        let id = uuid::Uuid::new_v4();
        self.ledger.open(trace, &id.to_string(), &format!("stream {}", self.name));
        let mut context = Context::default();
        context.request_id = id.to_string();
        context.xray_trace_id = Some(trace.to_owned());
        match self.consumer.invoke(LambdaEvent::new(json!({ "Records": records }), context)).await {
            Ok(response) => response.batch_item_failures.into_iter().find_map(|failure| failure.item_identifier),
            Err(error) => {
                tracing::error!(%error, stream = self.name, "a batch of stream records failed");
                first
            }
        }
    }

    fn keep(&mut self, after: Option<String>) {
        if let (Some(file), Some(number)) = (&self.file, &after)
            && let Err(error) = files::replace(file, number.as_bytes())
        {
            tracing::error!(%error, "the stream's position cannot be kept; records will be delivered again");
        }
        self.after = after;
    }
}

enum Step {
    Nothing,
    Taken,
    Failed,
}

fn failed(reason: &str) -> Step {
    tracing::error!(reason, "the stream cannot be read");
    Step::Failed
}

/// Where a table's records are read.
#[derive(Clone)]
struct Shard {
    stream: String,
    id: String,
}

fn shard(database: &Database, table: &str) -> Result<Option<Shard>, String> {
    let told = |error: dynoxide::DynoxideError| error.to_string();
    let streams = database
        .list_streams(ListStreamsRequest { table_name: Some(table.to_owned()), ..Default::default() })
        .map_err(told)?;
    let Some(stream) = streams.streams.into_iter().next() else { return Err(format!("{table} has no stream")) };
    let described = database
        .describe_stream(DescribeStreamRequest { stream_arn: stream.stream_arn.clone(), ..Default::default() })
        .map_err(told)?;
    let shard = described.stream_description.shards.into_iter().next();
    Ok(shard.map(|shard| Shard { stream: stream.stream_arn, id: shard.shard_id }))
}

/// The records of a table's stream after a sequence number, as Lambda would write them.
fn records(database: &Database, shard: Shard, after: Option<String>) -> Result<Vec<Value>, String> {
    let told = |error: dynoxide::DynoxideError| error.to_string();
    let kind = if after.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" };
    let iterator = database.get_shard_iterator(GetShardIteratorRequest {
        stream_arn: shard.stream,
        shard_id: shard.id,
        shard_iterator_type: kind.to_owned(),
        sequence_number: after,
    });
    let Some(shard_iterator) = iterator.map_err(told)?.shard_iterator else { return Ok(Vec::new()) };
    let records = database.get_records(GetRecordsRequest { shard_iterator, limit: Some(READ) }).map_err(told)?.records;
    records.into_iter().map(|record| serde_json::to_value(record).map_err(|error| error.to_string())).collect()
}

/// Whether a record matches an event pattern: every field that the pattern names holds one of its values.
fn matches(pattern: &Value, record: &Value) -> bool {
    match pattern {
        Value::Object(fields) => fields.iter().all(|(name, inner)| matches(inner, &record[name])),
        Value::Array(allowed) => allowed.iter().any(|allowed| admits(allowed, record)),
        _ => false,
    }
}

/// A value is one that the pattern lists, or begins with a prefix that it lists.
fn admits(allowed: &Value, value: &Value) -> bool {
    match allowed["prefix"].as_str() {
        Some(prefix) => value.as_str().is_some_and(|text| text.starts_with(prefix)),
        None => allowed == value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_wants_one_of_its_values_in_every_field_that_it_names() {
        let pattern = json!({ "dynamodb": { "NewImage": { "ev": { "S": ["a", "b"] } } } });
        assert!(matches(&pattern, &json!({ "dynamodb": { "NewImage": { "ev": { "S": "b" }, "x": { "S": "c" } } } })));
        assert!(!matches(&pattern, &json!({ "dynamodb": { "NewImage": { "ev": { "S": "c" } } } })));
        let prefixed = json!({ "sk": [{ "prefix": "PENDING#" }] });
        assert!(matches(&prefixed, &json!({ "sk": "PENDING#1" })) && !matches(&prefixed, &json!({ "sk": "Q#1" })));
        assert!(!matches(&pattern, &json!({ "dynamodb": { "OldImage": { "ev": { "S": "a" } } } })));
    }
}
