//! The counters with a bound on one key that they meet here: DynamoDB's own is beyond what this machine brings about.

use std::time::{Duration, Instant};

use figures::measured::{Counters, Spell};
use indicatif::ProgressBar;
use reqwest::Method;
use serde_json::json;
use tests::client::{App, Member};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::{
    Failure, Result,
    attack::taken,
    requests::{self, SETTINGS, attempt},
    stats::{ms, percentile, rounded},
};

/// What is recorded, and how far apart.
const ATTEMPTS: u32 = 500;
const APART: Duration = Duration::from_millis(20);
/// Write units a second that one row of the counters takes: all of them take less than the batches of these attempts need.
const KEY_WRU: f64 = 4.0;
/// What a batch takes of its row: it is written in a transaction.
const BATCH_WRU: f64 = 2.0;
/// How long the counters may take to catch up.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often they are looked at meanwhile: a look takes of the processors that they catch up on.
const POLLING: Duration = Duration::from_millis(100);

/// Moves of the bar.
pub const MOVES: usize = 2;

/// Counts as many attempts without the bound, and with it.
pub async fn measure(bar: &ProgressBar) -> Result<Counters> {
    bar.set_message("counters at their bound");
    let app = App::with(&SETTINGS).await;
    let member = app.member("alice@example.com").await;
    let free = spell(&app, &member, f64::from(u32::MAX)).await?;
    bar.inc(1);
    let bound = spell(&app, &member, KEY_WRU).await?;
    bar.inc(1);
    Ok(Counters { key_wru_per_second: KEY_WRU, free, bound })
}

async fn spell(app: &App, member: &Member, wru_per_second: f64) -> Result<Spell> {
    app.all_letters().await;
    let token = requests::scrape_token(app).await;
    let before = counted(app, &token).await?;
    app.post("/_local/partitions", json!({ "wru_per_second": wru_per_second, "kind": "COUNTER" })).await;
    let mut ticks = interval(APART);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (began, mut times) = (Instant::now(), Vec::new());
    for _ in 0..ATTEMPTS {
        ticks.tick().await;
        let request = app.request(Method::POST, "/api/v1/attempts/").bearer_auth(&member.access_token);
        let asked = Instant::now();
        let answer = app.send(request.json(&attempt())).await;
        times.push(ms(asked.elapsed()));
        if !answer.status.is_success() {
            return Err(Failure(format!("submit: {} {}", answer.status, answer.text)));
        }
    }
    let ended = Instant::now();
    while counted(app, &token).await? < before + i64::from(ATTEMPTS) {
        if ended.elapsed() > PATIENCE {
            return Err(Failure("the counters do not catch up".into()));
        }
        sleep(POLLING).await;
    }
    let (seconds, caught_up) = (began.elapsed().as_secs_f64(), ended.elapsed());
    // What was counted twice would come after it.
    app.all_letters().await;
    let counters = taken(app, "").await?.into_iter().find(|taken| taken.kind == "COUNTER");
    let counters = counters.ok_or_else(|| Failure("nothing was counted".into()))?;
    Ok(Spell {
        seconds: rounded(seconds, 1),
        events: ATTEMPTS.into(),
        events_per_second: rounded(f64::from(ATTEMPTS) / ended.duration_since(began).as_secs_f64(), 1),
        counted: counted(app, &token).await? - before,
        batches: rounded(counters.all_wru / BATCH_WRU, 0),
        hottest_wru: counters.wru,
        throttled: counters.throttled,
        caught_up_ms: rounded(ms(caught_up), 0),
        p99_ms: rounded(percentile(&mut times, 0.99)?, 2),
    })
}

/// The attempts that the metrics tell of.
async fn counted(app: &App, token: &str) -> Result<i64> {
    let request = app.request(Method::GET, "/metrics").bearer_auth(token).header("accept", "application/json");
    let answer = app.send(request).await;
    let attempts = answer.json()["attempts"].as_i64();
    attempts.ok_or_else(|| Failure(format!("the metrics tell of no attempts: {} {}", answer.status, answer.text)))
}
