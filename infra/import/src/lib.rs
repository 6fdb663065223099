//! Brings accounts of another service in: one JSON object a line, into a local or a deployed stack.
//!
//! What is not right is refused by its line and the rest goes on. A file beside the input notes how far it came, so that
//! a second run goes on there; a line that was in already is passed over.

mod line;
mod progress;

pub use line::{Line, Refusal};
pub use progress::Progress;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Write},
    path::Path,
};

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use shared::{
    clock::Clock,
    store::{Accounts, Imported, StoreError},
};
use thiserror::Error;

/// Accounts that are on their way at once.
const PARALLEL: usize = 32;

/// Why an import stopped before its end. A further run goes on where it stopped.
#[derive(Debug, Error)]
pub enum ImportError {
    #[error("{0}")]
    File(#[from] io::Error),
    #[error("line {line}: {error}")]
    Store { line: u64, error: StoreError },
}

/// What became of the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub made: u64,
    /// Those that an earlier run had brought in.
    pub present: u64,
    pub refused: u64,
}

/// Imports a file. `refusals` is told of each line that is refused, `done` of the bytes that are behind.
///
/// # Errors
/// Where the file cannot be read, or the store cannot answer.
pub async fn import(
    accounts: &Accounts,
    clock: &Clock,
    file: &Path,
    refusals: &mut impl Write,
    mut done: impl FnMut(u64),
) -> Result<Report, ImportError> {
    let mut progress = Progress::of(file)?;
    let lines = BufReader::new(File::open(file)?).lines().zip(1_u64..);
    let begun = progress.lines();
    let outcomes = stream::iter(lines.skip_while(move |(_, number)| *number <= begun))
        .map(|(line, number)| async move {
            let line = line?;
            let bytes = line.len() as u64 + 1;
            let outcome = bring_in(accounts, clock, &line).await;
            outcome.map(|outcome| (number, bytes, outcome)).map_err(|error| ImportError::Store { line: number, error })
        })
        .buffered(PARALLEL);
    let mut outcomes = std::pin::pin!(outcomes);
    let mut report = Report::default();
    let mut oldest: Option<DateTime<Utc>> = None;
    while let Some(outcome) = outcomes.next().await {
        let (number, bytes, outcome) = outcome?;
        report.made += u64::from(matches!(outcome, Outcome::Made(_)));
        report.present += u64::from(matches!(outcome, Outcome::Present(_)));
        match outcome {
            Outcome::Made(created_at) | Outcome::Present(created_at)
                if oldest.is_none_or(|oldest| created_at < oldest) =>
            {
                let noted = accounts.note_oldest(created_at).await;
                noted.map_err(|error| ImportError::Store { line: number, error })?;
                oldest = Some(created_at);
            }
            Outcome::Made(_) | Outcome::Present(_) => {}
            Outcome::Empty => {}
            Outcome::Refused(refusal) => {
                report.refused += 1;
                writeln!(refusals, "line {number}: {refusal}")?;
            }
        }
        progress.note(number)?;
        done(bytes);
    }
    progress.finish()?;
    Ok(report)
}

enum Outcome {
    Made(DateTime<Utc>),
    Present(DateTime<Utc>),
    Empty,
    Refused(Refusal),
}

async fn bring_in(accounts: &Accounts, clock: &Clock, line: &str) -> Result<Outcome, StoreError> {
    if line.trim().is_empty() {
        return Ok(Outcome::Empty);
    }
    let account = match Line::parse(line).and_then(|line| line.account(clock)) {
        Ok(account) => account,
        Err(refusal) => return Ok(Outcome::Refused(refusal)),
    };
    Ok(match accounts.import(&account).await? {
        Imported::Made => Outcome::Made(account.created_at),
        Imported::Present => Outcome::Present(account.created_at),
        Imported::EmailTaken => Outcome::Refused(Refusal::of("email", "has an account")),
        Imported::UsernameTaken => Outcome::Refused(Refusal::of("username", "has an account")),
    })
}
