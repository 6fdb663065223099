//! `cargo run -p figures -- --users 50000 --logins 8`: what a month costs, and Cognito beside it.

use std::{path::Path, process::ExitCode};

use clap::Parser;
use figures::cost::Usage;

/// What a month of the service costs. Everything but the users is of each of them, in a month.
#[derive(Parser)]
struct Arguments {
    /// Monthly active users.
    #[arg(long, default_value_t = Usage::TYPICAL.users)]
    users: f64,
    #[arg(long, default_value_t = Usage::TYPICAL.sign_ups)]
    sign_ups: f64,
    #[arg(long, default_value_t = Usage::TYPICAL.logins)]
    logins: f64,
    #[arg(long, default_value_t = Usage::TYPICAL.refreshes)]
    refreshes: f64,
    /// Requests for the signed-in user, or of about that size.
    #[arg(long, default_value_t = Usage::TYPICAL.reads)]
    reads: f64,
    #[arg(long, default_value_t = Usage::TYPICAL.resets)]
    resets: f64,
    #[arg(long, default_value_t = Usage::TYPICAL.attempts)]
    attempts: f64,
    #[arg(long, default_value_t = Usage::TYPICAL.history_pages)]
    history_pages: f64,
}

fn main() -> ExitCode {
    let Arguments { users, sign_ups, logins, refreshes, reads, resets, attempts, history_pages } = Arguments::parse();
    let usage = Usage { users, sign_ups, logins, refreshes, reads, resets, attempts, history_pages };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match figures::bill(&root, &usage) {
        Ok(lines) => {
            print!("{lines}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("No bill: {error}");
            ExitCode::FAILURE
        }
    }
}
