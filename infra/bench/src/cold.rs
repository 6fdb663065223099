//! Cold starts: from spawning to the first answer, beside a function that does nothing, in turns; with all processors, and with one
//! that the Runtime API shares.

use figures::measured::Cold;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use tests::client::{App, Member};

use crate::{
    Failure, Result,
    build::{EMPTY, Functions},
    processors,
    requests::{self, SETTINGS},
    runtime_api::Instance,
    stats::{median, ms, rounded},
};

/// How often each function is started: in goes of so many rounds. Each round moves the bar.
pub const GOES: usize = 3;
const ROUNDS: usize = 5;
pub const MOVES: usize = GOES * ROUNDS;

/// At most so much later than the empty function, in milliseconds: what signs, and the others.
const SIGNS: Option<f64> = Some(40.0);
const SIGNS_NOTHING: Option<f64> = Some(10.0);

const MAILER: &str = "mailer";
/// The event that finds no keys, and makes them.
const NO_KEYS: &str = "first_keys, none there";

struct Case {
    function: &'static str,
    name: &'static str,
    most_over_empty_ms: Option<f64>,
    samples: Vec<Sample>,
    alone: Vec<Sample>,
}

struct Sample {
    to_next_ms: f64,
    to_answer_ms: f64,
    over_empty_ms: f64,
    peak_rss_kib: f64,
}

impl Case {
    const fn new(function: &'static str, name: &'static str, most_over_empty_ms: Option<f64>) -> Self {
        Self { function, name, most_over_empty_ms, samples: Vec::new(), alone: Vec::new() }
    }
}

/// Every function, started again and again.
pub struct Starts<'functions> {
    functions: &'functions Functions,
    app: App,
    /// Where keys are taken away.
    keyless: App,
    member: Member,
    cases: Vec<Case>,
}

impl<'functions> Starts<'functions> {
    pub async fn prepare(functions: &'functions Functions) -> Result<Self> {
        let app = App::with(&SETTINGS).await;
        let keyless = App::with(&SETTINGS).await;
        let member = app.member("alice@example.com").await;
        requests::dress(&app, &member).await?;
        let cases = vec![
            Case::new(EMPTY, "login", None),
            Case::new("auth", "refresh", SIGNS),
            Case::new("auth", "login", SIGNS),
            Case::new("auth", "me", SIGNS),
            Case::new("users", "profile", SIGNS_NOTHING),
            Case::new("attempts", "summary", SIGNS_NOTHING),
            Case::new("avatars", "avatar", SIGNS_NOTHING),
            Case::new("system", "jwks", SIGNS_NOTHING),
            Case::new("authorizer", "http_2_0", SIGNS_NOTHING),
            Case::new(MAILER, "registered", SIGNS_NOTHING),
            Case::new("bounces", "bounce", SIGNS_NOTHING),
            Case::new("janitor", "every_minute", SIGNS_NOTHING),
            Case::new("rotation", "first_keys", SIGNS_NOTHING),
            Case::new("rotation", NO_KEYS, None),
        ];
        Ok(Self { functions, app, keyless, member, cases })
    }

    /// Starts all of them in turns, a go's rounds.
    pub async fn go(&mut self, bar: &ProgressBar) -> Result<()> {
        bar.set_message("cold starts");
        for _ in 0..ROUNDS {
            self.round(false).await?;
            processors::apart(async || self.round(true).await)?;
            bar.inc(1);
        }
        Ok(())
    }

    async fn round(&mut self, alone: bool) -> Result<()> {
        let mut empty_ms = 0.0;
        for case in &mut self.cases {
            let app = if case.name == NO_KEYS { &self.keyless } else { &self.app };
            let sample = start(app, self.functions, case, &mut self.member, empty_ms).await?;
            if case.function == EMPTY {
                empty_ms = sample.to_answer_ms;
            }
            if alone { &mut case.alone } else { &mut case.samples }.push(sample);
        }
        Ok(())
    }

    pub fn summary(self) -> Result<Vec<Cold>> {
        self.cases.iter().map(|case| summary(self.functions, case)).collect()
    }
}

async fn start(app: &App, functions: &Functions, case: &Case, member: &mut Member, empty_ms: f64) -> Result<Sample> {
    let settings = match case.function {
        EMPTY => Vec::new(),
        function => {
            let given = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned()));
            app.environment_of(functions.described(function)?).into_iter().chain(given).collect()
        }
    };
    let event = event(app, case, member)?;
    let mailed = if case.function == MAILER { app.all_letters().await.len() } else { 0 };
    let known = if case.name == NO_KEYS { Some(without_keys(app).await?) } else { None };
    let mut instance = Instance::spawn(&functions.binary(case.function), &settings, None).await?;
    let (_, answer) = instance.invoke(&event, "Root=1-00000000-000000000000000000000000").await?;
    let to_answer_ms = ms(instance.age());
    requests::succeeded(case.name, &answer)?;
    if case.name == "refresh" {
        let tokens = requests::body(&answer)?;
        member.refresh_token = tokens["refresh_token"].as_str().unwrap_or_default().to_owned();
    }
    if case.function == MAILER && app.all_letters().await.len() == mailed {
        return Err(Failure("nothing was mailed".into()));
    }
    if known.is_some() {
        let current = current_of(app, "SigningKeys").await?;
        if current.is_none() || current == known {
            return Err(Failure("no keys were made".into()));
        }
    }
    Ok(Sample {
        to_next_ms: ms(instance.to_next()?),
        to_answer_ms,
        over_empty_ms: to_answer_ms - empty_ms,
        peak_rss_kib: instance.peak_rss_kib()? as f64,
    })
}

fn event(app: &App, case: &Case, member: &Member) -> Result<Value> {
    let function = if case.function == EMPTY { "auth" } else { case.function };
    let name = if case.name == NO_KEYS { "first_keys" } else { case.name };
    let event = requests::by(requests::event(function, name)?, member);
    Ok(match name {
        "refresh" => requests::with_body(event, &json!({ "refresh_token": member.refresh_token })),
        "login" => requests::with_body(event, &json!({ "email": member.email, "password": tests::client::PASSWORD })),
        "avatar" => requests::at(event, &format!("/api/v1/users/{}/avatar", member.id)),
        "registered" => requests::of_someone_new(&event)?,
        "first_keys" => {
            let text = event.to_string().replace("127.0.0.1:8081", &app.aws_address().to_string());
            serde_json::from_str(&text)?
        }
        _ => event,
    })
}

/// Takes the keys away. Answers with the version of those that signed.
async fn without_keys(app: &App) -> Result<String> {
    let mut signing = None;
    for secret in ["SigningKeys", "DerivationKeys", "PublicKeys"] {
        if let Some(version) = current_of(app, secret).await? {
            let request = json!({
                "SecretId": secret, "VersionStage": "AWSCURRENT", "RemoveFromVersionId": version,
            });
            let removed = app.secrets("UpdateSecretVersionStage", request).await;
            if !removed.status.is_success() {
                return Err(Failure(format!("{secret} stays: {}", removed.text)));
            }
            signing = signing.or(Some(version));
        }
    }
    signing.ok_or_else(|| Failure("there were no keys".into()))
}

async fn current_of(app: &App, secret: &str) -> Result<Option<String>> {
    let described = app.secrets("DescribeSecret", json!({ "SecretId": secret })).await.json();
    let versions = described["VersionIdsToStages"].as_object();
    let versions = versions.ok_or_else(|| Failure(format!("{secret} has no versions: {described}")))?;
    let current = json!("AWSCURRENT");
    let found = versions.iter().find(|(_, stages)| stages.as_array().is_some_and(|stages| stages.contains(&current)));
    Ok(found.map(|(version, _)| version.clone()))
}

fn summary(functions: &Functions, case: &Case) -> Result<Cold> {
    let of = |samples: &[Sample], value: fn(&Sample) -> f64| median(&mut samples.iter().map(value).collect::<Vec<_>>());
    let over_empty = |samples: &[Sample]| match case.function {
        EMPTY => Ok(0.0),
        _ => Ok::<_, Failure>(rounded(of(samples, |sample| sample.over_empty_ms)?, 2)),
    };
    Ok(Cold {
        function: case.function.to_owned(),
        event: case.name.to_owned(),
        most_over_empty_ms: case.most_over_empty_ms,
        runs: case.samples.len(),
        to_next_ms: rounded(of(&case.samples, |sample| sample.to_next_ms)?, 2),
        to_answer_ms: rounded(of(&case.samples, |sample| sample.to_answer_ms)?, 2),
        over_empty_ms: over_empty(&case.samples)?,
        alone_to_answer_ms: rounded(of(&case.alone, |sample| sample.to_answer_ms)?, 2),
        alone_over_empty_ms: over_empty(&case.alone)?,
        memory_mb: functions.described(case.function)?.memory_mb.into(),
        peak_rss_kib: of(&case.samples, |sample| sample.peak_rss_kib)? as u64,
        zip_bytes: functions.zip_bytes(case.function)?,
    })
}
