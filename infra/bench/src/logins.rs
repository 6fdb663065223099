//! Logins beside what a hash alone allows, and everything else beside logins.

use std::{
    env,
    time::{Duration, Instant},
};

use figures::measured::{Beside, Logins};
use futures_util::future::try_join_all;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use tests::client::PASSWORD;
use tokio::sync::Semaphore;

use crate::{
    Failure, Result,
    build::Functions,
    operations::Operation,
    processors,
    requests::{self, SETTINGS, with_body},
    runtime_api::Instance,
    stand::{Client, Stand},
    stats::{median, percentile, rounded},
};

/// Rounds of bare verifications and of logins in turns, on one core, and on all.
const ROUNDS: usize = 12;
const WHOLE_ROUNDS: usize = 6;
const SECONDS: u32 = 3;
/// Instances that keep one core at work while each waits for the store.
const INSTANCES: usize = 4;
/// Clients that sign in again and again.
const CLIENTS: usize = 64;
/// Requests beside logins, of an endpoint that can be asked for once.
const EACH: usize = 100;

/// Moves of the bar.
pub fn moves() -> usize {
    ROUNDS + WHOLE_ROUNDS + others().count()
}

/// Everything but what waits for a hash of its own, or for a moment at which it is answered.
fn others() -> impl Iterator<Item = Operation> {
    Operation::all().into_iter().filter(|operation| !operation.waits())
}

/// Measures on one core and on all, and then everything else beside logins.
pub async fn measure(functions: &Functions, bar: &ProgressBar) -> Result<Logins> {
    bar.set_message("a crowd signs up");
    let (stand, mut clients) = Stand::with(CLIENTS + 1).await?;
    let last = processors::last()?;
    let mut one = on_one_core(&stand, functions, &clients, last, bar).await?;
    let (crowd, rest) = clients.split_at_mut(CLIENTS);
    let mut all = on_all_cores(&stand, crowd, last, bar).await?;
    let Some(other) = rest.first_mut() else { return Err(Failure("nobody is left to ask".into())) };
    let beside = beside(&stand, crowd, other, bar).await?;
    Ok(Logins {
        instances: INSTANCES,
        bare_per_second: rounded(median(&mut one.bare)?, 1),
        kept_per_second: rounded(median(&mut one.kept)?, 1),
        per_second: rounded(median(&mut one.logins)?, 1),
        ratio: rounded(median(&mut one.ratios)?, 3),
        kept_ratio: rounded(median(&mut one.kept_ratios)?, 3),
        rounds: ROUNDS,
        whole_bare_per_second: rounded(median(&mut all.bare)?, 1),
        whole_per_second: rounded(median(&mut all.logins)?, 1),
        whole_ratio: rounded(median(&mut all.ratios)?, 3),
        whole_rounds: WHOLE_ROUNDS,
        clients: CLIENTS,
        beside,
    })
}

/// What each round said.
#[derive(Default)]
struct Rates {
    bare: Vec<f64>,
    kept: Vec<f64>,
    logins: Vec<f64>,
    ratios: Vec<f64>,
    kept_ratios: Vec<f64>,
}

async fn on_one_core(
    stand: &Stand,
    functions: &Functions,
    clients: &[Client],
    core: usize,
    bar: &ProgressBar,
) -> Result<Rates> {
    bar.set_message("logins on one core");
    processors::confine_to_others(core)?;
    let given = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let settings: Vec<_> = stand.app.environment_of(functions.described("auth")?).into_iter().chain(given).collect();
    let mut instances = Vec::new();
    for client in &clients[..INSTANCES] {
        let event = requests::event("auth", "login")?;
        let event = with_body(event, &json!({ "email": client.member.email, "password": PASSWORD }));
        let mut instance = Instance::spawn(&functions.binary("auth"), &settings, Some(core)).await?;
        sign_in(&mut instance, &event, Instant::now()).await?;
        instances.push((instance, event));
    }
    let mut said = Rates::default();
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

/// The whole stack, the store and the clients included.
async fn on_all_cores(stand: &Stand, crowd: &mut [Client], last: usize, bar: &ProgressBar) -> Result<Rates> {
    bar.set_message("logins on all cores");
    let login = Operation::login();
    let mut said = Rates::default();
    for _ in 0..WHOLE_ROUNDS {
        let each = try_join_all((0..=last).map(|core| bare_on(core, SECONDS, false))).await?;
        let bare: f64 = each.into_iter().sum();
        let began = Instant::now();
        let until = began + Duration::from_secs(SECONDS.into());
        let asking = crowd.iter_mut().map(|client| stand.ask_until(&login, client, until));
        let done: usize = try_join_all(asking).await?.iter().map(Vec::len).sum();
        let whole = done as f64 / began.elapsed().as_secs_f64();
        said.bare.push(bare);
        said.logins.push(whole);
        said.ratios.push(whole / bare);
        bar.inc(1);
    }
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
async fn beside(stand: &Stand, crowd: &mut [Client], other: &mut Client, bar: &ProgressBar) -> Result<Vec<Beside>> {
    let mut rows = Vec::new();
    for operation in others() {
        bar.set_message(format!("{} beside logins", operation.name()));
        let is_once = stand.is_sent_once(&operation, other);
        let ready = if is_once { Some(stand.once(&operation, EACH).await?) } else { None };
        stand.settle().await;
        let signed_in = Semaphore::new(0);
        let asking = async {
            // As many have signed in as there are of the crowd: from here on it is as it stays.
            let _all = signed_in.acquire_many(CLIENTS as u32).await?;
            match ready {
                Some(ready) => stand.ask_each(&operation, ready).await,
                None => {
                    let until = Instant::now() + Duration::from_secs(SECONDS.into());
                    stand.ask_until(&operation, other, until).await
                }
            }
        };
        let signing = try_join_all(crowd.iter_mut().map(|client| sign_in_for_good(stand, client, &signed_in)));
        let mut times = tokio::select! {
            times = asking => times?,
            ended = signing => return Err(ended.err().unwrap_or_else(|| Failure("nobody signs in any more".into()))),
        };
        rows.push(Beside {
            operation: operation.name().to_owned(),
            requests: times.len(),
            p50_ms: rounded(percentile(&mut times, 0.5)?, 2),
            p99_ms: rounded(percentile(&mut times, 0.99)?, 2),
        });
        bar.inc(1);
    }
    Ok(rows)
}

async fn sign_in_for_good(stand: &Stand, client: &mut Client, signed_in: &Semaphore) -> Result<()> {
    let login = Operation::login();
    loop {
        stand.ask(&login, client).await?;
        signed_in.add_permits(1);
    }
}
