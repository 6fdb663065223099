//! `cargo run --release -p bench` measures the service on this machine and writes what it saw under `docs/`.
//! `-- --only cold --only warm` measures these parts, shows them, and writes nothing.

mod attack;
mod build;
mod clients;
mod cold;
mod counters;
mod hashing;
mod logins;
mod machine;
mod operations;
mod people;
mod proc;
mod processors;
mod requests;
mod runtime_api;
mod scale;
mod stand;
mod stats;
mod warm;

use std::{fmt, fs, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand, ValueEnum};
use figures::measured::Measured;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tests::derived;
use tokio::time::sleep;

/// How long the machine rests before all of it is measured, a part of it with each move of the bar: one that has just been at work for
/// minutes, as with a build, is another one.
const REST: Duration = Duration::from_secs(300);
const RESTING_MOVES: usize = 30;

/// Measures the service on this machine.
#[derive(Parser)]
struct Arguments {
    /// A part to measure and show, in place of measuring all of them and writing the documents.
    #[arg(long)]
    only: Vec<Part>,
    /// The one request that is measured where functions are warm, and under many clients.
    #[arg(long, requires = "only")]
    operation: Option<String>,
    /// Takes the functions as they were built last.
    #[arg(long, requires = "only")]
    built: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Verifies one hash for so many seconds and prints how often in each: what the bench runs on one processor.
    #[command(hide = true)]
    Hash {
        seconds: u32,
        /// In memory that is kept, as the service does it.
        #[arg(long)]
        kept: bool,
    },
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Cold,
    Warm,
    Clients,
    Logins,
    Hashing,
    People,
    Histories,
    Attack,
    Counters,
}

impl Part {
    /// How often it moves the bar.
    fn moves(self, operation: Option<&str>) -> usize {
        match self {
            Self::Cold => cold::MOVES,
            Self::Warm => warm::moves(operation),
            Self::Clients => clients::moves(operation),
            Self::Logins => logins::moves(),
            Self::Hashing => hashing::MOVES,
            Self::People => people::MOVES,
            Self::Histories => scale::MOVES,
            Self::Attack => attack::MOVES,
            Self::Counters => counters::MOVES,
        }
    }
}

/// Why a figure could not be measured. Without it nothing is written.
pub struct Failure(String);

impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// What a measurement comes to.
pub type Result<T> = std::result::Result<T, Failure>;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let ended = match arguments.command {
        Some(Command::Hash { seconds, kept }) => hashing::rate(seconds, kept).await.map(|rate| println!("{rate}")),
        None => run(&arguments).await,
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(reason)) => {
            eprintln!("The bench stops, and writes nothing: {reason}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { only, built, operation, .. } = arguments;
    let parts = if only.is_empty() { Part::value_variants() } else { only };
    if let Some(part) = parts.iter().find(|part| part.moves(operation.as_deref()) == 0) {
        return Err(Failure(format!("{part:?} has no request of that name")));
    }
    let functions = build::functions(*built)?;
    let style = ProgressStyle::with_template("{bar:30} {pos:>3} of {len}, {elapsed}: {msg}")?;
    let rest = if only.is_empty() { RESTING_MOVES } else { 0 };
    let moves: usize = rest + parts.iter().map(|part| part.moves(operation.as_deref())).sum::<usize>();
    let bar = ProgressBar::new(moves as u64).with_style(style);
    if only.is_empty() {
        bar.set_message("rest");
        for _ in 0..rest {
            sleep(REST / RESTING_MOVES as u32).await;
            bar.inc(1);
        }
        let machine = machine::describe()?;
        // The quiet ones first. Cold starts in goes: what is started within two seconds has the same moment of the machine.
        let mut starts = cold::Starts::prepare(&functions).await?;
        starts.go(&bar).await?;
        let hashing = hashing::measure(&bar)?;
        starts.go(&bar).await?;
        let (warm, stored) = warm::measure(&functions, None, &bar).await?;
        starts.go(&bar).await?;
        let cold = starts.summary()?;
        let measured = Measured {
            machine,
            hashing,
            cold,
            warm,
            stored,
            clients: clients::measure(None, &bar).await?,
            logins: logins::measure(&functions, &bar).await?,
            attack: attack::measure(&bar).await?,
            counters: counters::measure(&bar).await?,
            people: people::measure(&bar).await?,
            histories: scale::measure(&bar).await?,
        };
        bar.finish_and_clear();
        let record = derived::root().join(figures::MEASURED);
        let before = fs::read(&record).ok();
        fs::write(&record, serde_json::to_string_pretty(&measured)? + "\n")?;
        if let Err(error) = derived::write().await {
            before.map_or_else(|| fs::remove_file(&record), |before| fs::write(&record, before))?;
            return Err(Failure(error.to_string()));
        }
        println!("docs/performance.md and docs/cost.md are written anew, from {}.", figures::MEASURED);
        return Ok(());
    }
    for part in only {
        let shown = match part {
            Part::Cold => {
                let mut starts = cold::Starts::prepare(&functions).await?;
                for _ in 0..cold::GOES {
                    starts.go(&bar).await?;
                }
                json!(starts.summary()?)
            }
            Part::Warm => json!(warm::measure(&functions, operation.as_deref(), &bar).await?.0),
            Part::Clients => json!(clients::measure(operation.as_deref(), &bar).await?),
            Part::Logins => json!(logins::measure(&functions, &bar).await?),
            Part::Hashing => json!(hashing::measure(&bar)?),
            Part::People => json!(people::measure(&bar).await?),
            Part::Histories => json!(scale::measure(&bar).await?),
            Part::Attack => json!(attack::measure(&bar).await?),
            Part::Counters => json!(counters::measure(&bar).await?),
        };
        bar.suspend(|| println!("{}", shown_as_lines(&shown)));
    }
    Ok(())
}

/// A line for each element, so that a terminal can hold them.
fn shown_as_lines(value: &serde_json::Value) -> String {
    let lines = value.as_array().map(|rows| rows.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    lines.unwrap_or_else(|| format!("{value:#}"))
}
