//! The same requests about longer and longer histories.

use std::time::Instant;

use figures::measured::Scaled;
use indicatif::ProgressBar;
use reqwest::{Method, RequestBuilder};
use tests::client::{App, Member};

use crate::{
    Failure, Result,
    requests::{SETTINGS, attempt},
    stats::{median, ms, rounded},
};

/// Attempts in a history.
const STEPS: [u32; 3] = [10, 10_000, 1_000_000];
/// How often each request is sent.
const REQUESTS: usize = 60;

/// What is asked, again and again.
pub type Asked<'a> = &'a (dyn Fn(&App) -> RequestBuilder + Sync);

/// Moves of the bar.
pub const MOVES: usize = STEPS.len();

/// Measures at each step.
pub async fn measure(bar: &ProgressBar) -> Result<Vec<Scaled>> {
    let app = App::with(&SETTINGS).await;
    bar.set_message("in long histories");
    let mut rows = Vec::new();
    for attempts in STEPS {
        let member = app.member(&format!("with{attempts}@example.com")).await;
        app.load_attempts(&member, attempts);
        app.all_letters().await;
        rows.extend(of(&app, &member, attempts).await?);
        bar.inc(1);
    }
    Ok(rows)
}

async fn of(app: &App, member: &Member, attempts: u32) -> Result<Vec<Scaled>> {
    let mut rows = Vec::new();
    let deep = format!("/api/v1/attempts/me?limit=20&offset={}", attempts / 10 * 9);
    for (case, path) in [
        ("history, newest", "/api/v1/attempts/me?limit=20"),
        ("history, nine tenths down", &deep),
        ("history of one question", "/api/v1/attempts/me?limit=20&question_id=7"),
        ("summary", "/api/v1/attempts/me/summary"),
        ("questions", "/api/v1/attempts/me/questions?limit=20"),
        ("activity", "/api/v1/attempts/me/activity"),
    ] {
        let asked = |app: &App| app.request(Method::GET, path).bearer_auth(&member.access_token);
        rows.push(repeated(app, case, attempts.into(), &asked).await?);
    }
    let submit =
        |app: &App| app.request(Method::POST, "/api/v1/attempts/").bearer_auth(&member.access_token).json(&attempt());
    rows.push(repeated(app, "submit", attempts.into(), &submit).await?);
    Ok(rows)
}

/// Sends a request again and again: the median of the times, and the most that any of them took.
pub async fn repeated(app: &App, case: &str, count: u64, asked: Asked<'_>) -> Result<Scaled> {
    let mut times = Vec::new();
    let mut most = (0, 0.0_f64, 0.0_f64);
    for _ in 0..REQUESTS {
        let request = asked(app);
        let began = Instant::now();
        let answer = app.send(request).await;
        times.push(ms(began.elapsed()));
        if !answer.status.is_success() {
            return Err(Failure(format!("{case} of {count}: {} {}", answer.status, answer.text)));
        }
        let cost = app.cost(&answer).await;
        most = (most.0.max(cost.round_trips()), most.1.max(cost.wru()), most.2.max(cost.rru()));
    }
    Ok(Scaled {
        case: case.to_owned(),
        count,
        round_trips: most.0,
        wru: most.1,
        rru: most.2,
        median_ms: rounded(median(&mut times)?, 2),
        requests: REQUESTS,
    })
}
