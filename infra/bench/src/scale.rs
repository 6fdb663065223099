//! The same requests about longer and longer histories.

use std::time::Instant;

use chrono::TimeDelta;
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
/// From the oldest of a history to now.
const SPAN: TimeDelta = TimeDelta::days(700);
/// How often each request is sent: so often in each turn.
pub const TURNS: usize = 6;
const REQUESTS: usize = 10;
/// What is asked of each history.
const CASES: [&str; 7] = [
    "history, newest",
    "history, nine tenths down",
    "history of one question",
    "summary",
    "questions",
    "activity",
    "submit",
];

/// What is asked, again and again.
pub type Asked<'a> = &'a (dyn Fn() -> RequestBuilder + Sync);

/// Moves of the bar.
pub const MOVES: usize = STEPS.len() + CASES.len();

/// Measures at each step: all histories are there, and each request is about each of them in turns.
pub async fn measure(bar: &ProgressBar) -> Result<Vec<Scaled>> {
    let app = App::with(&SETTINGS).await;
    bar.set_message("in long histories");
    let mut people = Vec::new();
    for attempts in STEPS {
        let member = app.member(&format!("with{attempts}@example.com")).await;
        app.load_attempts_apart(&member, attempts, SPAN / i32::try_from(attempts)?);
        app.all_letters().await;
        people.push((member, attempts));
        bar.inc(1);
    }
    let mut rows = Vec::new();
    for case in CASES {
        let mut all: Vec<_> = people.iter().map(|_| Repeated::default()).collect();
        for _ in 0..TURNS {
            for (repeated, (member, attempts)) in all.iter_mut().zip(&people) {
                repeated.turn(&app, case, &|| asked(&app, case, member, *attempts)).await?;
            }
        }
        let fewest_ms = all.iter_mut().map(Repeated::median).next().transpose()?.unwrap_or_default();
        for (repeated, (_, attempts)) in all.into_iter().zip(&people) {
            rows.push(repeated.row(case, (*attempts).into(), fewest_ms)?);
        }
        bar.inc(1);
    }
    Ok(rows)
}

fn asked(app: &App, case: &str, member: &Member, attempts: u32) -> RequestBuilder {
    let deep = format!("?limit=20&offset={}", attempts / 10 * 9);
    let path = match case {
        "history, newest" => "?limit=20",
        "history, nine tenths down" => &deep,
        "history of one question" => "?limit=20&question_id=7",
        "submit" => {
            let request = app.request(Method::POST, "/api/v1/attempts/");
            return request.bearer_auth(&member.access_token).json(&attempt());
        }
        "questions" => "/questions?limit=20",
        "activity" => "/activity",
        _ => "/summary",
    };
    app.request(Method::GET, &format!("/api/v1/attempts/me{path}")).bearer_auth(&member.access_token)
}

/// A request that is sent again and again.
#[derive(Default)]
pub struct Repeated {
    times: Vec<f64>,
    /// The most WRU and RRU of any time.
    most: (f64, f64),
}

impl Repeated {
    /// Sends it as often as it is sent in a turn.
    pub async fn turn(&mut self, app: &App, case: &str, asked: Asked<'_>) -> Result<()> {
        for _ in 0..REQUESTS {
            let request = asked();
            let began = Instant::now();
            let answer = app.send(request).await;
            self.times.push(ms(began.elapsed()));
            if !answer.status.is_success() {
                return Err(Failure(format!("{case}: {} {}", answer.status, answer.text)));
            }
            let cost = app.cost(&answer).await;
            self.most = (self.most.0.max(cost.wru()), self.most.1.max(cost.rru()));
        }
        Ok(())
    }

    /// The median of the times, in milliseconds.
    pub fn median(&mut self) -> Result<f64> {
        median(&mut self.times)
    }

    /// What it took; `fewest_ms` is the median of the same among the fewest.
    pub fn row(mut self, case: &str, count: u64, fewest_ms: f64) -> Result<Scaled> {
        let median_ms = self.median()?;
        Ok(Scaled {
            case: case.to_owned(),
            count,
            wru: self.most.0,
            rru: self.most.1,
            median_ms: rounded(median_ms, 2),
            ratio: rounded(median_ms / fewest_ms, 2),
            requests: self.times.len(),
        })
    }
}
