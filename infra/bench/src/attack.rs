//! One account under attack, with DynamoDB's bound on one key in force.

use std::time::{Duration, Instant};

use figures::measured::Attack;
use futures_util::future::{join, join_all};
use indicatif::ProgressBar;
use local::Taken;
use reqwest::StatusCode;
use serde_json::json;
use tests::client::{App, Member};

use crate::{
    Failure, Result,
    stats::{ms, percentile, rounded},
};

/// Write units a second that DynamoDB takes on one key.
const KEY_WRU: f64 = 1_000.0;
const ATTACKERS: usize = 64;
const OTHERS: usize = 2;
const SPAN: Duration = Duration::from_secs(10);
const VICTIM: &str = "victim@example.com";

/// Moves of the bar.
pub const MOVES: usize = 1;

/// Attacks one account as fast as this machine can while others go on, at the limits that a deployment has, but for the one of a
/// client's address.
pub async fn measure(bar: &ProgressBar) -> Result<Attack> {
    bar.set_message("one account under attack");
    let app = App::start().await;
    let victim = app.member(VICTIM).await;
    let mut others = Vec::new();
    for number in 0..OTHERS {
        others.push(app.member(&format!("member{number}@example.com")).await);
    }
    app.all_letters().await;
    app.post("/_local/partitions", json!({ "wru_per_second": KEY_WRU })).await;
    let began = Instant::now();
    let until = began + SPAN;
    let attacking = join_all((0..ATTACKERS).map(|_| attack(&app, until)));
    let going_on = join_all(others.into_iter().map(|member| live(&app, member, until)));
    let (answers, going_on) = join(attacking, going_on).await;
    let seconds = began.elapsed().as_secs_f64();
    let answers: Vec<StatusCode> = answers.into_iter().flatten().collect();
    let count = |status: StatusCode| answers.iter().filter(|answer| **answer == status).count();
    let comparisons = count(StatusCode::UNAUTHORIZED);
    // 403 is what a locked account answers.
    let known = [
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    if let Some(odd) = answers.iter().find(|answer| !known.contains(answer)) {
        return Err(Failure(format!("an attacker was answered {odd}")));
    }
    let hottest = taken(&app, "").await?;
    let account = taken(&app, &format!("?key=USER%23{}", victim.id)).await?;
    let account_wru = account.first().map(|taken| taken.wru).ok_or_else(|| Failure("no guess was counted".into()))?;
    let (times, failed): (Vec<_>, Vec<_>) = going_on.into_iter().unzip();
    let mut times: Vec<f64> = times.into_iter().flatten().collect();
    bar.inc(1);
    Ok(Attack {
        key_wru_per_second: KEY_WRU,
        seconds: rounded(seconds, 1),
        attempts: answers.len(),
        attempts_per_second: rounded(answers.len() as f64 / seconds, 0),
        comparisons,
        limited: count(StatusCode::TOO_MANY_REQUESTS),
        unavailable: count(StatusCode::SERVICE_UNAVAILABLE),
        hottest: hottest.into_iter().map(|taken| (taken.kind, taken.wru)).collect(),
        account_wru,
        others: times.len(),
        others_failed: failed.into_iter().sum(),
        others_p99_ms: rounded(percentile(&mut times, 0.99)?, 2),
    })
}

/// What keys have taken since there is a bound.
pub async fn taken(app: &App, query: &str) -> Result<Vec<Taken>> {
    Ok(serde_json::from_str(&app.get(&format!("/_local/partitions{query}")).await.text)?)
}

async fn attack(app: &App, until: Instant) -> Vec<StatusCode> {
    let mut answers = Vec::new();
    while Instant::now() < until {
        answers.push(app.login(VICTIM, "a wrong password").await.status);
    }
    answers
}

/// Someone else who goes on as if nothing were: what each refresh took, in milliseconds, and how many failed.
async fn live(app: &App, mut member: Member, until: Instant) -> (Vec<f64>, usize) {
    let (mut times, mut failed) = (Vec::new(), 0);
    while Instant::now() < until {
        let asked = Instant::now();
        let answer = app.post("/api/v1/auth/refresh", json!({ "refresh_token": member.refresh_token })).await;
        times.push(ms(asked.elapsed()));
        match answer.json()["refresh_token"].as_str() {
            Some(token) => member.refresh_token = token.to_owned(),
            None => failed += 1,
        }
    }
    (times, failed)
}
