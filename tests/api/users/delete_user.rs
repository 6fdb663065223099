use std::time::Instant;

use reqwest::StatusCode;
use serde_json::json;
use tests::client::{App, PASSWORD};

const SECRET: &str = "xylophone";

#[tokio::test]
async fn deleting_ends_the_account_at_once_and_frees_address_and_username() {
    for path in ["/api/v1/users/me", "/users/me", "/api/v1/users/users/me", "own"] {
        let app = App::start().await;
        let alice = app.member("alice@example.com").await;
        app.patch_as(&alice, "/users/me", json!({ "username": "alice" })).await;
        let other = app.sign_in("alice@example.com").await;
        let path = if path == "own" { format!("/api/v1/users/{}", alice.id) } else { path.to_owned() };
        let deleted = app.delete_as(&alice, &path).await;
        assert_eq!(deleted.status, StatusCode::OK, "{}", deleted.text);
        assert_eq!(deleted.json(), json!({ "message": "Account deleted successfully." }));
        for member in [&alice, &other] {
            assert_eq!(app.get_as(member, "/users/me").await.code(), "session_ended");
            let refreshed = app.post("/auth/refresh", json!({ "refresh_token": member.refresh_token })).await;
            assert_eq!(refreshed.code(), "invalid_refresh_token");
        }
        assert_eq!(app.delete_as(&alice, &path).await.code(), "session_ended");
        assert_eq!(app.login("alice@example.com", PASSWORD).await.code(), "invalid_credentials");
        let letters = app.letters("alice@example.com").await;
        assert_eq!(letters.iter().filter(|letter| letter.subject.contains("was deleted")).count(), 1);
        let body = json!({ "email": "alice@example.com", "username": "alice", "password": PASSWORD });
        assert_eq!(app.post("/auth/register", body).await.status, StatusCode::CREATED, "both are free");
    }
}

#[tokio::test]
async fn nothing_personal_is_left_in_any_table() {
    let (app, root) = App::with_admin(&[]).await;
    let email = format!("{SECRET}@example.com");
    let bob = app.member("bob@example.com").await;
    app.post_as(&bob, "/api/v1/attempts/", attempt(1)).await;
    let alice = app.member(&email).await;
    let profile =
        json!({ "username": SECRET, "name": SECRET, "bio": SECRET, "current_title": SECRET, "location": SECRET });
    assert_eq!(app.patch_as(&alice, "/users/me", profile).await.status, StatusCode::OK);
    app.patch_as(&alice, "/api/v1/users/me/profile", json!({ "skills": [SECRET] })).await;
    app.patch_as(&alice, "/api/v1/users/me/preferences", json!({ "custom_settings": { "a": SECRET } })).await;
    app.patch_as(&root, &format!("/api/v1/users/{}", alice.id), json!({ "subscription_tier": "premium" })).await;
    for question in 0..30 {
        assert_eq!(app.post_as(&alice, "/api/v1/attempts/", attempt(question % 7)).await.status, StatusCode::CREATED);
    }
    app.letters(&email).await;
    let before = app.dump().await;
    assert!(before.contains(SECRET) && before.contains(&alice.id));

    assert_eq!(app.delete_as(&alice, "/users/me").await.status, StatusCode::OK);
    app.letters(&email).await;
    app.advance(151).await;
    let after = app.dump().await;
    assert!(!after.contains(SECRET), "{after}");
    let users = app.scan("UsersTable").await.to_string() + &app.scan("AttemptsTable").await.to_string();
    let rest = users.matches(&alice.id).count();
    assert_eq!(rest, 1, "no more than the note that the erasure is complete: {users}");
    assert!(users.contains(&format!("ERASED#{}", alice.id)));
    assert!(app.get_as(&bob, "/api/v1/attempts/me/summary").await.json()["total_attempts"] == 1, "others keep theirs");
}

fn attempt(question: u64) -> serde_json::Value {
    let code = format!("print('{SECRET} {question}')");
    json!({ "question_id": question, "language": "python", "submitted_code": code, "passed_tests": 1, "total_tests": 1 })
}

/// Attempts of someone who is erased, and how many of them are to go in a second.
const MANY: u32 = 100_000;
const PER_SECOND: u64 = 500;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_attempts_go_at_five_hundred_a_second_and_leave_no_trace() {
    let app = App::start().await;
    let alice = app.member(&format!("{SECRET}@example.com")).await;
    app.load_attempts(&alice, MANY);
    // The local engine takes longer for each record the longer a stream has become, which DynamoDB does not.
    let unrecorded = json!({ "TableName": "AttemptsTable", "StreamSpecification": { "StreamEnabled": false } });
    app.dynamodb("UpdateTable", unrecorded).await;
    let summary = app.get_as(&alice, "/api/v1/attempts/me/summary").await.json();
    assert_eq!(summary["total_attempts"], MANY);
    app.patch_as(&alice, "/users/me", json!({ "name": SECRET })).await;
    let began = Instant::now();
    assert_eq!(app.delete_as(&alice, "/users/me").await.status, StatusCode::OK);
    assert_eq!(app.get_as(&alice, "/users/me").await.code(), "session_ended", "at once");
    let left = async || app.dynamodb("Scan", json!({ "TableName": "AttemptsTable", "Limit": 1 })).await["Count"] != 0;
    while left().await {
        app.invoke("janitor", json!({ "source": "aws.events", "detail-type": "Scheduled Event" })).await;
    }
    let seconds = began.elapsed().as_secs();
    assert!(seconds * PER_SECOND <= u64::from(MANY), "it took {seconds} s");
    app.advance(151).await;
    let dump = app.dump().await;
    assert!(!dump.contains(SECRET) && dump.contains(&format!("ERASED#{}", alice.id)), "{dump}");
    assert_eq!(dump.matches(&format!("USER#{}", alice.id)).count(), 0, "{dump}");
}

#[tokio::test]
async fn a_session_that_ends_meanwhile_deletes_nothing() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    // The deletion is held up, since the account is in the middle of another transaction.
    let held_up = json!({ "service": "dynamodb", "operation": "TransactWriteItems", "kind": "conflict", "count": 3 });
    app.fault(held_up).await;
    let (deleted, ended) =
        tokio::join!(app.delete_as(&alice, "/users/me"), app.post_as(&alice, "/api/v1/auth/logout-all", json!({})));
    assert_eq!((ended.status, deleted.code().as_str()), (StatusCode::OK, "session_ended"), "{}", deleted.text);
    assert_eq!(app.login("alice@example.com", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_damaged_note_of_an_erasure_keeps_no_other_waiting() {
    let app = App::start().await;
    let damaged = json!({ "pk": { "S": "ERASE" }, "sk": { "S": "00000000-0000-4000-8000-000000000000" } });
    app.dynamodb("PutItem", json!({ "TableName": "UsersTable", "Item": damaged })).await;
    let alice = app.member("alice@example.com").await;
    assert_eq!(app.delete_as(&alice, "/users/me").await.status, StatusCode::OK);
    app.letters("alice@example.com").await;
    app.advance(151).await;
    let dump = app.dump().await;
    assert!(dump.contains(&format!("ERASED#{}", alice.id)), "{dump}");
}

#[tokio::test]
async fn an_erasure_goes_on_where_it_stopped() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    for question in 0..5 {
        app.post_as(&alice, "/api/v1/attempts/", attempt(question)).await;
    }
    app.letters("alice@example.com").await;
    // Every delete fails for a while, as if the function died again and again.
    app.fault(json!({ "service": "dynamodb", "operation": "BatchWriteItem", "kind": "error", "count": 40 })).await;
    assert_eq!(app.delete_as(&alice, "/users/me").await.status, StatusCode::OK);
    assert_eq!(app.get_as(&alice, "/users/me").await.code(), "session_ended");
    // A go that failed is not made again before the next minute.
    for _ in 0..12 {
        app.advance(151).await;
    }
    let dump = app.dump().await;
    assert!(!dump.contains("alice") && dump.contains(&format!("ERASED#{}", alice.id)), "{dump}");
}

#[tokio::test]
async fn an_admin_deletes_anyone_and_a_member_only_themselves() {
    let (app, root) = App::with_admin(&[]).await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    let path = format!("/api/v1/users/{}", bob.id);
    assert_eq!(app.delete_as(&alice, &path).await.code(), "forbidden");
    assert_eq!(app.delete_as(&root, &path).await.status, StatusCode::OK);
    assert_eq!(app.get_as(&bob, "/users/me").await.code(), "session_ended");
    assert_eq!(app.delete_as(&root, &path).await.code(), "not_found");
    let trail = app.get_as(&root, &format!("/api/v1/admin/audit?target={}", bob.id)).await.json();
    assert_eq!(trail[0]["action"], "user_deleted");
}

#[tokio::test]
async fn someone_unverified_may_go_and_goes_by_themselves_after_seven_days() {
    let app = App::start().await;
    let eve = app.register("eve@example.com").await;
    assert_eq!(app.delete_as(&eve, "/users/me").await.status, StatusCode::OK);
    assert_eq!(app.letters("eve@example.com").await.len(), 1, "no farewell to an address that nobody proved");

    app.register("idle@example.com").await;
    app.member("busy@example.com").await;
    app.advance(7 * 86400 - 60).await;
    assert!(app.dump().await.contains("EMAIL#idle@example.com"));
    app.advance(120).await;
    let dump = app.dump().await;
    assert!(!dump.contains("EMAIL#idle@example.com") && dump.contains("EMAIL#busy@example.com"));
    assert_eq!(
        app.post("/auth/register", json!({ "email": "idle@example.com", "password": PASSWORD })).await.status,
        StatusCode::CREATED
    );
}

#[tokio::test]
async fn someone_whom_an_admin_unverified_is_not_taken_for_someone_who_never_did() {
    let (app, root) = App::with_admin(&[]).await;
    let bob = app.member("bob@example.com").await;
    app.advance(7 * 86400 - 3600).await;
    let root = {
        app.get_as(&root, "/users/me").await;
        app.sign_in("root@example.com").await
    };
    app.patch_as(&root, &format!("/api/v1/users/{}", bob.id), json!({ "is_verified": false })).await;
    app.advance(2 * 3600).await;
    assert!(app.dump().await.contains("EMAIL#bob@example.com"));
}

#[tokio::test]
async fn an_admins_edit_keeps_nobody_who_never_verified() {
    let (app, root) = App::with_admin(&[]).await;
    let idle = app.register("idle@example.com").await;
    let bob = app.member("bob@example.com").await;
    for (id, edit) in [(idle.id, json!({ "full_name": "Idle" })), (bob.id, json!({ "is_verified": false }))] {
        let edited = app.patch_as(&root, &format!("/api/v1/users/{id}"), edit).await;
        assert_eq!(edited.status, StatusCode::OK, "{}", edited.text);
    }
    app.advance(7 * 86400 + 60).await;
    let dump = app.dump().await;
    assert!(!dump.contains("EMAIL#idle@example.com") && dump.contains("EMAIL#bob@example.com"));
}

#[tokio::test]
async fn where_nobody_has_to_verify_nobody_goes_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let app = App::in_folder(folder.path(), &[("REQUIRE_VERIFIED_EMAIL", "false")]).await;
    app.register("idle@example.com").await;
    app.advance(6 * 86400).await;
    app.register("late@example.com").await;
    app.advance(2 * 86400).await;
    assert!(app.dump().await.contains("EMAIL#idle@example.com"));
    drop(app);

    let strict = App::in_folder(folder.path(), &[]).await;
    strict.register("new@example.com").await;
    strict.advance(7 * 86400 + 60).await;
    let dump = strict.dump().await;
    assert!(dump.contains("EMAIL#idle@example.com") && dump.contains("EMAIL#late@example.com"), "{dump}");
    assert!(!dump.contains("EMAIL#new@example.com"));
}

#[tokio::test]
async fn one_who_cannot_be_ended_keeps_nobody_else_from_it() {
    let app = App::start().await;
    let stuck = app.register("stuck@example.com").await;
    app.register("idle@example.com").await;
    let account = json!({ "pk": { "S": format!("USER#{}", stuck.id) }, "sk": { "S": "ACCOUNT" } });
    let with_role = |role: &str| {
        json!({
            "TableName": "UsersTable", "Key": account, "UpdateExpression": "SET #role = :role",
            "ExpressionAttributeNames": { "#role": "role" }, "ExpressionAttributeValues": { ":role": { "S": role } },
        })
    };
    app.dynamodb("UpdateItem", with_role("NOBODY")).await;
    app.advance(7 * 86400 + 60).await;
    let dump = app.dump().await;
    assert!(!dump.contains("EMAIL#idle@example.com") && dump.contains("EMAIL#stuck@example.com"), "{dump}");
    app.dynamodb("UpdateItem", with_role("USER")).await;
    app.register("busy@example.com").await;
    app.advance(60).await;
    let dump = app.dump().await;
    assert!(!dump.contains("EMAIL#stuck@example.com") && dump.contains("EMAIL#busy@example.com"), "{dump}");
}

#[tokio::test]
async fn code_that_no_attempt_came_to_refer_to_goes() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    app.post_as(&alice, "/api/v1/attempts/", attempt(1)).await;
    // The function dies between storing the code and counting the attempt.
    app.fault(json!({ "service": "dynamodb", "operation": "TransactWriteItems", "table": "AttemptsTable", "kind": "error", "count": 4 })).await;
    assert!(app.post_as(&alice, "/api/v1/attempts/", attempt(1)).await.status.is_server_error());
    let codes = async || app.scan("AttemptsTable").await.to_string().matches("\"CODE\"").count();
    assert_eq!(codes().await, 2);
    app.advance(86400 + 60).await;
    assert_eq!(codes().await, 1, "the attempt that counts keeps its code");
}

#[tokio::test]
async fn no_code_is_stored_without_the_row_that_leads_to_it() {
    for (operation, kind) in [("PutItem", "error"), ("BatchWriteItem", "error"), ("BatchWriteItem", "lost")] {
        let app = App::start().await;
        let alice = app.member("alice@example.com").await;
        app.fault(json!({ "service": "dynamodb", "operation": operation, "table": "AttemptsTable", "kind": kind, "count": 4 }))
            .await;
        app.post_as(&alice, "/api/v1/attempts/", attempt(1)).await;
        let table = app.scan("AttemptsTable").await;
        let items = table["Items"].as_array().unwrap();
        let keys = |prefix: &str, name: &str| -> Vec<String> {
            let key = |item: &serde_json::Value| {
                item[name]["S"].as_str().and_then(|key| key.strip_prefix(prefix)).map(str::to_owned)
            };
            items.iter().filter_map(key).collect()
        };
        let (codes, pending) = (keys("ATTEMPT#", "pk"), keys("PENDING#", "sk"));
        assert!(codes.iter().all(|id| pending.contains(id)), "{operation} {kind}: {codes:?} {pending:?}");
    }
}
