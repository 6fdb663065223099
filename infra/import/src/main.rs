//! `cargo run -p import -- accounts.jsonl`: brings accounts in, into the stack that `cargo run` started, or into a
//! deployed one where `USERS_TABLE`, `AWS_REGION` and credentials say which.

use std::{env, fs, io, path::PathBuf, process::ExitCode};

use indicatif::{ProgressBar, ProgressStyle};
use shared::{Platform, clock::Clock, operator, store::Accounts};

/// Some lines were refused.
const REFUSED: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(file), None) = (arguments.next(), arguments.next()) else {
        eprintln!("Usage: import <accounts.jsonl>");
        return ExitCode::FAILURE;
    };
    match run(PathBuf::from(file)).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(REFUSED),
        Err(reason) => {
            eprintln!("The import stopped: {reason}\nRun it again to go on.");
            ExitCode::FAILURE
        }
    }
}

/// Answers how many lines were refused.
async fn run(file: PathBuf) -> Result<u64, String> {
    let platform = Platform::new(operator::settings().map_err(|error| error.to_string())?, Clock::system());
    let accounts = Accounts::new(&platform).map_err(|error| error.to_string())?;
    let size = fs::metadata(&file).map_err(|error| format!("{}: {error}", file.display()))?.len();
    let style = ProgressStyle::with_template("{bar:40} {percent}% {elapsed} (eta {eta})");
    let bar = ProgressBar::new(size).with_style(style.map_err(|error| error.to_string())?);
    let mut refusals = Refusals(bar.clone());
    let report = import::import(&accounts, &platform.clock, &file, &mut refusals, |bytes| bar.inc(bytes)).await;
    bar.finish_and_clear();
    let report = report.map_err(|error| error.to_string())?;
    println!("{} made, {} there already, {} refused", report.made, report.present, report.refused);
    Ok(report.refused)
}

/// Writes refusals above the progress bar.
struct Refusals(ProgressBar);

impl io::Write for Refusals {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
