//! DynamoDB: the engine dynoxide behind its own HTTP server, with a front that writes down what each call cost.

use std::{error::Error, path::Path, sync::Arc};

use axum::http::StatusCode;
use dynoxide::{Database, storage_backend::Clock as EngineClock};
use reqwest::Client;
use rusqlite::Connection;
use serde_json::{Value, json};
use shared::clock::TimeSource;
use tokio::{net::TcpListener, task::JoinSet};

use super::{Answer, capacity, partitions::Partitions};
use crate::{
    Data, StartError,
    clock::MovableClock,
    template::{Table, Template},
};

/// The engine and the way to it.
#[derive(Clone)]
pub struct DynamoDb {
    pub database: Database,
    pub partitions: Partitions,
    client: Client,
    url: String,
}

/// The engine looks for the last record of a stream at each write, and would read all records that there ever were without it.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS stream_order
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER), shard_id)";

/// Operations that write, and operations that report capacity at all.
const WRITES: &[&str] = &["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"];
const READS: &[&str] = &["GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"];

impl DynamoDb {
    /// Opens the engine, and makes the tables that the template names where they are missing.
    ///
    /// # Errors
    /// Where the data cannot be used.
    pub async fn start(
        data: &Data,
        template: &Template,
        clock: &MovableClock,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self, StartError> {
        let database = open(data, clock)?;
        let failed = |error: std::io::Error| StartError::Aws(error.to_string());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        let engine = database.clone();
        tasks.spawn(dynoxide::server::serve_on(listener, engine));
        let dynamodb = Self { database, partitions: Partitions::default(), client: Client::new(), url };
        for table in template.tables() {
            dynamodb.make(&table).await?;
        }
        Ok(dynamodb)
    }

    async fn make(&self, table: &Table) -> Result<(), StartError> {
        let described = self.forward("DescribeTable", &json!({ "TableName": table.name })).await;
        if described.status == StatusCode::OK {
            return Ok(());
        }
        let wanted = ["AttributeDefinitions", "KeySchema", "BillingMode"];
        let mut request = json!({ "TableName": table.name });
        for name in wanted {
            request[name] = table.properties[name].clone();
        }
        if table.properties["GlobalSecondaryIndexes"].is_array() {
            request["GlobalSecondaryIndexes"] = table.properties["GlobalSecondaryIndexes"].clone();
        }
        if let Some(view) = table.properties["StreamSpecification"]["StreamViewType"].as_str() {
            request["StreamSpecification"] = json!({ "StreamEnabled": true, "StreamViewType": view });
        }
        self.must("CreateTable", &request).await?;
        if let Some(attribute) = &table.ttl_attribute {
            let ttl = json!({ "AttributeName": attribute, "Enabled": true });
            self.must("UpdateTimeToLive", &json!({ "TableName": table.name, "TimeToLiveSpecification": ttl })).await?;
        }
        Ok(())
    }

    async fn must(&self, operation: &str, request: &Value) -> Result<(), StartError> {
        let answer = self.forward(operation, request).await;
        if answer.status == StatusCode::OK { Ok(()) } else { Err(StartError::Aws(answer.body.to_string())) }
    }

    /// Answers a call, and says what it cost.
    pub async fn call(&self, operation: &str, mut request: Value) -> Answer {
        let counted = WRITES.contains(&operation) || READS.contains(&operation);
        if counted {
            request["ReturnConsumedCapacity"] = json!("TOTAL");
        }
        if WRITES.contains(&operation) && !self.partitions.admit(&request) {
            return Answer::refused(StatusCode::BAD_REQUEST, "ThrottlingException", "the key takes no more writes yet");
        }
        let mut answer = self.forward(operation, &request).await;
        answer.table = request["TableName"].as_str().map(str::to_owned);
        let pk = [&request["Key"]["pk"]["S"], &request["Item"]["pk"]["S"]].into_iter().find_map(Value::as_str);
        answer.kind = pk.and_then(|pk| pk.split('#').next()).map(str::to_owned);
        let units = capacity::reported(&answer.body);
        if READS.contains(&operation) {
            answer.rru = units;
        } else if answer.status == StatusCode::OK {
            answer.wru = units;
        } else if is(&answer.body, "ConditionalCheckFailedException") {
            answer.wru = self.failed_write(&request, &answer.body).await;
        } else if is(&answer.body, "TransactionCanceledException") {
            answer.wru = cancelled(&request);
        }
        self.partitions.took(&request, answer.wru);
        answer
    }

    /// A failed condition costs what writing the item as it stands would.
    async fn failed_write(&self, request: &Value, body: &Value) -> f64 {
        if body["Item"].is_object() {
            return capacity::write_units(capacity::item_size(&body["Item"]));
        }
        let key = if request["Key"].is_object() {
            request["Key"].clone()
        } else {
            json!({ "pk": request["Item"]["pk"], "sk": request["Item"]["sk"] })
        };
        let read = json!({ "TableName": request["TableName"], "Key": key, "ConsistentRead": true });
        let found = self.forward("GetItem", &read).await;
        capacity::write_units(capacity::item_size(&found.body["Item"]))
    }

    async fn forward(&self, operation: &str, request: &Value) -> Answer {
        let sent = self
            .client
            .post(&self.url)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=local")
            .header("x-amz-date", "20260101T000000Z")
            .body(request.to_string())
            .send()
            .await;
        let failed =
            |reason: String| Answer::refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", &reason);
        match sent {
            Err(error) => failed(error.to_string()),
            Ok(response) => {
                let status = response.status();
                match response.json().await {
                    Ok(body) => Answer::new(status, body),
                    Err(error) => failed(error.to_string()),
                }
            }
        }
    }
}

fn is(body: &Value, kind: &str) -> bool {
    body["__type"].as_str().is_some_and(|found| found.ends_with(kind))
}

/// A cancelled transaction costs two units and more for each of its items, as if each were small.
fn cancelled(request: &Value) -> f64 {
    2.0 * request["TransactItems"].as_array().map_or(0, Vec::len) as f64
}

fn open(data: &Data, clock: &MovableClock) -> Result<Database, StartError> {
    match data {
        Data::Memory => open_memory(clock).map_err(|error| StartError::Aws(error.to_string())),
        Data::Folder(folder) => open_file(&folder.join("dynamodb.sqlite")),
    }
}

fn open_file(path: &Path) -> Result<Database, StartError> {
    let refused = |reason: String| StartError::Data { path: path.display().to_string(), reason };
    let database = Database::new(&path.to_string_lossy()).map_err(|error| refused(error.to_string()))?;
    let indexed = Connection::open(path).and_then(|file| file.execute_batch(STREAM_INDEX));
    indexed.map_err(|error| refused(error.to_string()))?;
    Ok(database)
}

/// Nobody but the engine reaches its memory: the index comes into it by way of a file.
fn open_memory(clock: &MovableClock) -> Result<Database, Box<dyn Error>> {
    let database = Database::memory_with_clock(Arc::new(EngineTime(clock.clone())))?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("empty.sqlite");
    database.vacuum_into(&path.to_string_lossy())?;
    Connection::open(&path)?.execute_batch(STREAM_INDEX)?;
    database.restore_from(&path.to_string_lossy())?;
    Ok(database)
}

struct EngineTime(MovableClock);

impl EngineClock for EngineTime {
    fn now_unix_secs(&self) -> u64 {
        self.0.now().timestamp().unsigned_abs()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.0.now().timestamp_millis() as f64 / 1000.0
    }
}
