//! `cargo run -p figures -- --users 50000 --logins 8`: what a month costs, and Cognito beside it.

use std::{path::Path, process::ExitCode};

use clap::Parser;
use figures::cost::Usage;

/// What a month of the service costs. Everything but the users is of each of them, in a month.
#[derive(Debug, Parser)]
#[command(allow_negative_numbers = true)]
struct Arguments {
    /// Monthly active users.
    #[arg(long, value_parser = amount, default_value_t = Usage::TYPICAL.users)]
    users: f64,
    #[arg(long, value_parser = amount, default_value_t = Usage::TYPICAL.sign_ups)]
    sign_ups: f64,
    #[arg(long, value_parser = amount, default_value_t = Usage::TYPICAL.logins)]
    logins: f64,
    #[arg(long, value_parser = amount, default_value_t = Usage::TYPICAL.refreshes)]
    refreshes: f64,
    /// Requests for the signed-in user, or of about that size.
    #[arg(long, value_parser = amount, default_value_t = Usage::TYPICAL.reads)]
    reads: f64,
    #[arg(long, value_parser = amount, default_value_t = Usage::TYPICAL.resets)]
    resets: f64,
    #[arg(long, value_parser = amount, default_value_t = Usage::TYPICAL.attempts)]
    attempts: f64,
    #[arg(long, value_parser = amount, default_value_t = Usage::TYPICAL.history_pages)]
    history_pages: f64,
}

/// A number of users, or of what each of them does.
fn amount(text: &str) -> Result<f64, String> {
    let amount: f64 = text.parse().map_err(|_| "must be a number".to_owned())?;
    if amount.is_finite() && amount >= 0.0 { Ok(amount) } else { Err("must be zero or more".to_owned()) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_amounts_that_there_can_be_are_reckoned_with() {
        let parse = |argument: &str| Arguments::try_parse_from(["figures", argument]);
        assert_eq!(parse("--users=0").unwrap().users, 0.0);
        assert_eq!(parse("--logins=0.5").unwrap().logins, 0.5);
        for refused in ["--users=-3", "--logins=-0.1", "--users=nan", "--attempts=inf", "--users=many"] {
            let said = parse(refused).unwrap_err().to_string();
            assert!(said.contains("must be "), "{refused}: {said}");
        }
        let apart = Arguments::try_parse_from(["figures", "--users", "-3"]).unwrap_err().to_string();
        assert!(apart.contains("must be zero or more"), "{apart}");
    }
}
