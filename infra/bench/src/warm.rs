//! Warm functions, one request at a time: processor time, and how long the store takes of it all.

use figures::measured::{Stored, Warm};
use indicatif::ProgressBar;
use local::Call;
use serde_json::{Value, json};
use tests::client::{App, Member};

use crate::{
    Failure, Result,
    build::{Functions, READER},
    processors::{self, Awake},
    requests::{self, SETTINGS, at, attempt, by, with_body, with_text},
    runtime_api::Instance,
    stats::{least, median, rounded},
};

/// Rounds in which the cases take turns, so that a busy moment of the machine is not one case's alone.
const ROUNDS: usize = 30;
/// Requests of a round before those that count.
const WARMING: usize = 10;
/// Requests of a round that count; fewer of what hashes or works on pictures.
const REQUESTS: usize = 40;
const COSTLY: usize = 5;
/// People and attempts that are loaded beforehand.
const LOADED: u32 = 1_000;

/// Each request that is measured: its function, its operation, and how often it counts in a round.
const CASES: [(&str, &str, usize); 21] = [
    (READER, "bare_read", REQUESTS),
    ("auth", "me", REQUESTS),
    ("auth", "refresh", REQUESTS),
    ("auth", "login", COSTLY),
    ("auth", "register", COSTLY),
    ("auth", "password_reset_request", COSTLY),
    ("auth", "introspect", REQUESTS),
    ("users", "profile", REQUESTS),
    ("users", "update_profile", REQUESTS),
    ("users", "stats", REQUESTS),
    ("users", "search", REQUESTS),
    ("attempts", "summary", REQUESTS),
    ("attempts", "submit", REQUESTS),
    ("attempts", "history", REQUESTS),
    ("avatars", "avatar", REQUESTS),
    ("avatars", "upload_avatar", COSTLY),
    ("system", "healthz", REQUESTS),
    ("system", "jwks", REQUESTS),
    ("authorizer", "http_2_0", REQUESTS),
    ("mailer", REGISTERED, REQUESTS),
    ("janitor", REGISTERED, REQUESTS),
];

/// Someone has registered: what the users' stream tells both its readers.
const REGISTERED: &str = "registered";

/// Moves of the bar: two for each request that is measured, in each round.
pub fn moves(only: Option<&str>) -> usize {
    2 * ROUNDS * CASES.iter().filter(|(_, operation, _)| only.is_none_or(|only| *operation == only)).count()
}

struct Case {
    function: &'static str,
    operation: &'static str,
    event: Value,
    requests: usize,
}

/// An instance of its own, and what it took for the requests that counted.
struct Served {
    case: Case,
    instance: Instance,
    memory_mb: u32,
    /// Of each round, in the mean: where the processor is kept from halting, and where it halts while the function waits.
    awake_cpu_us: Vec<f64>,
    cpu_us: Vec<f64>,
    log_bytes: Vec<f64>,
    /// Of each request for which the processor could halt.
    wall_us: Vec<f64>,
    store_us: Vec<f64>,
}

/// Serves every case in an instance of its own.
pub async fn measure(functions: &Functions, only: Option<&str>, bar: &ProgressBar) -> Result<(Vec<Warm>, Stored)> {
    let app = App::with(&SETTINGS).await;
    let member = app.member("alice@example.com").await;
    requests::dress(&app, &member).await?;
    let stored = stored(&app, &member).await?;
    // Who signs in again and again ends their own older sessions.
    let guest = app.member("bob@example.com").await;
    let mut cases = cases(&app, &member, &guest).await?;
    cases.retain(|case| only.is_none_or(|only| case.operation == only));
    bar.set_message("warm functions");
    let rows = processors::apart(async || {
        let mut all = Vec::new();
        for case in cases {
            all.push(Served::start(&app, functions, case).await?);
        }
        let mut number = 0;
        for round in 0..ROUNDS {
            let awake_first = round % 2 == 0;
            for awake in [awake_first, !awake_first] {
                let _awake = awake.then(Awake::keep).transpose()?;
                for served in &mut all {
                    served.round(&app, awake, &mut number).await?;
                    bar.inc(1);
                }
            }
        }
        all.into_iter().map(Served::summary).collect()
    })?;
    Ok((rows, stored))
}

/// Loads a thousand people and a thousand attempts, and weighs them.
async fn stored(app: &App, member: &Member) -> Result<Stored> {
    app.all_letters().await;
    let before = (weight(app, "UsersTable").await?, weight(app, "AttemptsTable").await?);
    app.load_people(0, LOADED.into());
    app.load_attempts(member, LOADED);
    app.all_letters().await;
    let of_each = |before: f64, after: f64| rounded((after - before) / f64::from(LOADED), 0);
    Ok(Stored {
        bytes_of_a_user: of_each(before.0, weight(app, "UsersTable").await?),
        bytes_of_an_attempt: of_each(before.1, weight(app, "AttemptsTable").await?),
    })
}

async fn weight(app: &App, table: &str) -> Result<f64> {
    let described = app.dynamodb("DescribeTable", json!({ "TableName": table })).await;
    described["Table"]["TableSizeBytes"].as_f64().ok_or_else(|| Failure(format!("{table} says no size")))
}

async fn cases(app: &App, member: &Member, guest: &Member) -> Result<Vec<Case>> {
    let secret = requests::introspection_secret(app).await;
    let basic = data_encoding::BASE64.encode(format!("introspection:{secret}").as_bytes());
    let case = |function: &'static str, operation: &'static str, requests: usize| {
        let (of, name) = match operation {
            // The reader takes any event, and has none of its own.
            "bare_read" => ("auth", "me"),
            REGISTERED => ("mailer", operation),
            _ => (function, operation),
        };
        let event = by(requests::event(of, name)?, member);
        let event = match operation {
            "login" => with_body(event, &json!({ "email": guest.email, "password": tests::client::PASSWORD })),
            "password_reset_request" => with_body(event, &json!({ "email": guest.email })),
            "refresh" => with_body(event, &json!({ "refresh_token": member.refresh_token })),
            "submit" => with_body(event, &attempt()),
            "search" => at(event, "/api/v1/users/search?q=anna&limit=20"),
            "avatar" => at(event, &format!("/api/v1/users/{}/avatar", member.id)),
            "upload_avatar" => at(event, &format!("/api/v1/users/{}/avatar", member.id)),
            "introspect" => {
                let mut event = event;
                event["headers"]["authorization"] = json!(format!("Basic {basic}"));
                with_text(event, &format!("token={}", member.access_token))
            }
            "bare_read" => with_text(event, &format!("USER#{}", member.id)),
            _ => event,
        };
        Ok::<_, Failure>(Case { function, operation, event, requests })
    };
    CASES.into_iter().map(|(function, operation, requests)| case(function, operation, requests)).collect()
}

impl Served {
    async fn start(app: &App, functions: &Functions, case: Case) -> Result<Self> {
        let described = functions.described(case.function)?;
        let given = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let settings: Vec<_> = app.environment_of(described).into_iter().chain(given).collect();
        let instance = Instance::spawn(&functions.binary(case.function), &settings, None).await?;
        let memory_mb = described.memory_mb;
        let (awake_cpu_us, cpu_us, log_bytes, wall_us, store_us) = Default::default();
        Ok(Self { case, instance, memory_mb, awake_cpu_us, cpu_us, log_bytes, wall_us, store_us })
    }

    /// Sends the requests of a round. `number` is how many there have been of any case.
    async fn round(&mut self, app: &App, awake: bool, number: &mut u64) -> Result<()> {
        for _ in 0..WARMING {
            self.send(app, number).await?;
        }
        let before = (self.instance.processor_time()?, self.instance.logged());
        for _ in 0..self.case.requests {
            let (wall_us, store_us) = self.send(app, number).await?;
            if !awake {
                self.wall_us.push(wall_us);
                self.store_us.push(store_us);
            }
        }
        let used = self.instance.processor_time()?.saturating_sub(before.0);
        let logged = self.instance.logged().saturating_sub(before.1);
        let cpu_us = if awake { &mut self.awake_cpu_us } else { &mut self.cpu_us };
        cpu_us.push(used.as_secs_f64() * 1e6 / self.case.requests as f64);
        self.log_bytes.push(logged as f64 / self.case.requests as f64);
        Ok(())
    }

    /// Microseconds until the answer, and those of them that the store had.
    async fn send(&mut self, app: &App, number: &mut u64) -> Result<(f64, f64)> {
        *number += 1;
        let Case { operation, event, .. } = &mut self.case;
        let trace = format!("Root=1-00000000-{number:024x}");
        app.open_entry(&trace, &trace);
        if *operation == "register" {
            let email = format!("warm{number}@example.com");
            *event = with_body(event.take(), &json!({ "email": email, "password": tests::client::PASSWORD }));
        }
        let new = (*operation == REGISTERED).then(|| requests::of_someone_new(event)).transpose()?;
        let (wall, answer) = self.instance.invoke(new.as_ref().unwrap_or(event), &trace).await?;
        requests::succeeded(operation, &answer)?;
        if *operation == "refresh" {
            let token = &requests::body(&answer)?["refresh_token"];
            *event = with_body(event.take(), &json!({ "refresh_token": token }));
        }
        Ok((wall.as_secs_f64() * 1e6, app.entry(&trace).map_or(0.0, |entry| busy_us(entry.calls))))
    }

    fn summary(mut self) -> Result<Warm> {
        Ok(Warm {
            operation: self.case.operation.to_owned(),
            function: self.case.function.to_owned(),
            rounds: ROUNDS,
            requests: ROUNDS * self.case.requests,
            least_cpu_us: rounded(least(&self.awake_cpu_us)?, 0),
            awake_cpu_us: rounded(median(&mut self.awake_cpu_us)?, 0),
            cpu_us: rounded(median(&mut self.cpu_us)?, 0),
            wall_us: rounded(median(&mut self.wall_us)?, 0),
            store_us: rounded(median(&mut self.store_us)?, 0),
            log_bytes: rounded(median(&mut self.log_bytes)?, 0),
            memory_mb: self.memory_mb.into(),
            peak_rss_kib: self.instance.peak_rss_kib()?,
        })
    }
}

/// For how long at least one of the calls was under way.
fn busy_us(mut calls: Vec<Call>) -> f64 {
    calls.sort_by_key(|call| call.began_us);
    let mut busy = 0;
    let mut until = 0;
    for call in calls {
        busy += call.ended_us.saturating_sub(call.began_us.max(until));
        until = until.max(call.ended_us);
    }
    busy as f64
}
