//! Brings accounts of another service in: one JSON object a line, into a local or a deployed stack.
//!
//! What is not right is refused by its line and the rest goes on. A file beside the input notes how far it came, so that
//! a second run goes on there; a line that was in already is passed over.

mod line;
mod progress;

pub use line::{Line, Refusal};
pub use progress::Progress;

use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufRead, BufReader, Write},
    iter::Peekable,
    path::Path,
    str,
};

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, future::join_all, stream};
use shared::{
    clock::Clock,
    domain::{Account, Username},
    store::{Accounts, Imported, StoreError, outlasting_throttles},
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
    let imported = go_on(accounts, clock, file, &mut progress, refusals, &mut done).await;
    let noted = progress.write();
    let report = imported?;
    noted?;
    Ok(report)
}

/// Imports what is not behind yet.
async fn go_on(
    accounts: &Accounts,
    clock: &Clock,
    file: &Path,
    progress: &mut Progress,
    refusals: &mut impl Write,
    done: &mut impl FnMut(u64),
) -> Result<Report, ImportError> {
    let lines = BufReader::new(File::open(file)?).split(b'\n').zip(1_u64..);
    let begun = progress.lines();
    let read = |(line, number): (io::Result<Vec<u8>>, u64)| Ok(Read::of(&line?, number, clock));
    let mut lines = lines.skip_while(|(_, number)| *number <= begun).map(read).peekable();
    let runs = std::iter::from_fn(|| {
        let run = run(&mut lines);
        (!run.is_empty()).then_some(run)
    });
    let outcomes = stream::iter(runs).then(|run| join_all(run.into_iter().map(|read| bring_in(accounts, clock, read))));
    let mut outcomes = std::pin::pin!(outcomes.flat_map(stream::iter));
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
                let noted = outlasting_throttles(|| accounts.note_oldest(created_at)).await;
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
    Ok(report)
}

enum Outcome {
    Made(DateTime<Utc>),
    Present(DateTime<Utc>),
    Empty,
    Refused(Refusal),
}

/// A line, read.
struct Read {
    number: u64,
    bytes: u64,
    /// Nothing where it is empty.
    account: Result<Option<Account>, Refusal>,
}

impl Read {
    fn of(line: &[u8], number: u64, clock: &Clock) -> Self {
        let account = || {
            let line = str::from_utf8(line).map_err(|_| Refusal::of("it", "is not UTF-8"))?;
            if line.trim().is_empty() { Ok(None) } else { Line::parse(line)?.account(clock).map(Some) }
        };
        Self { number, bytes: line.len() as u64 + 1, account: account() }
    }

    /// The address and the username that it wants.
    fn wants(&self) -> Vec<String> {
        let Ok(Some(account)) = &self.account else { return Vec::new() };
        let username = account.username.as_ref().map(Username::folded);
        // An address has an @, a username has none.
        [account.email.as_str().to_owned()].into_iter().chain(username).collect()
    }
}

/// The next lines that may be brought in at once: none wants what another one of them wants, since the first of the file is to have
/// it.
fn run(lines: &mut Peekable<impl Iterator<Item = io::Result<Read>>>) -> Vec<io::Result<Read>> {
    let mut wanted = HashSet::new();
    let mut run = Vec::new();
    while run.len() < PARALLEL
        && let Some(read) =
            lines.next_if(|read| read.as_ref().is_ok_and(|read| read.wants().iter().all(|want| !wanted.contains(want))))
    {
        wanted.extend(read.iter().flat_map(Read::wants));
        run.push(read);
    }
    // What cannot be read ends the import by itself.
    if run.is_empty() { lines.next().into_iter().collect() } else { run }
}

async fn bring_in(
    accounts: &Accounts,
    clock: &Clock,
    read: io::Result<Read>,
) -> Result<(u64, u64, Outcome), ImportError> {
    let Read { number, bytes, account } = read?;
    let outcome = match account {
        Err(refusal) => Outcome::Refused(refusal),
        Ok(None) => Outcome::Empty,
        Ok(Some(account)) => {
            let imported = outlasting_throttles(|| accounts.import(&account, clock.now())).await;
            match imported.map_err(|error| ImportError::Store { line: number, error })? {
                Imported::Made => Outcome::Made(account.created_at),
                Imported::Present => Outcome::Present(account.created_at),
                Imported::EmailTaken => Outcome::Refused(Refusal::of("email", "has an account")),
                Imported::UsernameTaken => Outcome::Refused(Refusal::of("username", "has an account")),
            }
        }
    };
    Ok((number, bytes, outcome))
}
