//! Warm functions, one request at a time: processor time, and how long the store takes of it all.

use figures::measured::{Stored, Warm};
use indicatif::ProgressBar;
use local::Call;
use serde_json::{Value, json};
use tests::client::{App, Member};

use crate::{
    Failure, Result,
    build::{Functions, READER},
    processors,
    requests::{self, SETTINGS, at, attempt, by, with_body, with_text},
    runtime_api::Instance,
    stats::{median, rounded},
};

/// Requests before those that count.
const WARMING: usize = 50;
/// Requests that count; fewer of what hashes or works on pictures.
const REQUESTS: usize = 1_000;
const COSTLY: usize = 150;
/// People and attempts that are loaded beforehand.
const LOADED: u32 = 1_000;

/// Each request that is measured: its function, its operation, and how often it is sent.
const CASES: [(&str, &str, usize); 19] = [
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
];

/// Moves of the bar: one for each request that is measured.
pub fn moves(only: Option<&str>) -> usize {
    CASES.iter().filter(|(_, operation, _)| only.is_none_or(|only| *operation == only)).count()
}

struct Case {
    function: &'static str,
    operation: &'static str,
    event: Value,
    requests: usize,
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
        let mut rows = Vec::new();
        let mut number = 0;
        for case in cases {
            rows.push(serve(&app, functions, case, &mut number).await?);
            bar.inc(1);
        }
        Ok(rows)
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
        // The reader takes any event, and has none of its own.
        let (of, name) = if function == READER { ("auth", "me") } else { (function, operation) };
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

async fn serve(app: &App, functions: &Functions, case: Case, number: &mut u64) -> Result<Warm> {
    let Case { function, operation, mut event, requests } = case;
    let given = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let described = functions.described(function)?;
    let settings: Vec<_> = app.environment_of(described).into_iter().chain(given).collect();
    let mut instance = Instance::spawn(&functions.binary(function), &settings, None).await?;
    let (mut walls, mut stores) = (Vec::new(), Vec::new());
    let mut before = (instance.processor_time()?, instance.logged());
    for round in 0..WARMING + requests {
        *number += 1;
        let trace = format!("Root=1-00000000-{number:024x}");
        app.open_entry(&trace, &trace);
        if operation == "register" {
            let email = format!("warm{number}@example.com");
            event = with_body(event, &json!({ "email": email, "password": tests::client::PASSWORD }));
        }
        let (wall, answer) = instance.invoke(&event, &trace).await?;
        requests::succeeded(operation, &answer)?;
        if operation == "refresh" {
            event = with_body(event, &json!({ "refresh_token": requests::body(&answer)?["refresh_token"] }));
        }
        if round + 1 == WARMING {
            before = (instance.processor_time()?, instance.logged());
        } else if round >= WARMING {
            walls.push(wall.as_secs_f64() * 1e6);
            stores.push(app.entry(&trace).map_or(0.0, |entry| busy_us(entry.calls)));
        }
    }
    let used = instance.processor_time()?.saturating_sub(before.0);
    let logged = instance.logged().saturating_sub(before.1);
    Ok(Warm {
        operation: operation.to_owned(),
        function: function.to_owned(),
        requests,
        cpu_us: rounded(used.as_secs_f64() * 1e6 / requests as f64, 0),
        wall_us: rounded(median(&mut walls)?, 0),
        store_us: rounded(median(&mut stores)?, 0),
        log_bytes: rounded(logged as f64 / requests as f64, 0),
        memory_mb: described.memory_mb.into(),
        peak_rss_kib: instance.peak_rss_kib()?,
    })
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
