use clap::{Parser, Subcommand, value_parser};

/// The whole service on one machine, with real parts. Settings are environment variables: PORT, DATA_DIR, and all that the
/// functions read.
#[derive(Debug, Parser)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Command {
    /// Adds people and attempts to the data, to see how the service does when it holds much. Not while it runs.
    Load {
        /// People; the first of them has the attempts.
        #[arg(long, default_value_t = 1, value_parser = value_parser!(u64).range(1..))]
        users: u64,
        /// Attempts of one person, each with a KiB of code.
        #[arg(long, default_value_t = 0)]
        attempts: u32,
    },
}
