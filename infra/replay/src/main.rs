//! `cargo run -p replay -- <queue's URL>`: has functions take again what waits in a failure queue.

mod record;
mod replaying;

use std::process::ExitCode;

use clap::Parser;

use replaying::{Replay, Replayed};

/// Has functions take again what waits in a failure queue. A message goes once its function took all of it.
#[derive(Parser)]
struct Arguments {
    /// The queue's URL: an output of the stack.
    queue: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { queue } = Arguments::parse();
    let replay = Replay::connect(queue).await;
    match replay.run(|line| println!("{line}")).await {
        Ok(Replayed { done, left: 0 }) => {
            println!("{done} replayed, none left");
            ExitCode::SUCCESS
        }
        Ok(Replayed { done, left }) => {
            println!("{done} replayed, {left} left");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("The replay stopped: {error}\nRun it again to go on.");
            ExitCode::FAILURE
        }
    }
}
