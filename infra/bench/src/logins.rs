//! Logins beside what a hash alone allows, and everything else beside logins.

use std::{
    env,
    time::{Duration, Instant},
};

use figures::measured::{Beside, Logins};
use futures_util::future::{try_join, try_join_all};
use indicatif::ProgressBar;
use serde_json::{Value, json};
use tests::client::{App, Member, PASSWORD};

use crate::{
    Failure, Result,
    build::Functions,
    clients::ask_until,
    processors,
    requests::{self, Ask, SETTINGS, crowd, introspection_secret, with_body},
    runtime_api::Instance,
    stats::{median, percentile, rounded},
};

/// Rounds of bare verifications and of logins in turns.
const ROUNDS: usize = 12;
const SECONDS: u32 = 3;
/// Instances that keep one core at work while each waits for the store.
const INSTANCES: usize = 4;
/// Clients that sign in again and again.
const CLIENTS: usize = 64;

/// Moves of the bar.
pub fn moves() -> usize {
    ROUNDS + 1 + Ask::without_hash().count()
}

/// Measures on one core and on all, and then everything else beside logins.
pub async fn measure(functions: &Functions, bar: &ProgressBar) -> Result<Logins> {
    bar.set_message("a crowd signs up");
    let (app, mut members) = crowd(CLIENTS + 1).await?;
    let last = processors::last()?;
    let mut one = on_one_core(&app, functions, &members, last, bar).await?;

    bar.set_message("logins on all cores");
    let whole_bare: f64 =
        try_join_all((0..=last).map(|core| bare_on(core, SECONDS * 2, false))).await?.into_iter().sum();
    let secret = introspection_secret(&app).await;
    let span = Duration::from_secs((SECONDS * 2).into());
    let (crowd, rest) = members.split_at_mut(CLIENTS);
    let began = Instant::now();
    let asking = crowd.iter_mut().map(|member| ask_until(&app, Ask::Login, member, &secret, began + span));
    let done: usize = try_join_all(asking).await?.iter().map(Vec::len).sum();
    let whole = done as f64 / began.elapsed().as_secs_f64();
    bar.inc(1);

    let beside = beside(&app, crowd, rest, &secret, bar).await?;
    Ok(Logins {
        instances: INSTANCES,
        bare_per_second: rounded(median(&mut one.bare)?, 1),
        kept_per_second: rounded(median(&mut one.kept)?, 1),
        per_second: rounded(median(&mut one.logins)?, 1),
        ratio: rounded(median(&mut one.ratios)?, 3),
        kept_ratio: rounded(median(&mut one.kept_ratios)?, 3),
        rounds: ROUNDS,
        whole_bare_per_second: rounded(whole_bare, 1),
        whole_per_second: rounded(whole, 1),
        whole_ratio: rounded(whole / whole_bare, 3),
        beside,
    })
}

/// What each round said.
#[derive(Default)]
struct OneCore {
    bare: Vec<f64>,
    kept: Vec<f64>,
    logins: Vec<f64>,
    ratios: Vec<f64>,
    kept_ratios: Vec<f64>,
}

async fn on_one_core(
    app: &App,
    functions: &Functions,
    members: &[Member],
    core: usize,
    bar: &ProgressBar,
) -> Result<OneCore> {
    bar.set_message("logins on one core");
    processors::confine_to_others(core)?;
    let given = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings: Vec<_> = app.environment_of(functions.described("auth")?).into_iter().chain(given).collect();
    let mut instances = Vec::new();
    for member in &members[..INSTANCES] {
        let event = requests::event("auth", "login")?;
        let event = with_body(event, &json!({ "email": member.email, "password": PASSWORD }));
        let mut instance = Instance::spawn(&functions.binary("auth"), &settings, Some(core)).await?;
        sign_in(&mut instance, &event, Instant::now()).await?;
        instances.push((instance, event));
    }
    let mut said = OneCore::default();
    for _ in 0..ROUNDS {
        let mut bare = [0.0, 0.0];
        for (rate, kept) in bare.iter_mut().zip([false, true]) {
            let at_once = (0..INSTANCES).map(|_| bare_on(core, SECONDS, kept));
            *rate = try_join_all(at_once).await?.into_iter().sum();
        }
        let [bare, kept] = bare;
        let began = Instant::now();
        let until = began + Duration::from_secs(SECONDS.into());
        let signing = instances.iter_mut().map(|(instance, event)| sign_in(instance, event, until));
        let done: usize = try_join_all(signing).await?.into_iter().sum();
        let whole = done as f64 / began.elapsed().as_secs_f64();
        said.bare.push(bare);
        said.kept.push(kept);
        said.logins.push(whole);
        said.ratios.push(whole / bare);
        said.kept_ratios.push(whole / kept);
        bar.inc(1);
    }
    processors::release(core)?;
    Ok(said)
}

/// Signs in at least once, and again up to a moment. Answers with how often.
async fn sign_in(instance: &mut Instance, event: &Value, until: Instant) -> Result<usize> {
    let mut done = 0;
    loop {
        let (_, answer) = instance.invoke(event, "Root=1-00000000-000000000000000000000000").await?;
        requests::succeeded("login", &answer)?;
        done += 1;
        if Instant::now() >= until {
            return Ok(done);
        }
    }
}

/// Bare verifications a second of one process on one core.
async fn bare_on(core: usize, seconds: u32, kept: bool) -> Result<f64> {
    let own = env::current_exe()?;
    let mut command = tokio::process::Command::new("taskset");
    command.arg("-c").arg(core.to_string()).arg(own).args(["hash", &seconds.to_string()]);
    if kept {
        command.arg("--kept");
    }
    let output = command.output().await?;
    let rate = String::from_utf8_lossy(&output.stdout).trim().parse();
    rate.map_err(|_| Failure(format!("{output:?} counts no verifications")))
}

/// Everything else, asked by one client, while the crowd signs in.
async fn beside(
    app: &App,
    crowd: &mut [Member],
    rest: &mut [Member],
    secret: &str,
    bar: &ProgressBar,
) -> Result<Vec<Beside>> {
    let mut rows = Vec::new();
    for ask in Ask::without_hash() {
        bar.set_message(format!("{} beside logins", ask.operation()));
        let Some(member) = rest.first_mut() else { return Err(Failure("nobody is left to ask".into())) };
        let until = Instant::now() + Duration::from_secs((SECONDS * 2).into());
        let signing = crowd.iter_mut().map(|member| ask_until(app, Ask::Login, member, secret, until));
        let (mut times, _) = try_join(ask_until(app, ask, member, secret, until), try_join_all(signing)).await?;
        rows.push(Beside {
            operation: ask.operation().to_owned(),
            requests: times.len(),
            p50_ms: rounded(percentile(&mut times, 0.5)?, 2),
            p99_ms: rounded(percentile(&mut times, 0.99)?, 2),
        });
        bar.inc(1);
    }
    Ok(rows)
}
