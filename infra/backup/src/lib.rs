//! Writes what a stack holds for good to files, and such files into an empty stack: accounts with all that is known of people, attempts,
//! and the audit. A line is an item, `{"Item": {…}}` with typed values, as DynamoDB's own export to S3 writes it.
//!
//! What is of the moment stays behind: sessions, codes, locks, limits, links that wait. Everyone signs in anew after a restore, and a
//! session that was ended after the backup does not come back to life.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_dynamo::Item;
use serde_json::{Value, json};
use shared::{
    Platform, aws,
    config::SettingError,
    store::{brought_back, outlasting_throttles},
};
use thiserror::Error;

/// The file of each table, and the setting that names the table. Users come last: an erasure that was under way goes on as soon as its
/// row is there, and has to find what it erases.
const TABLES: [(&str, &str); 3] = [(AUDIT, "AUDIT_TABLE"), (ATTEMPTS, "ATTEMPTS_TABLE"), (USERS, USERS_TABLE)];
/// The trail of what admins did names people who are erased too, and keeps them.
const AUDIT: &str = "audit.jsonl";
const ATTEMPTS: &str = "attempts.jsonl";
const USERS: &str = "users.jsonl";
const USERS_TABLE: &str = "USERS_TABLE";
/// Items that are on their way at once.
const PARALLEL: usize = 32;

/// Why a backup is not whole, or a restore not at its end. Either may be run again: a restore leaves alone what is there.
#[derive(Debug, Error)]
pub enum BackupError {
    #[error("{}: {error}", path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{}, line {line}: {reason}", path.display())]
    Line { path: PathBuf, line: usize, reason: String },
    #[error("{table}: {reason}")]
    Table { table: String, reason: String },
    #[error(transparent)]
    Settings(#[from] SettingError),
}

/// What a restore did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    pub written: u64,
    /// Items that were there already, and stay as they are.
    pub present: u64,
    /// Items of people who were erased after the backup, and stay erased.
    pub erased: u64,
}

/// The ids of people whose erasure a later file of table users tells of.
///
/// # Errors
/// Where it cannot be read.
pub fn erased(path: &Path) -> Result<HashSet<String>, BackupError> {
    let mut ids = HashSet::new();
    let file = File::open(path).map_err(|error| BackupError::File { path: path.to_owned(), error })?;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|error| BackupError::File { path: path.to_owned(), error })?;
        let reason = |reason| BackupError::Line { path: path.to_owned(), line: number + 1, reason };
        ids.extend(erasure_of(&read(&line).map_err(reason)?).map(str::to_owned));
    }
    Ok(ids)
}

/// Whose erasure an item tells of: one that is complete, or one that is under way.
fn erasure_of(item: &HashMap<String, AttributeValue>) -> Option<&str> {
    match (text(item, "pk")?, text(item, "sk")?) {
        ("ERASE", id) => Some(id),
        (key, _) => key.strip_prefix("ERASED#"),
    }
}

/// Whose an item is.
fn owner_of(item: &HashMap<String, AttributeValue>) -> Option<&str> {
    let of_partition = || text(item, "pk")?.strip_prefix("USER#")?.split('#').next();
    text(item, "uid").or_else(of_partition)
}

fn text<'a>(item: &'a HashMap<String, AttributeValue>, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// Writes each table to its file, and answers how many items there were. `done` is told of each item.
///
/// What is written meanwhile may be in it or not: of a service in use, DynamoDB's own export gives one moment of all.
///
/// # Errors
/// Where a table cannot be read, or a file not written.
pub async fn export(platform: &Platform, folder: &Path, mut done: impl FnMut()) -> Result<u64, BackupError> {
    let client = platform.aws.dynamodb();
    let mut count = 0;
    for (file, setting) in TABLES {
        let (table, path) = (platform.settings.resource(setting)?, folder.join(file));
        let failed = |error| BackupError::File { path: path.clone(), error };
        // Hashes of passwords are in it.
        let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&path).map_err(failed)?;
        let mut lines = BufWriter::new(file);
        let mut from = None;
        loop {
            let scan = client.scan().table_name(table).consistent_read(true).set_exclusive_start_key(from);
            let page = outlasting_throttles(|| scan.clone().send()).await.map_err(|error| refused(table, &error))?;
            for item in page.items.unwrap_or_default() {
                writeln!(lines, "{}", json!({ "Item": Item::from(item) })).map_err(failed)?;
                count += 1;
                done();
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        lines.flush().map_err(failed)?;
    }
    Ok(count)
}

/// Reads every line, and answers whether it may go where its file goes: exports of several tables are soon mixed up, and nobody may
/// delete from the audit.
fn check(folder: &Path) -> Result<(), BackupError> {
    for (file, _) in TABLES {
        let path = folder.join(file);
        let failed = |error| BackupError::File { path: path.clone(), error };
        for (number, line) in BufReader::new(File::open(&path).map_err(failed)?).lines().enumerate() {
            let read = read(&line.map_err(failed)?);
            let told =
                read.and_then(|item| if is_of(file, &item) { Ok(()) } else { Err("of another table".to_owned()) });
            told.map_err(|reason| BackupError::Line { path: path.clone(), line: number + 1, reason })?;
        }
    }
    Ok(())
}

/// Whether an item may be one of the table of that file, by what no other table has.
fn is_of(file: &str, item: &HashMap<String, AttributeValue>) -> bool {
    let (Some(partition), Some(name)) = (text(item, "pk"), text(item, "sk")) else { return false };
    let of_an_account = name == "ACCOUNT" || name == "CLAIM";
    match file {
        AUDIT => partition == "AUDIT",
        ATTEMPTS => (partition.starts_with("ATTEMPT#") || partition.starts_with("USER#")) && !of_an_account,
        _ => partition != "AUDIT" && !partition.starts_with("ATTEMPT#"),
    }
}

/// Whether an item is the search index's. The janitor makes them anew of every account that is brought in: one of before a rename that it
/// had not seen would be found for ever.
fn is_of_the_index(item: &HashMap<String, AttributeValue>) -> bool {
    text(item, "pk").is_some_and(|partition| partition.starts_with("W#")) || text(item, "sk") == Some("SEARCH")
}

/// Writes each file's items into its table, and leaves alone those that are there, and those of people who are `erased`, or whose
/// erasure the files themselves tell of: it may have gone on while they were written. `done` is told of each item. Nothing is written
/// before every line of every file is found right.
///
/// # Errors
/// Where a file cannot be read, or is of another table, or a table not written.
pub async fn restore(
    platform: &Platform,
    folder: &Path,
    erased: &HashSet<String>,
    mut done: impl FnMut(),
) -> Result<Restored, BackupError> {
    check(folder)?;
    let client = platform.aws.dynamodb();
    let gone: HashSet<_> = self::erased(&folder.join(USERS))?.union(erased).cloned().collect();
    // What is restored from this stack one day has to know of them too.
    for id in erased {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let note = HashMap::from([("pk".into(), text(&format!("ERASED#{id}"))), ("sk".into(), text("ERASED"))]);
        put(&client, platform.settings.resource(USERS_TABLE)?, note).await?;
    }
    let mut restored = Restored::default();
    for (file, setting) in TABLES {
        let (table, path) = (platform.settings.resource(setting)?, folder.join(file));
        let lines = File::open(&path).map_err(|error| BackupError::File { path: path.clone(), error })?;
        let lines = BufReader::new(lines).lines().enumerate();
        let items = stream::iter(lines).map(|(number, line)| {
            let (client, path, gone) = (client.clone(), path.clone(), &gone);
            async move {
                let line = line.map_err(|error| BackupError::File { path: path.clone(), error })?;
                let item = read(&line).map_err(|reason| BackupError::Line { path, line: number + 1, reason })?;
                if file != AUDIT && owner_of(&item).is_some_and(|id| gone.contains(id)) {
                    return Ok::<_, BackupError>(Restored { erased: 1, ..Restored::default() });
                }
                if is_of_the_index(&item) {
                    return Ok(Restored::default());
                }
                let new = put(&client, table, item).await?;
                Ok(Restored { written: new.into(), present: (!new).into(), erased: 0 })
            }
        });
        let mut written = items.buffer_unordered(PARALLEL);
        while let Some(item) = written.try_next().await? {
            restored.written += item.written;
            restored.present += item.present;
            restored.erased += item.erased;
            done();
        }
    }
    Ok(restored)
}

/// An item of a line. An account is one that is brought in: nobody gets a mail about it, and it is counted and found.
fn read(line: &str) -> Result<HashMap<String, AttributeValue>, String> {
    let mut line: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let item: Item = serde_json::from_value(line["Item"].take()).map_err(|error| error.to_string())?;
    Ok(brought_back(item).into())
}

/// Whether the item is new. A stack that is at work has looked for people who never verified up to another moment: those who come in
/// were not there then, so that the earlier moment of the two counts.
async fn put(client: &Client, table: &str, item: HashMap<String, AttributeValue>) -> Result<bool, BackupError> {
    let put = client.put_item().table_name(table);
    let put = match item.get("until").filter(|_| text(&item, "sk") == Some("SWEEP")) {
        Some(until) => put
            .condition_expression("attribute_not_exists(pk) OR #until > :until")
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":until", until.clone()),
        None => put.condition_expression("attribute_not_exists(pk)"),
    };
    let put = put.set_item(Some(item));
    let written = outlasting_throttles(async || match put.clone().send().await {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) => {
            Ok(false)
        }
        Err(error) => Err(error),
    });
    written.await.map_err(|error| refused(table, &error))
}

fn refused(table: &str, error: &(dyn std::error::Error + 'static)) -> BackupError {
    BackupError::Table { table: table.to_owned(), reason: aws::reason(error) }
}
