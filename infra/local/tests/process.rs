//! `cargo run` as a person meets it: a process, a folder, a port.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use chrono::DateTime;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

struct Running {
    child: Child,
    api: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn command(folder: &Path, port: u16) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.env("DATA_DIR", folder).env("PORT", port.to_string()).env("AWS_PORT", "0").env("LOG_LEVEL", "off");
    command
}

/// Starts the process and waits until it answers.
async fn start(folder: &Path) -> Running {
    let port = free_port();
    started(command(folder, port).stdout(Stdio::null()).spawn().unwrap(), port).await
}

async fn started(child: Child, port: u16) -> Running {
    let running = Running { child, api: format!("http://127.0.0.1:{port}") };
    let started = Instant::now();
    while Client::new().get(format!("{}/healthz", running.api)).send().await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(30), "it does not answer");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    running
}

async fn post(running: &Running, path: &str, body: Value) -> (StatusCode, Value) {
    let response = Client::new().post(format!("{}{path}", running.api)).json(&body).send().await.unwrap();
    (response.status(), response.json().await.unwrap_or_default())
}

async fn get(running: &Running, path: &str, token: &str) -> Value {
    let request = Client::new().get(format!("{}{path}", running.api)).header("accept", "application/json");
    request.bearer_auth(token).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn the_log_of_a_whole_run_holds_no_address_password_token_or_code() {
    let folder = folder("log");
    let port = free_port();
    let log = folder.with_extension("log");
    let mut child = command(&folder, port);
    child.env("LOG_LEVEL", "trace").stdout(fs::File::create(&log).unwrap());
    let running = started(child.spawn().unwrap(), port).await;
    let credentials = json!({ "email": "alice.in.the.log@example.com", "password": "correct-horse-battery", "name": "Alice Liddell" });
    let (_, registered) = post(&running, "/auth/register", credentials.clone()).await;
    let mail = get(&running, "/_local/mailbox", "").await;
    let link =
        mail[0]["text"].as_str().unwrap().split("token=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    get(&running, &format!("/verify-email?token={link}"), "").await;
    let login = json!({ "email": credentials["email"], "password": credentials["password"] });
    let (_, signed_in) = post(&running, "/auth/login", login).await;
    for _ in 0..4 {
        post(&running, "/auth/login", json!({ "email": credentials["email"], "password": "wrong-horse-battery" }))
            .await;
    }
    post(&running, "/auth/forgot-password", json!({ "email": credentials["email"] })).await;
    let mail = get(&running, "/_local/mailbox", "").await;
    let code = mail[0]["text"].as_str().unwrap().split("your code is ").nth(1).unwrap()[..6].to_owned();
    let reset = mail[0]["text"].as_str().unwrap().split("token=").nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(
        Client::new()
            .get(format!("{}/reset-password?token={reset}", running.api))
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    post(&running, "/_local/faults", json!({ "service": "dynamodb", "kind": "error", "count": 1000 })).await;
    let body = json!({ "token": reset, "new_password": "another-horse-battery" });
    assert_eq!(post(&running, "/auth/reset-password", body).await.0, StatusCode::SERVICE_UNAVAILABLE);
    post(&running, "/_local/faults", json!({ "service": "dynamodb", "kind": "error", "count": 0 })).await;
    post(&running, "/auth/verify-reset-code", json!({ "email": credentials["email"], "code": code })).await;
    get(&running, "/users/me", signed_in["access_token"].as_str().unwrap()).await;
    post(&running, "/auth/refresh", json!({ "refresh_token": signed_in["refresh_token"] })).await;
    post(&running, "/auth/login", json!({ "email": "x\r\n{\"level\":\"forged\"}", "password": "y" })).await;
    drop(running);

    let text = fs::read_to_string(log).unwrap();
    assert!(
        text.lines().filter(|line| line.contains("\"request\"")).count() > 10,
        "the log is that of the run: {text}"
    );
    let secrets = [
        "alice.in.the.log",
        "example.com",
        "correct-horse",
        "wrong-horse",
        "another-horse",
        reset,
        "Liddell",
        "forged",
        "$argon2",
        "eyJ",
        registered["refresh_token"].as_str().unwrap(),
        signed_in["refresh_token"].as_str().unwrap(),
        &link,
    ];
    for secret in secrets {
        assert!(!text.contains(secret), "{secret} stands in the log");
    }
    let holds_code = text.split(|character: char| !character.is_ascii_digit()).any(|digits| digits == code);
    assert!(!holds_code, "the code stands in the log");
}

#[tokio::test]
async fn everything_survives_a_kill() {
    let folder = folder("survives");
    let mut running = start(&folder).await;
    let credentials = json!({ "email": "alice@example.com", "password": "correct-horse-battery" });
    assert_eq!(post(&running, "/auth/register", credentials.clone()).await.0, StatusCode::CREATED);
    let mail = get(&running, "/_local/mailbox", "").await;
    let token = mail[0]["text"].as_str().unwrap().split("token=").nth(1).unwrap().split_whitespace().next().unwrap();
    assert_eq!(post(&running, "/api/v1/auth/verify-email", json!({ "token": token })).await.0, StatusCode::OK);
    assert_eq!(post(&running, "/_local/clock", json!({ "advance_seconds": 3600 })).await.0, StatusCode::OK);
    let (_, login) = post(&running, "/auth/login", credentials.clone()).await;
    let access_token = login["access_token"].as_str().unwrap().to_owned();
    running.child.kill().unwrap();
    running.child.wait().unwrap();

    let running = start(&folder).await;
    assert_eq!(get(&running, "/_local/mailbox", "").await, mail, "the mailbox, and no mail twice");
    let (status, again) = post(&running, "/auth/login", credentials).await;
    assert_eq!(status, StatusCode::OK, "the account, its verification and the hash: {again}");
    // The token of before names another port as its issuer; the new one says that the clock was kept.
    assert_ne!(again["access_token"], access_token);
    let [later, earlier] = [&again, &login].map(|login| login["user"]["last_login_at"].as_str().unwrap());
    let [later, earlier] = [later, earlier].map(|text| DateTime::parse_from_rfc3339(text).unwrap());
    assert!(later >= earlier, "the clock did not go back");
}

/// The one line that it leaves when it cannot start.
fn refusal(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let lines = String::from_utf8(output.stderr).unwrap();
    assert_eq!(lines.trim_end().lines().count(), 1, "{lines}");
    assert!(lines.starts_with("user-service does not start: "), "{lines}");
    lines
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    assert!(refusal(command(&folder("port"), port)).contains(&format!("port {port} cannot be used")));
    let mut nonsense = command(&folder("port"), 0);
    nonsense.env("PORT", "eighty");
    assert!(refusal(nonsense).contains("PORT=eighty is not a port"));
}

#[test]
fn a_folder_that_cannot_be_used_is_one_clear_line() {
    let file = folder("a-file");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "").unwrap();
    assert!(refusal(command(&file, 0)).contains("a-file cannot be used"));
}

#[test]
fn a_damaged_file_is_one_clear_line_that_names_it() {
    for (file, content) in [
        ("secrets.json", "{"),
        ("mailbox.jsonl", "nonsense\n"),
        ("dynamodb.sqlite", "nonsense nonsense"),
        ("clock", "noon"),
    ] {
        let folder = folder(&format!("damaged-{file}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file), content).unwrap();
        assert!(refusal(command(&folder, 0)).contains(file), "{file}");
    }
}

#[test]
fn a_setting_that_is_not_valid_is_one_clear_line() {
    let mut wrong = command(&folder("setting"), 0);
    wrong.env("ACCESS_TTL_MIN", "soon");
    assert!(refusal(wrong).contains("the setting ACCESS_TTL_MIN is not valid"));
}
