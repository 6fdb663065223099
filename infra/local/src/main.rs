//! `cargo run`: the whole service on `http://localhost:8080`.

use std::{collections::BTreeMap, env, ffi::OsString, fs, path::PathBuf, process::ExitCode};

use local::{Data, Options, Stack, StartError};

const PORT: u16 = 8080;

#[tokio::main]
async fn main() -> ExitCode {
    match start().await {
        Ok(stack) => {
            announce(&stack);
            tokio::select! {
                () = stack.run() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("user-service does not start: {error}");
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
