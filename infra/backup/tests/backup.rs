//! A backup and a restore as an operator meets them: a folder, the command, and people who go on afterwards.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{
    client::{App, PASSWORD},
    noise::noise,
};

const SUMMARY: &str = "/api/v1/attempts/me/summary";
const HISTORY: &str = "/api/v1/attempts/me?limit=50";
/// Bytes of each attempt's code: thirty of them, compressed, are more than a scan's page of 1 MB.
const CODE: usize = 60_000;

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

async fn backup(app: &App, arguments: &[&str], folder: &Path) -> Output {
    let endpoint = format!("http://{}", app.aws_address());
    let mut run = Command::new(env!("CARGO_BIN_EXE_backup"));
    run.args(arguments).arg(folder).env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "eu-central-1");
    for table in ["USERS", "ATTEMPTS", "AUDIT"] {
        let name = format!("{}{}Table", &table[..1], table[1..].to_lowercase());
        run.env(format!("{table}_TABLE"), name);
    }
    run.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local");
    tokio::task::spawn_blocking(move || run.output().unwrap()).await.unwrap()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[tokio::test]
async fn in_an_empty_stack_everyone_signs_in_and_no_history_is_lost() {
    let folder = folder("whole");
    let (app, admin) = App::with_admin(&[]).await;
    let alice = app.member("alice@example.com").await;
    app.register("unverified@example.com").await;
    let profile = json!({ "username": "alice", "name": "Alice Liddell", "bio": "Curious." });
    assert_eq!(app.patch_as(&alice, "/api/v1/users/me", profile).await.status, StatusCode::OK);
    let noise = noise(CODE);
    for question in 0..30 {
        let attempt = json!({ "question_id": question % 7, "language": "rust", "submitted_code": format!("// {question} {noise}"),
            "passed_tests": question % 3, "total_tests": 2 });
        assert_eq!(app.post_as(&alice, "/api/v1/attempts/", attempt).await.status, StatusCode::CREATED);
    }
    let made_premium = json!({ "subscription_tier": "premium" });
    app.patch_as(&admin, &format!("/api/v1/users/{}", alice.id), made_premium).await;
    let (summary, history) = (app.get_as(&alice, SUMMARY).await.json(), app.get_as(&alice, HISTORY).await.json());
    assert_eq!(summary["total_attempts"], 30);
    app.all_letters().await;
    app.fault(json!({ "service": "dynamodb", "operation": "Scan", "kind": "throttle", "count": 12 })).await;
    said(&backup(&app, &["export"], &folder).await);
    for file in ["users.jsonl", "attempts.jsonl", "audit.jsonl"] {
        assert!(!fs::read_to_string(folder.join(file)).unwrap().is_empty(), "{file}");
    }

    // A row of a name that the index was still to forget, and a new table that takes less than it is given.
    let users = fs::read_to_string(folder.join("users.jsonl")).unwrap();
    let row = users.lines().find(|line| line.contains("W#li")).unwrap();
    let former = row.replace("W#li", "W#zz").replace("liddell", "zzedd");
    fs::write(folder.join("users.jsonl"), format!("{users}{former}\n")).unwrap();
    let other = App::with(&[("ADMIN_EMAILS", "root@example.com")]).await;
    other.fault(json!({ "service": "dynamodb", "operation": "PutItem", "kind": "throttle", "count": 12 })).await;
    let restored = said(&backup(&other, &["restore"], &folder).await);
    assert!(restored.contains(" 0 there already"), "{restored}");
    assert_eq!(other.all_letters().await.len(), 0, "nobody gets a mail about what was long ago");
    let refreshed = json!({ "refresh_token": alice.refresh_token });
    assert_eq!(
        other.post("/auth/refresh", refreshed).await.status,
        StatusCode::UNAUTHORIZED,
        "sessions are left behind"
    );

    let again = other.sign_in("alice@example.com").await;
    assert_eq!(again.id, alice.id);
    let sessions = other.get_as(&again, "/api/v1/auth/sessions").await.json();
    assert_eq!(sessions.as_array().map(Vec::len), Some(1), "none of before: {sessions}");
    assert_eq!(other.get_as(&again, SUMMARY).await.json(), summary);
    assert_eq!(other.get_as(&again, HISTORY).await.json(), history);
    let code = other.get_as(&again, &format!("/api/v1/attempts/{}", history[3]["id"].as_str().unwrap())).await.json();
    assert!(code["submitted_code"] == format!("// 26 {noise}"), "{code}");
    let me = other.get_as(&again, "/api/v1/users/me").await.json();
    assert_eq!((&me["bio"], &me["subscription_tier"]), (&json!("Curious."), &json!("premium")));
    assert_eq!(other.login("alice", PASSWORD).await.status, StatusCode::OK, "by her username too");
    assert_eq!(other.login("unverified@example.com", PASSWORD).await.code(), "email_not_verified");
    let hits = other.get_as(&again, "/api/v1/users/search?q=liddell").await.json();
    assert_eq!(hits[0]["username"], "alice");
    assert_eq!(other.get_as(&again, "/api/v1/users/search?q=zzedd").await.json(), json!([]));
    let taken = json!({ "email": "alice@example.com", "password": PASSWORD });
    assert_eq!(other.post("/auth/register", taken).await.code(), "email_taken");

    let root = other.sign_in("root@example.com").await;
    let audit = other.get_as(&root, "/api/v1/admin/audit").await.json();
    assert!(audit.as_array().is_some_and(|rows| !rows.is_empty()), "{audit}");
    let request = other.request(Method::GET, "/metrics").bearer_auth(&root.access_token);
    let counts: Value = other.send(request.header("accept", "application/json")).await.json();
    assert_eq!((&counts["users_total"], &counts["attempts"]), (&json!(3), &json!(30)), "{counts}");

    let twice = said(&backup(&other, &["restore"], &folder).await);
    assert!(twice.starts_with("0 items restored"), "{twice}");
}

#[tokio::test]
async fn who_was_erased_after_the_backup_stays_erased() {
    let (before, after) = (folder("before"), folder("after"));
    let app = App::start().await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    let attempt =
        json!({ "question_id": 1, "language": "rust", "submitted_code": "//", "passed_tests": 1, "total_tests": 1 });
    app.post_as(&alice, "/api/v1/attempts/", attempt).await;
    // Words of a person erase nobody.
    let words = json!({ "name": "ERASE", "bio": format!("\"ERASED#{}\" {}", bob.id, alice.id) });
    assert_eq!(app.patch_as(&bob, "/api/v1/users/me", words).await.status, StatusCode::OK);
    app.all_letters().await;
    said(&backup(&app, &["export"], &before).await);
    assert_eq!(app.delete_as(&alice, "/api/v1/users/me").await.status, StatusCode::OK);
    app.all_letters().await;
    said(&backup(&app, &["export"], &after).await);

    let other = App::start().await;
    let last = after.join("users.jsonl");
    said(&backup(&other, &["restore", "--erased", last.to_str().unwrap()], &before).await);
    assert_eq!(other.login("alice@example.com", PASSWORD).await.code(), "invalid_credentials");
    assert_eq!(other.sign_in("bob@example.com").await.id, bob.id);
    let dump = other.dump().await;
    let (left, note) = (dump.matches(&alice.id).count(), format!("ERASED#{}", alice.id));
    assert!(
        left == 2 && dump.contains(&note) && !dump.contains("alice@"),
        "the note, and what bob says of her: {dump}"
    );

    // The stack that took her erasure over tells the next one of it.
    let later = folder("later");
    said(&backup(&other, &["export"], &later).await);
    let third = App::start().await;
    let last = later.join("users.jsonl");
    said(&backup(&third, &["restore", "--erased", last.to_str().unwrap()], &before).await);
    assert_eq!(third.login("alice@example.com", PASSWORD).await.code(), "invalid_credentials");
}

#[tokio::test]
async fn who_was_erased_while_the_backup_was_written_stays_erased() {
    let folder = folder("meanwhile");
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let attempt =
        json!({ "question_id": 1, "language": "rust", "submitted_code": "//", "passed_tests": 1, "total_tests": 1 });
    app.post_as(&alice, "/api/v1/attempts/", attempt).await;
    said(&backup(&app, &["export"], &folder).await);
    let attempts = fs::read_to_string(folder.join("attempts.jsonl")).unwrap();
    assert_eq!(app.delete_as(&alice, "/api/v1/users/me").await.status, StatusCode::OK);
    app.all_letters().await;
    app.advance(200).await;
    said(&backup(&app, &["export"], &folder).await);
    fs::write(folder.join("attempts.jsonl"), &attempts).unwrap();
    assert!(attempts.contains(&alice.id), "attempts were read before the erasure, users after it");

    let other = App::start().await;
    said(&backup(&other, &["restore"], &folder).await);
    assert_eq!(other.scan("AttemptsTable").await["Items"], json!([]));
}

#[tokio::test]
async fn who_never_verified_is_erased_seven_days_after_registering_also_in_another_stack() {
    let folder = folder("unverified");
    let app = App::start().await;
    app.member("alice@example.com").await;
    app.register("never@example.com").await;
    app.advance(3 * 86_400).await;
    app.all_letters().await;
    said(&backup(&app, &["export"], &folder).await);

    let other = App::start().await;
    other.member("bob@example.com").await;
    other.advance(6 * 86_400).await;
    other.all_letters().await;
    said(&backup(&other, &["restore"], &folder).await);
    other.all_letters().await;
    assert_eq!(other.login("never@example.com", PASSWORD).await.code(), "email_not_verified");
    other.advance(4 * 86_400).await;
    other.all_letters().await;
    other.advance(61).await;
    assert_eq!(other.login("never@example.com", PASSWORD).await.code(), "invalid_credentials");
    assert_eq!(other.sign_in("alice@example.com").await.email, "alice@example.com");
}

#[tokio::test]
async fn an_erasure_under_way_goes_on_after_a_restore() {
    let folder = folder("erasing");
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let attempt =
        json!({ "question_id": 1, "language": "rust", "submitted_code": "//", "passed_tests": 1, "total_tests": 1 });
    app.post_as(&alice, "/api/v1/attempts/", attempt).await;
    app.fault(json!({ "service": "dynamodb", "operation": "Query", "table": "AttemptsTable", "kind": "error", "count": 1_000_000 }))
        .await;
    assert_eq!(app.delete_as(&alice, "/api/v1/users/me").await.status, StatusCode::OK);
    said(&backup(&app, &["export"], &folder).await);
    let attempts = fs::read_to_string(folder.join("attempts.jsonl")).unwrap();
    assert!(attempts.contains(&alice.id), "the backup holds what is still to go");

    let other = App::start().await;
    said(&backup(&other, &["restore"], &folder).await);
    other.all_letters().await;
    other.advance(61).await;
    let left = other.scan("AttemptsTable").await;
    assert_eq!(left["Items"], json!([]), "{left}");
}

#[tokio::test]
async fn a_damaged_file_is_told_by_its_line() {
    let folder = folder("damaged");
    let app = App::start().await;
    app.member("alice@example.com").await;
    said(&backup(&app, &["export"], &folder).await);
    let path = folder.join("users.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let count = text.lines().count();
    fs::write(&path, text + "{\"Item\": {\"pk\"\n").unwrap();
    let output = backup(&App::start().await, &["restore"], &folder).await;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains(&format!("users.jsonl, line {}: ", count + 1)), "{told}");
}

#[tokio::test]
async fn files_of_mixed_tables_are_refused_before_anything_is_written() {
    let folder = folder("mixed");
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let attempt =
        json!({ "question_id": 1, "language": "rust", "submitted_code": "//", "passed_tests": 1, "total_tests": 1 });
    app.post_as(&alice, "/api/v1/attempts/", attempt).await;
    app.all_letters().await;
    said(&backup(&app, &["export"], &folder).await);
    let other = App::start().await;
    let before = other.dump().await;
    let (users, attempts) = (folder.join("users.jsonl"), folder.join("attempts.jsonl"));
    let [of_users, of_attempts] = [&users, &attempts].map(|path| fs::read_to_string(path).unwrap());
    for (path, whole, foreign) in [
        (&users, &of_users, &of_attempts),
        (&attempts, &of_attempts, &of_users),
        (&folder.join("audit.jsonl"), &String::new(), &of_users),
    ] {
        fs::write(path, format!("{whole}{foreign}")).unwrap();
        let output = backup(&other, &["restore"], &folder).await;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains("of another table"), "{told}");
        assert_eq!(other.dump().await, before);
        fs::write(path, whole).unwrap();
    }
    said(&backup(&other, &["restore"], &folder).await);
    assert_eq!(other.sign_in("alice@example.com").await.id, alice.id);
}
