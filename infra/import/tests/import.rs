//! An import as an operator meets it: a file, the command, and people who sign in afterwards.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use argon2::{Algorithm, Argon2, Params, Version, password_hash::PasswordHasher};
use chrono::{DateTime, TimeDelta, Utc};
use local::{Data, Options, Stack};
use reqwest::Client;
use serde_json::{Value, json};

const PASSWORD: &str = "correct-horse-battery";

struct Imported {
    stdout: String,
    stderr: String,
    code: Option<i32>,
}

async fn stack() -> Stack {
    let settings = BTreeMap::from([("LOG_LEVEL".to_owned(), "off".to_owned())]);
    Stack::start(Options { port: 0, aws_port: 0, data: Data::Memory, settings }).await.unwrap()
}

async fn import(stack: &Stack, file: PathBuf) -> Imported {
    let endpoint = format!("http://{}", stack.aws_address);
    let run = move || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_import"));
        command.arg(file).env("USERS_TABLE", "UsersTable").env("AWS_REGION", "eu-central-1");
        command
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("AWS_ACCESS_KEY_ID", "local")
            .env("AWS_SECRET_ACCESS_KEY", "local");
        command.output().unwrap()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Imported { stdout: text(output.stdout), stderr: text(output.stderr), code: output.status.code() }
}

fn file(name: &str, lines: &[String]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.jsonl", uuid::Uuid::new_v4()));
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    path
}

async fn login(stack: &Stack, email: &str, password: &str) -> (u16, Value) {
    let body = json!({ "email": email, "password": password });
    let answer = Client::new().post(format!("http://{}/auth/login", stack.address)).json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Moves the service's clock, and answers with what it says then.
async fn advance(stack: &Stack, seconds: u32) -> DateTime<Utc> {
    let clock = Client::new().post(format!("http://{}/_local/clock", stack.address));
    let moved = clock.json(&json!({ "advance_seconds": seconds })).send().await.unwrap();
    let moved: Value = moved.json().await.unwrap();
    moved["now"].as_str().unwrap().parse().unwrap()
}

async fn dynamodb(stack: &Stack, operation: &str, body: Value) -> Value {
    let request = Client::new().post(format!("http://{}", stack.aws_address));
    let request = request.header("content-type", "application/x-amz-json-1.0");
    let request = request.header("x-amz-target", format!("DynamoDB_20120810.{operation}"));
    request.body(body.to_string()).send().await.unwrap().json().await.unwrap()
}

/// The hash that the table holds for an address.
async fn stored_hash(stack: &Stack, email: &str) -> String {
    let table = dynamodb(stack, "Scan", json!({ "TableName": "UsersTable" })).await;
    let items = table["Items"].as_array().unwrap();
    let account = items.iter().find(|item| item["email"]["S"] == email).unwrap();
    account["hash"]["S"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_who_were_brought_in_sign_in_and_outdated_hashes_are_replaced() {
    let stack = stack().await;
    let bcrypt = bcrypt::hash(PASSWORD, 4).unwrap();
    let params = Params::new(8192, 1, 1, None).unwrap();
    let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(PASSWORD.as_bytes())
        .unwrap()
        .to_string();
    let own = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19_456, 2, 1, None).unwrap());
    let own = own.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    let line = |email: &str, hash: &str| {
        json!({ "email": email, "is_verified": true, "password_hash": hash, "created_at": "2020-05-01T10:00:00Z" })
            .to_string()
    };
    let lines = [
        json!({ "email": "Root@Example.com", "name": "Root", "username": "root", "role": "ADMIN", "is_verified": true,
                "password_hash": bcrypt, "created_at": "2019-01-02T03:04:05.678Z" })
        .to_string(),
        line("weak@example.com", &weak),
        line("own@example.com", &own),
        json!({ "email": "pending@example.com", "password_hash": own }).to_string(),
        json!({ "email": "nohash@example.com", "is_verified": true }).to_string(),
        String::new(),
        "{".to_owned(),
        json!({ "email": "root@example.com" }).to_string(),
        json!({ "email": "other@example.com", "username": "ROOT" }).to_string(),
        json!({ "email": "nobody", "password_hash": own }).to_string(),
        line("md5@example.com", "5f4dcc3b5aa765d61d8327deb882cf99"),
        line(
            "costly@example.com",
            "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ),
    ];
    let imported = import(&stack, file("people", &lines)).await;
    assert_eq!(
        (imported.code, imported.stdout.trim()),
        (Some(2), "5 made, 0 there already, 6 refused"),
        "{}",
        imported.stderr
    );
    for line in [
        "line 7: it",
        "line 8: email",
        "line 9: username",
        "line 10: email",
        "line 11: password_hash",
        "line 12: password_hash",
    ] {
        assert!(imported.stderr.contains(line), "{line} in {}", imported.stderr);
    }

    let (status, root) = login(&stack, "ROOT", PASSWORD).await;
    assert_eq!((status, &root["user"]["role"], &root["user"]["name"]), (200, &json!("ADMIN"), &json!("Root")));
    assert_eq!(root["user"]["created_at"], "2019-01-02T03:04:05.678Z");
    for email in ["weak@example.com", "own@example.com"] {
        assert_eq!(login(&stack, email, "wrong-password").await.0, 401);
        assert_eq!(login(&stack, email, PASSWORD).await.0, 200, "{email}");
    }
    for (email, before) in [("root@example.com", &bcrypt), ("weak@example.com", &weak)] {
        let now = stored_hash(&stack, email).await;
        assert!(&now != before && now.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{now}");
        assert_eq!(login(&stack, email, PASSWORD).await.0, 200, "{email} with the new hash");
    }
    assert_eq!(stored_hash(&stack, "own@example.com").await, own, "today's parameters stay");
    assert_eq!(login(&stack, "pending@example.com", PASSWORD).await.1["code"], "email_not_verified");
    assert_eq!(login(&stack, "nohash@example.com", PASSWORD).await.0, 401);
    let pages = directory(&stack, &root).await;
    assert_eq!(pages.iter().sum::<usize>(), 5, "the directory goes back to the oldest");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_the_directory_goes_through_three_years_at_the_most() {
    let stack = stack().await;
    let hash = bcrypt::hash(PASSWORD, 4).unwrap();
    let now = advance(&stack, 60).await;
    let lines = (0..80).map(|number| {
        let role = if number == 0 { "ADMIN" } else { "USER" };
        json!({ "email": format!("p{number}@example.com"), "role": role, "is_verified": true, "password_hash": hash,
                "created_at": now - TimeDelta::days(30 * number) })
        .to_string()
    });
    let lines: Vec<_> = lines.collect();
    assert_eq!(import(&stack, file("years", &lines)).await.stdout.trim(), "80 made, 0 there already, 0 refused");
    let (_, root) = login(&stack, "p0@example.com", PASSWORD).await;
    let pages = directory(&stack, &root).await;
    assert_eq!(pages.iter().sum::<usize>(), 80);
    assert!(pages.len() == 3 && pages[0] < 40, "{pages:?}");
}

/// How many accounts each page of the admins' list has.
async fn directory(stack: &Stack, root: &Value) -> Vec<usize> {
    let (mut pages, mut next) = (Vec::new(), "/api/v1/users?limit=200".to_owned());
    loop {
        let page = Client::new().get(format!("http://{}{next}", stack.address));
        let page = page.bearer_auth(root["access_token"].as_str().unwrap()).send().await.unwrap();
        let link = page.headers().get("link").and_then(|link| link.to_str().ok()).map(str::to_owned);
        pages.push(page.json::<Value>().await.unwrap().as_array().unwrap().len());
        let Some(link) = link else { return pages };
        next = link.trim_start_matches('<').split('>').next().unwrap().to_owned();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_stopped_goes_on_and_none_comes_in_twice() {
    let stack = stack().await;
    let line = |number: usize| {
        json!({ "email": format!("p{number}@example.com"), "is_verified": true, "created_at": "2020-05-01T10:00:00Z" })
            .to_string()
    };
    let mut lines: Vec<String> = (0..150).map(line).collect();
    let path = file("resumed", &lines[..120]);
    assert_eq!(import(&stack, path.clone()).await.stdout.trim(), "120 made, 0 there already, 0 refused");
    // The note of a run that was killed is behind what it had brought in.
    fs::write(path.with_extension("jsonl.progress"), "100\n").unwrap();
    lines.push(line(0));
    fs::write(&path, lines.join("\n")).unwrap();
    let resumed = import(&stack, path.clone()).await;
    assert_eq!(resumed.stdout.trim(), "30 made, 21 there already, 0 refused", "{}", resumed.stderr);
    assert_eq!(import(&stack, path).await.stdout.trim(), "0 made, 0 there already, 0 refused");
    let unreachable = file("unreachable", &[line(1)]);
    let output = Command::new(env!("CARGO_BIN_EXE_import"))
        .arg(&unreachable)
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .env("USERS_TABLE", "UsersTable")
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "a")
        .env("AWS_SECRET_ACCESS_KEY", "b")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("Run it again to go on"));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_not_verified_has_seven_days_and_a_thousand_of_one_moment_make_no_difference() {
    let stack = stack().await;
    let hash = bcrypt::hash(PASSWORD, 4).unwrap();
    let of_one_moment = advance(&stack, 0).await;
    let later = of_one_moment + TimeDelta::seconds(30);
    advance(&stack, 60).await;
    let people = (0..1_200).map(|number| {
        json!({ "email": format!("p{number}@example.com"), "is_verified": true, "created_at": of_one_moment })
            .to_string()
    });
    let pending = json!({ "email": "pending@example.com", "password_hash": hash, "created_at": later }).to_string();
    let lines: Vec<_> = people.chain([pending]).collect();
    assert_eq!(import(&stack, file("moment", &lines)).await.stdout.trim(), "1201 made, 0 there already, 0 refused");
    // One that cannot be read is looked at again each minute, and keeps nobody waiting.
    let first = json!({
        "TableName": "UsersTable", "IndexName": "accounts", "Limit": 1, "KeyConditionExpression": "#month = :month",
        "ExpressionAttributeNames": { "#month": "made_in" },
        "ExpressionAttributeValues": { ":month": { "S": of_one_moment.format("%Y-%m").to_string() } },
    });
    let first = dynamodb(&stack, "Query", first).await["Items"][0].take();
    let damage = json!({
        "TableName": "UsersTable", "Key": { "pk": first["pk"], "sk": first["sk"] },
        "UpdateExpression": "SET verified = :text", "ExpressionAttributeValues": { ":text": { "S": "perhaps" } },
    });
    dynamodb(&stack, "UpdateItem", damage).await;

    advance(&stack, 7 * 86_400 - 90).await;
    assert_eq!(login(&stack, "pending@example.com", PASSWORD).await.1["code"], "email_not_verified");
    for _ in 0..5 {
        advance(&stack, 60).await;
    }
    assert_eq!(login(&stack, "pending@example.com", PASSWORD).await.1["code"], "invalid_credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_throttles_a_line_that_is_no_text_and_an_address_that_is_free_again_end_no_import() {
    let stack = stack().await;
    let freed = json!({
        "pk": { "S": "EMAIL#freed@example.com" }, "sk": { "S": "CLAIM" },
        "uid": { "S": uuid::Uuid::new_v4().to_string() }, "held_until": { "N": "0" },
    });
    dynamodb(&stack, "PutItem", json!({ "TableName": "UsersTable", "Item": freed })).await;
    let throttle = json!({
        "service": "dynamodb", "operation": "TransactWriteItems", "kind": "cancel_throttled", "count": 40,
    });
    let faults = Client::new().post(format!("http://{}/_local/faults", stack.address)).json(&throttle);
    assert_eq!(faults.send().await.unwrap().status(), 204);
    let path = file("throttled", &[]);
    let lines: [&[u8]; 3] = [
        br#"{"email":"first@example.com","is_verified":true}"#,
        b"{\"email\":\"second@example.com\",\"name\":\"Jos\xe9\"}",
        br#"{"email":"freed@example.com","is_verified":true}"#,
    ];
    fs::write(&path, lines.join(&b"\n"[..])).unwrap();
    let imported = import(&stack, path).await;
    assert_eq!(imported.stdout.trim(), "2 made, 0 there already, 1 refused", "{}", imported.stderr);
    assert!(imported.stderr.contains("line 2: it is not UTF-8"), "{}", imported.stderr);
}
