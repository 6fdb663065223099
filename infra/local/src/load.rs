//! Fills a stack with people and attempts, to see how it does when it holds much.

use std::ops::Range;

use chrono::{DateTime, TimeDelta, Utc};
use dynoxide::{Database, ImportOptions};
use shared::{
    crypto::{Hasher, random_text},
    domain::{
        Account, DisplayName, Document, EmailAddress, NewAccount, NewAttempt, Outcome, Plaintext, Plan, Role, Username,
    },
    store::{AttemptItems, user_items},
};
use uuid::{NoContext, Timestamp, Uuid};

use crate::StartError;

/// Items that are written at a time.
const BATCH: usize = 5_000;
/// Names that people are called by, so that some are found often and some seldom.
const GIVEN: [&str; 20] = [
    "Anna",
    "Ben",
    "Chiara",
    "Daniel",
    "Elif",
    "Felix",
    "Greta",
    "Hassan",
    "Ida",
    "Jonas",
    "Katharina",
    "Luca",
    "Maria",
    "Noah",
    "Olga",
    "Paul",
    "Rosa",
    "Sam",
    "Tariq",
    "Zoë",
];
const FAMILY: [&str; 10] =
    ["Müller", "Rossi", "Smith", "García", "Nguyen", "Kowalski", "Silva", "Ivanova", "Haddad", "Tanaka"];

/// How the first of the people who were loaded signs in. The others have the same password.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub email: String,
    pub password: String,
}

/// Adds people who can sign in, and attempts of the first of them. `done` is called for each.
///
/// # Errors
/// Where the database refuses them.
pub async fn all(
    database: &Database,
    count: u64,
    attempts_of_first: u32,
    now: DateTime<Utc>,
    mut done: impl FnMut(),
) -> Result<Loaded, StartError> {
    let failed = |reason: String| StartError::Aws(reason);
    let password = random_text(12).map_err(|error| failed(error.to_string()))?;
    let plaintext = Plaintext::parse(password.clone()).map_err(|error| failed(error.to_string()))?;
    let hasher = Hasher::new().map_err(|error| failed(error.to_string()))?;
    let hashing = hasher.place().await.map_err(|error| failed(error.to_string()))?;
    let hash = hashing.hash(plaintext).await.map_err(|error| failed(error.to_string()))?;
    // A person is more than one item: no number is given twice.
    let tables = database.table_stats().map_err(|error| failed(error.to_string()))?;
    let items = tables.iter().find(|table| table.table_name == "UsersTable").map_or(0, |table| table.item_count);
    let first = u64::try_from(items).unwrap_or_default();
    let mut of_first = None;
    people(database, first..first + count, &hash, now, |account| {
        of_first.get_or_insert_with(|| (account.id, account.email.as_str().to_owned()));
        done();
    })?;
    let (id, email) = of_first.ok_or_else(|| failed("nobody was loaded".into()))?;
    attempts(database, id, attempts_of_first, TimeDelta::minutes(1), now, done)?;
    Ok(Loaded { email, password })
}

/// Adds people named `person<number>@example.com`. `done` is told of each.
///
/// # Errors
/// Where the database refuses them.
pub fn people(
    database: &Database,
    numbers: Range<u64>,
    password_hash: &str,
    now: DateTime<Utc>,
    mut done: impl FnMut(&Account),
) -> Result<(), StartError> {
    let mut waiting = Vec::new();
    for number in numbers {
        let account = person(number, password_hash, now)
            .ok_or_else(|| StartError::Aws(format!("person {number} is no account")))?;
        waiting.extend(user_items(&account, &Document::default()));
        if waiting.len() >= BATCH {
            write(database, "UsersTable", std::mem::take(&mut waiting))?;
        }
        done(&account);
    }
    write(database, "UsersTable", waiting)
}

fn person(number: u64, password_hash: &str, now: DateTime<Utc>) -> Option<Account> {
    let place = |names: &[&'static str], by: u64| names.get(usize::try_from(number / by).ok()? % names.len()).copied();
    let name = format!("{} {} {number}", place(&GIVEN, 1)?, place(&FAMILY, GIVEN.len() as u64)?);
    let made_at = now - TimeDelta::seconds(i64::try_from(number % 2_000_000).ok()?);
    let new = NewAccount {
        id: id(made_at),
        email: EmailAddress::parse(&format!("person{number}@example.com")).ok()?,
        username: Username::parse(&format!("person_{number}")).ok(),
        name: DisplayName::parse(&name).ok(),
        password_hash: password_hash.to_owned(),
        session: None,
        device_family: None,
        role: Role::User,
        plan: Plan::Basic,
        invitation: None,
        created_at: made_at,
    };
    Some(Account { verified: true, ..Account::from(new) })
}

/// Adds attempts of someone who has none yet, so far apart up to `now`, each with a KiB of code.
///
/// # Errors
/// Where the database refuses them.
pub fn attempts(
    database: &Database,
    user_id: Uuid,
    count: u32,
    apart: TimeDelta,
    now: DateTime<Utc>,
    mut done: impl FnMut(),
) -> Result<(), StartError> {
    let failed = |error: shared::store::StoreError| StartError::Aws(error.to_string());
    let mut items = AttemptItems::new(user_id);
    let mut waiting = Vec::new();
    for number in 0..count {
        let created_at = now - apart * i32::try_from(count - number).unwrap_or(i32::MAX);
        let passed_tests = u16::try_from(number % 11).unwrap_or_default();
        let attempt = NewAttempt {
            id: id(created_at),
            user_id,
            question_id: u64::from(number % 500),
            language: "python".to_owned(),
            code: format!("# attempt {number}\n{}", "def solution(numbers):\n    return sum(numbers)\n".repeat(20)),
            outcome: Outcome {
                passed_tests,
                total_tests: 10.max(passed_tests),
                runtime_ms: Some(u64::from(number % 97)),
            },
            created_at,
            repeatable: None,
        };
        waiting.extend(items.add(&attempt).map_err(failed)?);
        if waiting.len() >= BATCH {
            write(database, "AttemptsTable", std::mem::take(&mut waiting))?;
        }
        done();
    }
    waiting.extend(items.finish());
    write(database, "AttemptsTable", waiting)
}

fn id(at: DateTime<Utc>) -> Uuid {
    Uuid::new_v7(Timestamp::from_unix(NoContext, at.timestamp().unsigned_abs(), at.timestamp_subsec_nanos()))
}

fn write(database: &Database, table: &str, items: Vec<serde_dynamo::Item>) -> Result<(), StartError> {
    let failed = |reason: String| StartError::Aws(reason);
    let converted = items.into_iter().map(|item| serde_json::to_value(item).and_then(serde_json::from_value));
    let items = converted.collect::<Result<Vec<_>, _>>().map_err(|error| failed(error.to_string()))?;
    let imported = database.import_items(table, items, ImportOptions::default());
    imported.map(drop).map_err(|error| failed(error.to_string()))
}
