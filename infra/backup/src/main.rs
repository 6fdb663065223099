//! `cargo run -p backup -- export <folder>` and `-- restore <folder>`: of the stack that `cargo run` started, or of a deployed one where
//! `USERS_TABLE`, `ATTEMPTS_TABLE`, `AUDIT_TABLE`, `AWS_REGION` and credentials say which.

use std::{fs, path::PathBuf, process::ExitCode};

use backup::Restored;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use shared::{Platform, clock::Clock, operator};

/// Writes the tables to files, and files to the tables of an empty stack.
#[derive(Parser)]
enum Arguments {
    /// Writes what the stack holds for good to a folder.
    Export { folder: PathBuf },
    /// Writes what a folder holds into the stack. What is there stays as it is.
    Restore {
        folder: PathBuf,
        /// The file of table users as it was last, whose erasures are not undone.
        #[arg(long)]
        erased: Option<PathBuf>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(done) => {
            println!("{done}");
            ExitCode::SUCCESS
        }
        Err(reason) => {
            eprintln!("It stopped: {reason}\nRun it again to go on.");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<String, String> {
    let platform = Platform::new(operator::settings().map_err(|error| error.to_string())?, Clock::system());
    let style = ProgressStyle::with_template("{spinner} {human_pos} items {elapsed}");
    let bar = ProgressBar::new_spinner().with_style(style.map_err(|error| error.to_string())?);
    let done = match arguments {
        Arguments::Export { folder } => {
            fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            let count = backup::export(&platform, &folder, || bar.inc(1)).await;
            count.map(|count| format!("{count} items written to {}", folder.display()))
        }
        Arguments::Restore { folder, erased } => {
            let erased = erased.as_deref().map(backup::erased).transpose().map_err(|error| error.to_string())?;
            let restored = backup::restore(&platform, &folder, &erased.unwrap_or_default(), || bar.inc(1)).await;
            restored.map(|Restored { written, present, erased }| {
                format!("{written} items restored, {present} there already, {erased} of people who were erased since")
            })
        }
    };
    bar.finish_and_clear();
    done.map_err(|error| error.to_string())
}
