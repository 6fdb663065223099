//! The programs of `docs/tokens.md`, which know the issuer alone, against a running service.

mod verify;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::{Value, json};
use tests::{
    client::{App, Member},
    derived::root,
};
use tokio::process::Command;

/// What the programs need, at versions that were tried.
const PYTHON: [&str; 2] = ["PyJWT[crypto]==2.15.1", "cryptography==50.0.2"];
const NODE: [&str; 2] = ["jose@6.2.17", "openid-client@6.8.9"];

/// The program of a language, as the page shows it.
fn shown(language: &str) -> String {
    let page = fs::read_to_string(root().join("docs/tokens.md")).unwrap();
    let block = page.split(&format!("```{language}\n")).nth(1).and_then(|rest| rest.split("```").next());
    block.unwrap_or_else(|| panic!("docs/tokens.md has no {language}")).to_owned()
}

/// A folder for what the programs need. It stays, so that it is filled once.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

async fn done(command: &mut Command) -> Output {
    let output = command.output().await.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {told}");
    output
}

/// What a program that verifies prints of a token that is valid; and that of others it prints nothing.
async fn verifies(app: &App, member: &Member, program: &[&str], folder: &Path) {
    let issuer = issuer(app).await;
    let run = async |token: &str| {
        let mut command = Command::new(program[0]);
        command.args(&program[1..]).args([&issuer, token]).current_dir(folder).output().await.unwrap()
    };
    let output = run(&member.access_token).await;
    let claims: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!((&claims["sub"], &claims["scope"]), (&json!(member.id), &json!("user")));
    for token in [tampered(&member.access_token), App::start().await.member("alice@example.com").await.access_token] {
        let output = run(&token).await;
        assert!(!output.status.success() && output.stdout.is_empty(), "{program:?}");
    }
}

async fn issuer(app: &App) -> String {
    let metadata = app.get("/.well-known/openid-configuration").await.json();
    metadata["issuer"].as_str().unwrap().to_owned()
}

/// The token with one character of its claims changed.
fn tampered(token: &str) -> String {
    let place = token.find('.').unwrap() + 20;
    let other = if token.as_bytes()[place] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &token[..place], &token[place + 1..])
}

#[tokio::test]
async fn the_program_in_rust_verifies() {
    assert_eq!(shown("rust"), include_str!("verify.rs"));
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let issuer = issuer(&app).await;
    assert_eq!(verify::verify(&issuer, &member.access_token).await.unwrap()["sub"], member.id.as_str());
    assert!(verify::verify(&issuer, &tampered(&member.access_token)).await.is_err());
}

#[tokio::test]
async fn the_program_in_python_verifies() {
    let folder = folder("python");
    done(Command::new("python3").args(["-m", "venv", "venv"]).current_dir(&folder)).await;
    let pip = folder.join("venv/bin/pip");
    done(Command::new(pip).args(["install", "--quiet", "--disable-pip-version-check"]).args(PYTHON)).await;
    fs::write(folder.join("verify.py"), shown("python")).unwrap();
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    verifies(&app, &member, &["venv/bin/python", "verify.py"], &folder).await;
}

#[tokio::test]
async fn the_program_in_typescript_verifies() {
    let folder = folder("node");
    let install = ["install", "--no-save", "--no-audit", "--no-fund", "--silent", "--before=2026-11-30"];
    done(Command::new("npm").args(install).args(NODE).current_dir(&folder)).await;
    // The program has no type that would have to be stripped.
    fs::write(folder.join("verify.mjs"), shown("typescript")).unwrap();
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    verifies(&app, &member, &["node", "verify.mjs"], &folder).await;
}

#[tokio::test]
async fn the_program_in_go_verifies_where_go_is_at_hand() {
    assert!(shown("go").contains("oidc.NewProvider"));
    if Command::new("go").arg("version").output().await.is_err() {
        return;
    }
    let folder = folder("go");
    fs::write(folder.join("main.go"), shown("go")).unwrap();
    if !folder.join("go.mod").exists() {
        done(Command::new("go").args(["mod", "init", "verify"]).current_dir(&folder)).await;
    }
    done(Command::new("go").args(["get", "github.com/coreos/go-oidc/v3@v3.16.0"]).current_dir(&folder)).await;
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    verifies(&app, &member, &["go", "run", "main.go"], &folder).await;
}
