//! `cargo run`: the whole service on `http://localhost:8080`. `cargo run -p local -- load`: much data for it.

mod arguments;

use std::{collections::BTreeMap, env, ffi::OsString, fs, path::PathBuf, process::ExitCode};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use local::{Data, Options, Stack, StartError};

use arguments::{Arguments, Command};

const PORT: u16 = 8080;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let stack = match start().await {
        Ok(stack) => stack,
        Err(error) => {
            eprintln!("user-service does not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    if let Some(Command::Load { users, attempts }) = arguments.command {
        return load(&stack, users, attempts).await;
    }
    announce(&stack);
    tokio::select! {
        () = stack.run() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    ExitCode::SUCCESS
}

async fn load(stack: &Stack, users: u64, attempts: u32) -> ExitCode {
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} {elapsed} (eta {eta})");
    let bar = ProgressBar::new(users + u64::from(attempts))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let loaded = stack.load(users, attempts, || bar.inc(1)).await;
    bar.finish();
    match loaded {
        Ok(first) => {
            println!("{users} users; {attempts} attempts are of {}", first.email);
            println!("The password of each of them is {}", first.password);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("Loading stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn start() -> Result<Stack, StartError> {
    let text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
    let settings: BTreeMap<String, String> = env::vars_os().filter_map(text).collect();
    let port = port(&settings, "PORT", PORT)?;
    let aws_port = port_after(&settings, port)?;
    Stack::start(Options { port, aws_port, data: data(&settings)?, settings }).await
}

fn port(settings: &BTreeMap<String, String>, name: &str, default: u16) -> Result<u16, StartError> {
    let Some(text) = settings.get(name) else { return Ok(default) };
    text.parse().map_err(|_| StartError::Port { port: 0, reason: format!("{name}={text} is not a port") })
}

fn port_after(settings: &BTreeMap<String, String>, port_of_api: u16) -> Result<u16, StartError> {
    let next = if port_of_api == 0 { 0 } else { port_of_api.saturating_add(1) };
    port(settings, "AWS_PORT", next)
}

fn data(settings: &BTreeMap<String, String>) -> Result<Data, StartError> {
    let folder = settings.get("DATA_DIR").map_or(".local", String::as_str);
    if folder == ":memory:" {
        return Ok(Data::Memory);
    }
    let refused = |error: std::io::Error| StartError::Data { path: folder.to_owned(), reason: error.to_string() };
    fs::create_dir_all(folder).map_err(refused)?;
    Ok(Data::Folder(PathBuf::from(folder)))
}

fn announce(stack: &Stack) {
    let api = format!("http://localhost:{}", stack.address.port());
    println!("user-service is running. Stop it with Ctrl-C.");
    println!("  API            {api}");
    println!("  Documentation  {api}/docs");
    println!("  Mailbox        {api}/_local/mailbox");
    println!("  AWS endpoints  http://{}", stack.aws_address);
}
