//! Every route, as everyone: who may do what is the table of `docs/access.md`, and this test holds the service against it.

use std::{collections::BTreeMap, fs};

use data_encoding::BASE64;
use futures_util::{StreamExt, stream};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tests::{
    client::{App, Member, PASSWORD},
    derived::root,
};

/// Who calls, in the order of the table's columns.
const CALLERS: [&str; 8] =
    ["anonymous", "unverified", "member", "premium", "other", "premium other", "disabled", "admin"];

/// An operation, with every method and path that it answers on, and the event that shows how it is called.
struct Operation {
    group: String,
    id: String,
    paths: Vec<(Method, String)>,
    event: Value,
    /// Whether it asks who calls.
    personal: bool,
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut own: BTreeMap<(String, String), Operation> = BTreeMap::new();
    let mut aliases = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
            let called = (method.to_uppercase().parse().unwrap(), path.clone());
            if let Some(same) =
                text("description").strip_prefix("The same as `").and_then(|rest| rest.strip_suffix("`."))
            {
                aliases.push((if method == "patch" { "put" } else { method }.to_owned(), same.to_owned(), called));
                continue;
            }
            let (group, id) = (operation["tags"][0].as_str().unwrap().to_owned(), text("operationId"));
            let event = fs::read_to_string(root().join(format!("events/{group}/{id}.json"))).unwrap();
            let event = serde_json::from_str(&event).unwrap();
            let personal = operation["security"].is_array();
            own.insert((method.clone(), path.clone()), Operation { group, id, paths: vec![called], event, personal });
        }
    }
    for (method, same, called) in aliases {
        own.get_mut(&(method, same)).unwrap().paths.push(called);
    }
    let mut operations: Vec<_> = own.into_values().collect();
    let order = ["auth", "users", "avatars", "attempts", "system"];
    operations.sort_by_key(|one| {
        (order.iter().position(|group| *group == one.group), one.paths[0].1.clone(), one.id.clone())
    });
    operations
}

/// Someone new, of whom the admin makes what the column says.
async fn caller(app: &App, admin: &Member, kind: &str, number: usize) -> Option<Member> {
    if kind == "anonymous" {
        return None;
    }
    let member = app.register(&format!("{}{number}@example.com", kind.replace(' ', "."))).await;
    let decisions = match kind {
        "unverified" => return Some(member),
        "premium" | "premium other" => json!({ "is_verified": true, "subscription_tier": "premium" }),
        "disabled" => json!({ "is_verified": true, "is_active": false }),
        "admin" => json!({ "is_verified": true, "role": "ADMIN" }),
        _ => json!({ "is_verified": true }),
    };
    let made = app.patch_as(admin, &format!("/api/v1/users/{}", member.id), decisions).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    Some(member)
}

/// Whose id stands in the path: one's own, or, of those who are to show what they may do with others, another's.
async fn fill_in(app: &App, path: &str, subject: Option<&Member>) -> String {
    let Some(subject) = subject.filter(|_| path.contains('{')) else {
        return path.replace("{id}", NOBODY).replace("{session_id}", NOBODY).replace("{attempt_id}", NOBODY);
    };
    let mut path = path.replace("{id}", &subject.id);
    if path.contains("{session_id}") {
        let sessions = app.get_as(subject, "/api/v1/auth/sessions").await.json();
        path = path.replace("{session_id}", sessions[0]["id"].as_str().unwrap_or(NOBODY));
    }
    if path.contains("{attempt_id}") {
        let body =
            json!({ "question_id": 1, "language": "rust", "submitted_code": "x", "passed_tests": 1, "total_tests": 1 });
        let attempt = app.post_as(subject, "/api/v1/attempts/", body).await.json();
        path = path.replace("{attempt_id}", attempt["id"].as_str().unwrap_or(NOBODY));
    }
    path
}

/// Whether a path names what is one person's.
fn names_someone(path: &str) -> bool {
    ["{id}", "{session_id}", "{attempt_id}"].iter().any(|name| path.contains(name))
}

const NOBODY: &str = "01980000-0000-7000-8000-000000000000";

async fn call(
    app: &App,
    admin: &Member,
    operation: &Operation,
    path: &(Method, String),
    kind: &str,
    number: usize,
) -> u16 {
    let caller = caller(app, admin, kind, number).await;
    let names_someone = names_someone(&path.1);
    let other = match kind {
        "other" | "premium other" | "admin" if names_someone => self::caller(app, admin, "subject", number).await,
        _ => None,
    };
    let filled = fill_in(app, &path.1, other.as_ref().or(caller.as_ref())).await;
    let query = operation.event["rawQueryString"].as_str().unwrap_or_default();
    let mut request = app.request(path.0.clone(), &format!("{filled}?{query}"));
    let headers = &operation.event["headers"];
    for name in [header::CONTENT_TYPE, header::ACCEPT] {
        if let Some(value) = headers[name.as_str()].as_str() {
            request = request.header(name, value);
        }
    }
    if operation.event["isBase64Encoded"] == true {
        let body = operation.event["body"].as_str().unwrap_or_default();
        request = request.body(BASE64.decode(body.as_bytes()).unwrap());
    } else if let Some(body) = operation.event["body"].as_str() {
        // The event's person is whoever calls.
        let email =
            caller.as_ref().map_or_else(|| format!("nobody{number}@example.com"), |caller| caller.email.clone());
        let refresh_token = caller.as_ref().map_or("rt1_none", |caller| &caller.refresh_token);
        let as_form = |text: &str| text.replace('@', "%40");
        let replacements = [
            ("alice@example.com", email.clone()),
            ("alice%40example.com", as_form(&email)),
            ("alice@example.org", format!("new.{email}")),
            ("carol@example.com", format!("c.{email}")),
            ("SecurePass123!", PASSWORD.to_owned()),
            ("SecurePass123%21", PASSWORD.to_owned()),
            ("paste-a-refresh-token-here", refresh_token.to_owned()),
        ];
        let body = replacements.iter().fold(body.to_owned(), |body, (word, own)| body.replace(word, own));
        request = request.body(body);
    }
    if let Some(caller) = &caller {
        request = request.bearer_auth(&caller.access_token);
    }
    let answer = app.send(request).await;
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{} {policy}", path.1);
    // What is of one person is kept by no cache (ASVS 14.3.2).
    if operation.personal && answer.status.is_success() {
        assert_eq!(answer.header("cache-control"), "no-store", "{} {}", path.0, path.1);
    }
    answer.status.as_u16()
}

/// What a caller is answered, alike on every path of the operation.
async fn cell(app: &App, admin: &Member, operation: &Operation, kind: &str, number: usize) -> String {
    let mut answers = Vec::new();
    for (place, path) in operation.paths.iter().enumerate() {
        if kind.ends_with("other") && !names_someone(&path.1) {
            continue;
        }
        answers.push(call(app, admin, operation, path, kind, number * 10 + place).await);
    }
    answers.dedup();
    match answers.as_slice() {
        [] => "–".to_owned(),
        [one] => one.to_string(),
        several => several.iter().map(ToString::to_string).collect::<Vec<_>>().join(" / "),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_everyone_as_the_table_says() {
    let (app, admin) = App::with_admin(&[]).await;
    let document = app.get("/openapi.json").await.json();
    let operations = operations(&document);
    let cells = operations.iter().enumerate().flat_map(|(row, operation)| {
        CALLERS.iter().enumerate().map(move |(column, kind)| (row * 10 + column, operation, *kind))
    });
    let (app, admin) = (&app, &admin);
    let answered: Vec<String> = stream::iter(cells)
        .map(|(number, operation, kind)| cell(app, admin, operation, kind, number))
        .buffered(4)
        .collect()
        .await;
    let mut table = format!("| operation | {} |\n|{}\n", CALLERS.join(" | "), " --- |".repeat(CALLERS.len() + 1));
    for (operation, answers) in operations.iter().zip(answered.chunks(CALLERS.len())) {
        let (method, path) = &operation.paths[0];
        table += &format!("| {method} `{path}` | {} |\n", answers.join(" | "));
    }
    let page = fs::read_to_string(root().join("docs/access.md")).unwrap();
    let documented =
        page.split("<!-- begin access -->\n").nth(1).and_then(|rest| rest.split("<!-- end access -->").next());
    assert_eq!(documented.unwrap(), table, "docs/access.md says otherwise; what was answered is:\n{table}");
}
