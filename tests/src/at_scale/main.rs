//! `cargo run --release -p tests --bin at_scale -- people 1000000`, or `attempts 1000000`: what a page costs among few and
//! among many. Outside the ordinary suite, since a million take minutes and some gigabytes.

mod attempts;
mod people;

use std::{process::ExitCode, time::Instant};

use clap::{Parser, Subcommand};
use tests::client::{Answer, App, Member};

/// Times that each page is asked for.
const ROUNDS: usize = 20;

/// Shows that a page among many costs what a page among few costs.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Subcommand)]
enum Subject {
    /// Searches among people.
    People {
        /// How many there are in the end.
        count: u64,
    },
    /// Pages of a person's history.
    Attempts {
        /// How many there are in the longest history.
        count: u32,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let within = match Arguments::parse().subject {
        Subject::People { count } => people::measure_all(count).await,
        Subject::Attempts { count } => attempts::measure_all(count).await,
    };
    if within { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A page that was asked for a number of times.
struct Measured {
    last: Answer,
    /// The most units of any time, the caller's account included.
    units: f64,
    median_ms: f64,
}

async fn measure(app: &App, caller: &Member, path: &str) -> Measured {
    let mut times = Vec::new();
    let mut units = 0.0_f64;
    loop {
        let began = Instant::now();
        let last = app.get_as(caller, path).await;
        times.push(began.elapsed());
        units = units.max(app.cost(&last).await.rru());
        if times.len() == ROUNDS {
            times.sort();
            return Measured { last, units, median_ms: times[ROUNDS / 2].as_secs_f64() * 1000.0 };
        }
    }
}
