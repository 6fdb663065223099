//! Endpoints under one client, under eight, and under sixty-four.

use std::time::{Duration, Instant};

use figures::measured::Clients;
use futures_util::future::try_join_all;
use indicatif::ProgressBar;
use tests::client::{App, Member};

use crate::{
    Failure, Result,
    requests::{Ask, crowd, introspection_secret},
    stats::{ms, percentile, rounded},
};

const STEPS: [usize; 3] = [1, 8, 64];
/// How long each endpoint is asked by so many clients.
const SPAN: Duration = Duration::from_secs(3);

/// Moves of the bar.
pub const MOVES: usize = Ask::ALL.len() * STEPS.len();

/// Measures each endpoint at each step.
pub async fn measure(bar: &ProgressBar) -> Result<Vec<Clients>> {
    bar.set_message("a crowd signs up");
    let (app, mut members) = crowd(STEPS[2]).await?;
    let secret = introspection_secret(&app).await;
    let mut rows = Vec::new();
    for ask in Ask::ALL {
        for clients in STEPS {
            // Whoever registered before has their mail by now.
            app.all_letters().await;
            bar.set_message(format!("{} by {clients}", ask.operation()));
            let began = Instant::now();
            let until = began + SPAN;
            let asking = members[..clients].iter_mut().map(|member| ask_until(&app, ask, member, &secret, until));
            let times: Vec<Vec<f64>> = try_join_all(asking).await?;
            let took = began.elapsed();
            let mut times: Vec<f64> = times.into_iter().flatten().collect();
            rows.push(Clients {
                operation: ask.operation().to_owned(),
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

/// Sends the next request when the last one was answered, up to a moment. Answers with what each took, in milliseconds.
pub async fn ask_until(app: &App, ask: Ask, member: &mut Member, secret: &str, until: Instant) -> Result<Vec<f64>> {
    let mut times = Vec::new();
    while Instant::now() < until {
        let request = ask.request(app, member, secret);
        let began = Instant::now();
        let answer = app.send(request).await;
        times.push(ms(began.elapsed()));
        if answer.status.as_u16() >= 400 {
            return Err(Failure(format!("{}: {} {}", ask.operation(), answer.status, answer.text)));
        }
        // A login by the sixth session ends an older one, and a refresh token is good once.
        if [Ask::Login, Ask::Refresh].contains(&ask) {
            let tokens = answer.json();
            let token = |name: &str| tokens[name].as_str().unwrap_or_default().to_owned();
            (member.access_token, member.refresh_token) = (token("access_token"), token("refresh_token"));
        }
    }
    Ok(times)
}
