//! `cargo run -p import -- accounts.jsonl`: brings accounts in, into the stack that `cargo run` started, or into a
//! deployed one where `USERS_TABLE`, `AWS_REGION` and credentials say which.

use std::{collections::BTreeMap, env, ffi::OsString, fs, io, path::PathBuf, process::ExitCode};

use indicatif::{ProgressBar, ProgressStyle};
use shared::{Platform, clock::Clock, config::Settings, store::Accounts};

/// The stack that `cargo run` starts.
const LOCAL: &[(&str, &str)] = &[
    ("USERS_TABLE", "UsersTable"),
    ("AWS_REGION", "eu-central-1"),
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:8081"),
    ("AWS_ACCESS_KEY_ID", "local"),
    ("AWS_SECRET_ACCESS_KEY", "local"),
];

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
    let platform = Platform::new(settings()?, Clock::system());
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

/// The environment's settings. Where it names no table, those of the local stack.
fn settings() -> Result<Settings, String> {
    let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    let given: BTreeMap<String, String> = env::vars_os().filter_map(text).collect();
    let local = !given.contains_key("USERS_TABLE");
    let lookup = |name: &str| {
        let local = LOCAL.iter().filter(|_| local).find(|(known, _)| *known == name);
        // No token is issued here.
        let issuer = (name == "ISSUER").then(|| "https://import.invalid".to_owned());
        issuer.or_else(|| local.map(|(_, value)| (*value).to_owned())).or_else(|| given.get(name).cloned())
    };
    Settings::parse(lookup).map_err(|error| error.to_string())
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
