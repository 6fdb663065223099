//! Cold starts: from spawning to the first answer, beside a function that does nothing, in turns.

use figures::measured::Cold;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use tests::client::{App, Member};

use crate::{
    Result,
    build::{EMPTY, Functions},
    requests::{self, SETTINGS},
    runtime_api::Instance,
    stats::{median, ms, rounded},
};

/// How often each function is started: in goes of so many rounds. Each round moves the bar.
pub const GOES: usize = 3;
const ROUNDS: usize = 5;
pub const MOVES: usize = GOES * ROUNDS;

struct Case {
    function: &'static str,
    name: &'static str,
    signs: bool,
    samples: Vec<Sample>,
}

struct Sample {
    to_next_ms: f64,
    to_answer_ms: f64,
    over_empty_ms: f64,
    peak_rss_kib: f64,
}

impl Case {
    const fn new(function: &'static str, name: &'static str, signs: bool) -> Self {
        Self { function, name, signs, samples: Vec::new() }
    }
}

/// Every function, started again and again.
pub struct Starts<'functions> {
    functions: &'functions Functions,
    app: App,
    member: Member,
    cases: Vec<Case>,
}

impl<'functions> Starts<'functions> {
    pub async fn prepare(functions: &'functions Functions) -> Result<Self> {
        let app = App::with(&SETTINGS).await;
        let member = app.member("alice@example.com").await;
        requests::dress(&app, &member).await?;
        let cases = vec![
            Case::new(EMPTY, "login", false),
            Case::new("auth", "refresh", true),
            Case::new("auth", "login", true),
            Case::new("auth", "me", false),
            Case::new("users", "profile", false),
            Case::new("attempts", "summary", false),
            Case::new("avatars", "avatar", false),
            Case::new("system", "jwks", false),
            Case::new("authorizer", "http_2_0", false),
            Case::new("mailer", "registered", false),
            Case::new("bounces", "bounce", false),
            Case::new("janitor", "every_minute", false),
            Case::new("rotation", "first_keys", false),
        ];
        Ok(Self { functions, app, member, cases })
    }

    /// Starts all of them in turns, a go's rounds.
    pub async fn go(&mut self, bar: &ProgressBar) -> Result<()> {
        bar.set_message("cold starts");
        for _ in 0..ROUNDS {
            let mut empty_ms = 0.0;
            for case in &mut self.cases {
                let sample = start(&self.app, self.functions, case, &mut self.member, empty_ms).await?;
                if case.function == EMPTY {
                    empty_ms = sample.to_answer_ms;
                }
                case.samples.push(sample);
            }
            bar.inc(1);
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
    let mut instance = Instance::spawn(&functions.binary(case.function), &settings, None).await?;
    let (_, answer) = instance.invoke(&event, "Root=1-00000000-000000000000000000000000").await?;
    let to_answer_ms = ms(instance.age());
    requests::succeeded(case.name, &answer)?;
    if case.name == "refresh" {
        let tokens = requests::body(&answer)?;
        member.refresh_token = tokens["refresh_token"].as_str().unwrap_or_default().to_owned();
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
    let event = requests::by(requests::event(function, case.name)?, member);
    Ok(match case.name {
        "refresh" => requests::with_body(event, &json!({ "refresh_token": member.refresh_token })),
        "login" => requests::with_body(event, &json!({ "email": member.email, "password": tests::client::PASSWORD })),
        "avatar" => requests::at(event, &format!("/api/v1/users/{}/avatar", member.id)),
        "first_keys" => {
            let text = event.to_string().replace("127.0.0.1:8081", &app.aws_address().to_string());
            serde_json::from_str(&text)?
        }
        _ => event,
    })
}

fn summary(functions: &Functions, case: &Case) -> Result<Cold> {
    let of = |value: fn(&Sample) -> f64| median(&mut case.samples.iter().map(value).collect::<Vec<_>>());
    Ok(Cold {
        function: case.function.to_owned(),
        event: case.name.to_owned(),
        signs: case.signs,
        runs: case.samples.len(),
        to_next_ms: rounded(of(|sample| sample.to_next_ms)?, 2),
        to_answer_ms: rounded(of(|sample| sample.to_answer_ms)?, 2),
        over_empty_ms: if case.function == EMPTY { 0.0 } else { rounded(of(|sample| sample.over_empty_ms)?, 2) },
        peak_rss_kib: of(|sample| sample.peak_rss_kib)? as u64,
        zip_bytes: functions.zip_bytes(case.function)?,
    })
}
