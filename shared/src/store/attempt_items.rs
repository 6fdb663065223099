//! The items of table `attempts`.

use std::{collections::BTreeMap, io};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    Item, StoreError,
    attributes::{Reader, expiry, moment, number, put_some, text},
    keys,
};
use crate::domain::{Attempt, Day, NewAttempt, Outcome, QuestionProgress, Repeatable, Summary};

const TABLE: &str = "attempts";

/// zstd's level for code: its default, a few microseconds a KiB.
const COMPRESSION: i32 = 3;
/// Bytes that stored code can unpack to at the most: what a submission may hold.
const LARGEST_CODE: usize = 256 * 1024;

/// A client's key is known for this long.
const KEY_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// A row of the history under `key`: 200 bytes at the most where the language's name is ASCII.
pub(super) fn row(key: &keys::Key, attempt: &NewAttempt) -> Item {
    let mut item = key.item();
    item.insert("id".into(), AttributeValue::B(Blob::new(attempt.id.as_bytes())));
    item.insert("q".into(), number(attempt.question_id));
    item.insert("lang".into(), text(&attempt.language));
    item.insert("p".into(), number(attempt.outcome.passed_tests));
    item.insert("t".into(), number(attempt.outcome.total_tests));
    put_some(&mut item, "ms", attempt.outcome.runtime_ms.map(number));
    item.insert("at".into(), moment(attempt.created_at));
    item
}

pub(super) fn read_row(item: &Item) -> Result<Attempt, StoreError> {
    let reader = Reader::new(TABLE, item);
    Ok(Attempt {
        id: Uuid::from_slice(reader.bytes("id")?).map_err(|_| reader.damaged("id"))?,
        question_id: reader.number("q")?,
        language: reader.text("lang")?.to_owned(),
        outcome: Outcome {
            passed_tests: reader.number("p")?,
            total_tests: reader.number("t")?,
            runtime_ms: reader.optional_number("ms")?,
        },
        created_at: reader.moment("at")?,
    })
}

/// The attempt with its code, compressed, and its owner.
pub(super) fn code(attempt: &NewAttempt) -> Result<Item, StoreError> {
    let failed = |error: io::Error| StoreError::Refused(format!("code cannot be compressed: {error}"));
    let compressed = zstd::bulk::compress(attempt.code.as_bytes(), COMPRESSION).map_err(failed)?;
    let mut item = row(&keys::code(attempt.id), attempt);
    item.insert("uid".into(), text(attempt.user_id.to_string()));
    item.insert("code".into(), AttributeValue::B(Blob::new(compressed)));
    Ok(item)
}

/// Owner, attempt and code.
pub(super) fn read_code(item: &Item) -> Result<(Uuid, Attempt, String), StoreError> {
    let reader = Reader::new(TABLE, item);
    let unpacked = zstd::bulk::decompress(reader.bytes("code")?, LARGEST_CODE).map_err(|_| reader.damaged("code"))?;
    let code = String::from_utf8(unpacked).map_err(|_| reader.damaged("code"))?;
    Ok((reader.uuid("uid")?, read_row(item)?, code))
}

pub(super) fn read_summary(item: &Item) -> Result<Summary, StoreError> {
    let reader = Reader::new(TABLE, item);
    Ok(Summary {
        total_attempts: reader.number("total")?,
        solved: reader.number("solved")?,
        last_attempt_at: reader.optional_moment("last")?,
    })
}

/// What a person has done on one question.
pub(super) fn progress(key: &keys::Key, progress: &QuestionProgress) -> Item {
    let mut item = key.item();
    item.insert("total".into(), number(progress.attempts));
    item.insert("p".into(), number(progress.best_passed_tests));
    item.insert("t".into(), number(progress.total_tests));
    put_some(&mut item, "ms", progress.best_runtime_ms.map(number));
    put_some(&mut item, "solved", progress.solved_at.map(moment));
    put_some(&mut item, "last", progress.last_attempt_at.map(moment));
    item
}

pub(super) fn read_progress(item: &Item) -> Result<QuestionProgress, StoreError> {
    let reader = Reader::new(TABLE, item);
    Ok(QuestionProgress {
        attempts: reader.number("total")?,
        best_passed_tests: reader.number("p")?,
        total_tests: reader.number("t")?,
        best_runtime_ms: reader.optional_number("ms")?,
        solved_at: reader.optional_moment("solved")?,
        last_attempt_at: reader.optional_moment("last")?,
    })
}

/// The question that an item is about.
pub(super) fn read_question(item: &Item) -> Result<(u64, QuestionProgress), StoreError> {
    let reader = Reader::new(TABLE, item);
    let question = reader.text(keys::SK)?.strip_prefix(keys::QUESTION).and_then(|id| id.parse().ok());
    Ok((question.ok_or_else(|| reader.damaged("sk"))?, read_progress(item)?))
}

/// The names of a day's counts in its month: attempts, and first solves.
pub(super) fn names_of_day(day: u32) -> [String; 2] {
    [format!("a{day:02}"), format!("s{day:02}")]
}

/// A month's days, each with its counts.
pub(super) fn days(key: &keys::Key, days: &BTreeMap<u32, [u64; 2]>) -> Item {
    let mut item = key.item();
    for (day, counts) in days {
        item.extend(names_of_day(*day).into_iter().zip(counts.map(number)));
    }
    item
}

/// The days of a month that have attempts, oldest first.
pub(super) fn read_days(item: &Item) -> Result<Vec<Day>, StoreError> {
    let reader = Reader::new(TABLE, item);
    let month = reader.text(keys::SK)?.strip_prefix(keys::MONTH);
    let first = month.and_then(|month| NaiveDate::parse_from_str(&format!("{month}-01"), "%Y-%m-%d").ok());
    let first = first.ok_or_else(|| reader.damaged("sk"))?;
    let count = |name: &str| match item.get(name) {
        None => Ok(0),
        Some(value) => value.as_n().ok().and_then(|text| text.parse().ok()).ok_or_else(|| reader.damaged("a, s")),
    };
    let mut days = Vec::new();
    for date in first.iter_days().take_while(|date| date.month0() == first.month0()) {
        let [attempts, solved] = names_of_day(date.day());
        days.push(Day { date, attempts: count(&attempts)?, solved: count(&solved)? });
    }
    days.retain(|day| day.attempts > 0);
    Ok(days)
}

/// What a submission with a client's key came to.
pub(super) fn repeatable(attempt: &NewAttempt, repeatable: &Repeatable, sent_at: DateTime<Utc>) -> Item {
    let mut item = keys::idempotency(attempt.user_id, &repeatable.key).item();
    item.insert("id".into(), AttributeValue::B(Blob::new(attempt.id.as_bytes())));
    item.insert("at".into(), moment(attempt.created_at));
    item.insert("body".into(), AttributeValue::B(Blob::new(repeatable.body)));
    item.insert(keys::EXPIRES_AT.into(), expiry(sent_at + KEY_LIFETIME));
    item
}

/// The attempt that a client's key came to and its moment, where `repeatable` is what it was sent with.
pub(super) fn read_repeatable(
    item: &Item,
    repeatable: &Repeatable,
) -> Result<Option<(Uuid, DateTime<Utc>)>, StoreError> {
    let reader = Reader::new(TABLE, item);
    if reader.bytes("body")? != repeatable.body {
        return Ok(None);
    }
    let id = Uuid::from_slice(reader.bytes("id")?).map_err(|_| reader.damaged("id"))?;
    Ok(Some((id, reader.moment("at")?)))
}
