//! What each endpoint takes of DynamoDB, as the suite's walk through all of them sees it in the local stack's ledger.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// What one request took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The operation's id.
    pub operation: String,
    /// What is special about this request; empty where nothing is.
    pub case: String,
    pub round_trips: usize,
    pub wru: f64,
    pub rru: f64,
    /// Write units of the limiter's calls, which come first.
    pub limiter_wru: f64,
    /// They go out one after the other.
    pub limiter_round_trips: usize,
    /// Units that functions on the tables' streams took for it afterwards.
    pub after_wru: f64,
    pub after_rru: f64,
    /// Batches of the streams that were taken for it afterwards, and their round trips.
    pub after_batches: usize,
    pub after_round_trips: usize,
    /// Mails that it led to.
    pub mails: usize,
    /// At most so many round trips, WRU and RRU.
    pub budget: (usize, f64, f64),
}

/// `docs/capacity.md`.
pub fn page(rows: &[Row]) -> String {
    "# Capacity\n\n\
     What each endpoint takes of DynamoDB: round trips one after the other, and write and read request units (WRU, RRU; AWS: \"DynamoDB \
     on-demand capacity mode\"). A walk of the suite calls every operation, reads the local stack's ledger, and fails where one is over its \
     budget (`tests/src/capacity.rs`); `cargo run -p tests --bin regenerate` writes this table, and the suite fails where it differs. \
     Where the design asks for no less, a budget is what the request took when it was written down.\n\n\
     The limiter's writes come before a credential is looked at, one after the other, and stand apart: one for each window, whether it \
     begins or goes on. *Afterwards* is what the mailer and the janitor take for \
     it on the tables' streams: at least a batch's, which busy tables share among more events. An erasure goes on after its first batch. \
     S3, SES and Secrets Manager are no DynamoDB and are not in it.\n\n"
        .to_owned()
        + &table(rows)
}

/// The table as Markdown.
fn table(rows: &[Row]) -> String {
    let head = "| endpoint | round trips | WRU | RRU | budget | limiter's WRU | afterwards | mails |\n\
                | --- | --- | --- | --- | --- | --- | --- | --- |\n";
    rows.iter().fold(head.to_owned(), |mut table, row| {
        let case = if row.case.is_empty() { String::new() } else { format!(", {}", row.case) };
        let (trips, wru, rru) = row.budget;
        let after = match (row.after_wru > 0.0, row.after_rru > 0.0) {
            (false, false) => String::new(),
            (true, false) => format!("{} WRU", row.after_wru),
            (_, true) => format!("{} WRU, {} RRU", row.after_wru, row.after_rru),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "| `{}`{case} | {} | {} | {} | {trips} trips, {wru} WRU, {rru} RRU | {} | {after} | {} |",
            row.operation,
            row.round_trips,
            shown(row.wru),
            shown(row.rru),
            shown(row.limiter_wru),
            if row.mails == 0 { String::new() } else { row.mails.to_string() },
        );
        table
    })
}

fn shown(units: f64) -> String {
    if units == 0.0 { String::new() } else { units.to_string() }
}
