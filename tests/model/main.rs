//! `cargo run -p tests --bin model`: people who do random things, all at once, with a service that is struck by faults and
//! killed, beside a plain model of what must be true of them.

mod invariants;
mod load;
mod operations;
mod person;
mod service;
mod story;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use clap::{Parser, Subcommand};
use tokio::task::JoinSet;

use service::Wrong;
use story::{Story, Tally};

/// Random operations of several people, with faults and kills, against a model.
#[derive(Parser)]
struct Arguments {
    /// Story after story, for so long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// The first story's seed; each one after it has the next.
    #[arg(long)]
    seed: Option<u64>,
    /// Tells stories until the service was killed so often, however long that takes.
    #[arg(long, default_value_t = 0)]
    kills: u64,
    /// Stories that are told at once, each with a service of its own.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..))]
    at_once: u8,
    /// Calls to AWS of a thousand that are struck.
    #[arg(long, default_value_t = 20)]
    per_mille: u64,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// An hour of mixed traffic, time-compressed, without faults: no error, flat memory, no descriptor that leaks.
    Load,
    /// The service that is killed.
    #[command(hide = true)]
    Serve { folder: PathBuf, port: u16, aws_port: u16 },
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Serve { folder, port, aws_port }) => service::serve(folder, port, aws_port).await,
        Some(Command::Load) => ended(load::hour().await),
        None => ended(stories(&arguments).await),
    }
}

fn ended(told: Result<String, Wrong>) -> ExitCode {
    match told {
        Ok(seen) => {
            println!("{seen}");
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprintln!("{wrong}");
            ExitCode::FAILURE
        }
    }
}

async fn stories(arguments: &Arguments) -> Result<String, Wrong> {
    let first = arguments.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let (began, span) = (Instant::now(), Duration::from_secs(arguments.seconds));
    let mut telling = JoinSet::new();
    let mut seeds = first..;
    let mut total = Tally::default();
    loop {
        let goes_on = began.elapsed() < span || total.kills < arguments.kills || total.stories == 0;
        while goes_on
            && telling.len() < arguments.at_once.into()
            && let Some(seed) = seeds.next()
        {
            telling.spawn(Story::new(seed, arguments.per_mille).tell());
        }
        match telling.join_next().await {
            None => break,
            Some(Ok(Ok(tally))) => total.add(&tally),
            Some(Ok(Err(wrong))) => return Err(wrong),
            Some(Err(error)) => return Err(format!("a story broke off: {error}")),
        }
    }
    let Tally { stories, operations, answers, lost, struck, kills, checks, looked_at } = total;
    Ok(format!(
        "model: {stories} seeds from {first} on: {operations} operations, {answers} answers heard and {lost} not, {struck} faults, \
         {kills} kills, {checks} looks at everything and {looked_at} people read whole, in {:.0} s",
        began.elapsed().as_secs_f64()
    ))
}
