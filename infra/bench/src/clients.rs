//! Endpoints under one client, under eight, and under sixty-four.

use std::time::{Duration, Instant};

use figures::measured::Clients;
use futures_util::future::try_join_all;
use indicatif::ProgressBar;

use crate::{
    Result,
    operations::Operation,
    stand::{Client, Stand},
    stats::{percentile, rounded},
};

/// How many clients there are, and what each sends of a request that can be sent once.
const STEPS: [(usize, usize); 3] = [(1, 30), (8, 10), (64, 3)];
/// How long each endpoint is asked by so many clients.
const SPAN: Duration = Duration::from_secs(2);

/// Moves of the bar.
pub fn moves(only: Option<&str>) -> usize {
    operations(only).count() * STEPS.len()
}

fn operations(only: Option<&str>) -> impl Iterator<Item = Operation> {
    Operation::all().into_iter().filter(move |operation| only.is_none_or(|only| operation.name() == only))
}

/// Measures each endpoint at each step.
pub async fn measure(only: Option<&str>, bar: &ProgressBar) -> Result<Vec<Clients>> {
    bar.set_message("a crowd signs up");
    let (stand, mut all) = Stand::with(STEPS[2].0).await?;
    let mut rows = Vec::new();
    for operation in operations(only) {
        for (clients, each) in STEPS {
            bar.set_message(format!("{} by {clients}", operation.name()));
            let (mut times, took) = asked(&stand, &operation, &mut all[..clients], each).await?;
            rows.push(Clients {
                operation: operation.name().to_owned(),
                clients,
                requests: times.len(),
                per_second: rounded(times.len() as f64 / took.as_secs_f64(), 1),
                p50_ms: rounded(percentile(&mut times, 0.5)?, 2),
                p99_ms: rounded(percentile(&mut times, 0.99)?, 2),
            });
            bar.inc(1);
        }
    }
    Ok(rows)
}

/// What each request took, and how long it was asked for.
async fn asked(
    stand: &Stand,
    operation: &Operation,
    clients: &mut [Client],
    each: usize,
) -> Result<(Vec<f64>, Duration)> {
    let (times, took) = if stand.is_sent_once(operation, &clients[0]) {
        let mut ready = stand.once(operation, clients.len() * each).await?;
        // Whatever was asked for before has been followed by now.
        stand.settle().await;
        let began = Instant::now();
        let asking = clients.iter().map(|_| stand.ask_each(operation, ready.split_off(ready.len() - each)));
        (try_join_all(asking).await?, began.elapsed())
    } else {
        stand.settle().await;
        let began = Instant::now();
        let asking = clients.iter_mut().map(|client| stand.ask_until(operation, client, began + SPAN));
        (try_join_all(asking).await?, began.elapsed())
    };
    Ok((times.into_iter().flatten().collect(), took))
}
