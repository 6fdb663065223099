use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::client::{App, PASSWORD};

#[tokio::test]
async fn put_and_patch_edit_the_caller_on_every_path() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let by_id = format!("/api/v1/users/{}", alice.id);
    let calls = [
        (Method::PUT, "/api/v1/users/me"),
        (Method::PUT, "/users/me"),
        (Method::PATCH, "/api/v1/users/me"),
        (Method::PATCH, "/users/me"),
        (Method::PUT, "/api/v1/users/users/me"),
        (Method::PATCH, "/api/v1/users/users/me"),
        (Method::PATCH, &by_id),
    ];
    for (number, (method, path)) in calls.into_iter().enumerate() {
        let title = format!("Engineer {number}");
        let body = json!({ "full_name": "Updated Name", "current_title": title, "location": "San Francisco, CA" });
        let answer = app.send(app.request(method, path).bearer_auth(&alice.access_token).json(&body)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let me = app.get_as(&alice, "/api/v1/users/me").await.json();
        assert_eq!(me, answer.json());
        assert_eq!((&me["name"], &me["current_title"]), (&json!("Updated Name"), &json!(title)));
    }
}

#[tokio::test]
async fn absent_is_unchanged_and_null_clears() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let everything = json!({
        "name": "Alice", "username": "alice", "bio": "Two\nlines", "current_title": "Engineer", "experience_years": 7,
        "education_level": "MSc", "current_role_level": "senior", "location": "Zürich", "timezone": "Europe/Zurich",
        "website": "https://alice.example.com", "phone_number": "+41 44 123 45 67",
    });
    let edited = app.patch_as(&alice, "/users/me", everything.clone()).await;
    assert_eq!(edited.status, StatusCode::OK, "{}", edited.text);
    for (field, value) in everything.as_object().unwrap() {
        assert_eq!(&edited.json()[field], value, "{field}");
    }
    let one = app.patch_as(&alice, "/users/me", json!({ "bio": "One line" })).await.json();
    assert_eq!((&one["bio"], &one["location"], &one["name"]), (&json!("One line"), &json!("Zürich"), &json!("Alice")));
    let cleared: Value = everything.as_object().unwrap().keys().map(|field| (field.clone(), Value::Null)).collect();
    let cleared = app.patch_as(&alice, "/users/me", cleared).await;
    assert_eq!(cleared.status, StatusCode::OK, "{}", cleared.text);
    for field in everything.as_object().unwrap().keys() {
        assert_eq!(cleared.json()[field], Value::Null, "{field}");
    }
    assert_eq!(app.login("alice", PASSWORD).await.status, StatusCode::UNAUTHORIZED, "the username is given up");
}

#[tokio::test]
async fn what_is_not_valid_is_named_and_nothing_is_changed() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let cases = [
        ("bio", json!("x".repeat(1001))),
        ("bio", json!("a\u{0}b")),
        ("name", json!("x".repeat(256))),
        ("name", json!("Alice\r\nBcc: eve@example.com")),
        ("username", json!("no spaces")),
        ("experience_years", json!(-1)),
        ("experience_years", json!("7")),
        ("timezone", json!("Mars/Olympus")),
        ("website", json!("javascript:alert(1)")),
        ("phone_number", json!("call me")),
        ("role", json!("ADMIN")),
        ("is_verified", json!(true)),
        ("subscription_tier", json!("premium")),
        ("unlock", json!(true)),
        ("email", json!("eve@example.com")),
        ("id", json!("1")),
        ("avatar_url", json!("https://example.com/a.png")),
        ("old_password", json!(PASSWORD)),
        ("name", json!(7)),
    ];
    let before = app.get_as(&alice, "/users/me").await.json();
    for (field, value) in cases {
        let answer = app.patch_as(&alice, "/users/me", json!({ "location": "Bern", field: value })).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {}", answer.text);
        assert_eq!(answer.refused_fields(), [field]);
    }
    assert_eq!(app.get_as(&alice, "/users/me").await.json(), before);
}

#[tokio::test]
async fn of_a_hundred_thousand_fields_that_are_none_the_first_are_named() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let body: serde_json::Map<_, _> = (0..100_000).map(|number| (format!("f{number}"), json!(1))).collect();
    let answer = app.patch_as(&alice, "/users/me", body.into()).await;
    assert_eq!((answer.status, answer.refused_fields().len()), (StatusCode::UNPROCESSABLE_ENTITY, 20));
}

#[tokio::test]
async fn another_members_id_is_refused() {
    let app = App::start().await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    let answer = app.patch_as(&alice, &format!("/api/v1/users/{}", bob.id), json!({ "name": "Eve" })).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "forbidden"));
    assert_eq!(app.get_as(&bob, "/users/me").await.json()["name"], Value::Null);
}

#[tokio::test]
async fn ten_who_take_one_username_at_once_leave_it_to_one_of_them() {
    let app = App::start().await;
    let people: Vec<_> = join_all((0..10).map(|number| {
        let app = &app;
        async move { app.member(&format!("person{number}@example.com")).await }
    }))
    .await;
    let answers =
        join_all(people.iter().map(|one| app.patch_as(one, "/users/me", json!({ "username": "Champion" })))).await;
    let taken = answers.iter().filter(|answer| answer.code() == "username_taken").count();
    assert_eq!((answers.iter().filter(|answer| answer.status == StatusCode::OK).count(), taken), (1, 9));
    let winner = answers.iter().position(|answer| answer.status == StatusCode::OK).unwrap();
    assert_eq!(app.login("champion", PASSWORD).await.json()["user"]["id"], people[winner].id.as_str());
}

#[tokio::test]
async fn an_edit_that_meets_another_answers_with_the_whole_user() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    app.patch_as(&alice, "/users/me", json!({ "bio": "Hello" })).await;
    let renames = (0..8).map(|number| json!({ "username": format!("mover_{number}") }));
    let answers = join_all(renames.map(|rename| app.patch_as(&alice, "/users/me", rename))).await;
    for answer in answers {
        assert_eq!((answer.status, &answer.json()["bio"]), (StatusCode::OK, &json!("Hello")), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_rename_frees_the_old_username_and_may_change_its_case() {
    let app = App::start().await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    for name in ["First", "FIRST", "second"] {
        let renamed = app.patch_as(&alice, "/users/me", json!({ "username": name })).await;
        assert_eq!((renamed.status, &renamed.json()["username"]), (StatusCode::OK, &json!(name)));
    }
    assert_eq!(app.patch_as(&bob, "/users/me", json!({ "username": "first" })).await.status, StatusCode::OK);
    assert_eq!(app.patch_as(&bob, "/users/me", json!({ "username": "SECOND" })).await.code(), "username_taken");
}

#[tokio::test]
async fn whoever_disables_their_own_account_sets_no_password_with_it() {
    let (app, root) = App::with_admin(&[]).await;
    let body = json!({ "is_active": false, "old_password": PASSWORD, "new_password": "another-horse-battery" });
    assert_eq!(app.patch_as(&root, "/users/me", body).await.refused_fields(), ["new_password"]);
    assert_eq!(app.get_as(&root, "/users/me").await.json()["is_active"], true);
}

#[tokio::test]
async fn a_new_password_needs_the_old_one_through_the_one_door() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let other = app.sign_in("alice@example.com").await;
    let new = "another-horse-battery";
    for _ in 0..2 {
        let wrong = json!({ "name": "Alice", "old_password": "wrong-password", "new_password": new });
        let answer = app.patch_as(&alice, "/users/me", wrong).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "invalid_credentials"));
    }
    assert_eq!(app.get_as(&alice, "/users/me").await.json()["name"], Value::Null, "nothing was changed");
    let right = json!({ "name": "Alice", "old_password": PASSWORD, "new_password": new });
    let answer = app.patch_as(&alice, "/users/me", right).await;
    assert_eq!((answer.status, &answer.json()["name"]), (StatusCode::OK, &json!("Alice")));
    assert_eq!(app.get_as(&other, "/users/me").await.code(), "session_ended", "other sessions end");
    assert_eq!(app.get_as(&alice, "/users/me").await.status, StatusCode::OK);
    assert_eq!(app.login("alice@example.com", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.login("alice@example.com", new).await.status, StatusCode::OK);
    let own_name = json!({ "username": "kilimanjaro", "old_password": new, "new_password": "kilimanjaro" });
    assert_eq!(app.patch_as(&alice, "/users/me", own_name).await.refused_fields(), ["new_password"]);
}

#[tokio::test]
async fn the_third_wrong_old_password_locks_as_at_login() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let wrong = json!({ "old_password": "wrong-password", "new_password": "another-horse-battery" });
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(app.patch_as(&alice, "/users/me", wrong.clone()).await.code());
    }
    assert_eq!(codes, ["invalid_credentials", "invalid_credentials", "invalid_credentials", "account_locked"]);
    assert_eq!(app.login("alice@example.com", PASSWORD).await.code(), "account_locked");
}

#[tokio::test]
async fn an_admin_decides_about_others_and_it_holds_at_once() {
    let (app, root) = App::with_admin(&[]).await;
    let bob = app.member("bob@example.com").await;
    let path = format!("/api/v1/users/{}", bob.id);
    let promoted = app.patch_as(&root, &path, json!({ "role": "ADMIN", "subscription_tier": "premium" })).await;
    assert_eq!((promoted.status, &promoted.json()["role"]), (StatusCode::OK, &json!("ADMIN")));
    assert_eq!(app.get_as(&bob, "/users/is-admin").await.json()["is_admin"], true, "with the token from before");
    let letters = app.letters("bob@example.com").await;
    assert!(letters[0].subject.starts_with("Your role") && letters[0].text.contains("ADMIN"), "{:?}", letters[0]);

    let demoted = app.patch_as(&root, &path, json!({ "role": "USER" })).await;
    assert_eq!(demoted.json()["role"], "USER");
    assert_eq!(app.get_as(&bob, "/api/v1/users").await.code(), "forbidden");

    let unverified = app.patch_as(&root, &path, json!({ "is_verified": false })).await;
    assert_eq!(unverified.json()["is_verified"], false);
    assert_eq!(app.get_as(&bob, "/home/").await.code(), "email_not_verified");
    app.patch_as(&root, &path, json!({ "is_verified": true })).await;
    assert_eq!(app.get_as(&bob, "/home/").await.status, StatusCode::OK);

    let disabled = app.patch_as(&root, &path, json!({ "is_active": false })).await;
    assert_eq!(disabled.json()["is_active"], false);
    for path in ["/home/", "/users/me", "/api/v1/attempts/me", "/api/v1/users/me/stats"] {
        assert_eq!(app.get_as(&bob, path).await.code(), "session_ended", "{path}");
    }
    let refreshed = app.post("/auth/refresh", json!({ "refresh_token": bob.refresh_token })).await;
    assert_eq!(refreshed.code(), "invalid_refresh_token");
    assert_eq!(app.login("bob@example.com", PASSWORD).await.code(), "account_disabled");
    app.patch_as(&root, &path, json!({ "is_active": true })).await;
    assert_eq!(app.login("bob@example.com", PASSWORD).await.status, StatusCode::OK);
    assert_eq!(app.get_as(&bob, "/home/").await.code(), "session_ended", "sessions from before stay ended");
}

#[tokio::test]
async fn an_admin_unlocks_an_account() {
    let (app, root) = App::with_admin(&[]).await;
    let bob = app.member("bob@example.com").await;
    for _ in 0..3 {
        app.login("bob@example.com", "wrong-password").await;
    }
    let path = format!("/api/v1/users/{}", bob.id);
    let locked = app.get_as(&root, &path).await.json();
    assert_eq!(locked["failed_attempts"], 3);
    assert!(locked["locked_until"].is_string());
    let unlocked = app.patch_as(&root, &path, json!({ "unlock": true })).await;
    assert_eq!(unlocked.status, StatusCode::OK, "{}", unlocked.text);
    assert_eq!((&unlocked.json()["failed_attempts"], &unlocked.json()["locked_until"]), (&json!(0), &Value::Null));
    let shown = app.get_as(&root, &path).await.json();
    assert_eq!((&shown["failed_attempts"], &shown["locked_until"]), (&json!(0), &Value::Null));
    assert_eq!(app.login("bob@example.com", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_last_admin_stays_however_they_race() {
    let (app, root) = App::with_admin(&[]).await;
    for body in [json!({ "role": "USER" }), json!({ "is_active": false }), json!({ "is_verified": false })] {
        let answer = app.patch_as(&root, "/api/v1/users/me", body).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, "last_admin"));
    }
    assert_eq!(app.delete_as(&root, "/api/v1/users/me").await.code(), "last_admin");

    let mut admins = vec![root];
    for number in 0..3 {
        let member = app.member(&format!("admin{number}@example.com")).await;
        app.patch_as(&admins[0], &format!("/api/v1/users/{}", member.id), json!({ "role": "ADMIN" })).await;
        admins.push(member);
    }
    let answers =
        join_all(admins.iter().map(|admin| app.patch_as(admin, "/api/v1/users/me", json!({ "role": "USER" })))).await;
    let kept = answers.iter().filter(|answer| answer.code() == "last_admin").count();
    assert_eq!((answers.iter().filter(|answer| answer.status == StatusCode::OK).count(), kept), (3, 1));
}

#[tokio::test]
async fn the_last_admin_stays_also_where_edits_of_one_millisecond_meet_a_deletion() {
    let (app, root) = App::with_admin(&[]).await;
    let bob = app.member("bob@example.com").await;
    app.patch_as(&bob, "/api/v1/users/me/profile", json!({ "profile_visibility": "private" })).await;
    let path = format!("/api/v1/users/{}", bob.id);
    app.stop_clock().await;
    for body in [json!({ "role": "ADMIN" }), json!({ "is_active": false })] {
        assert_eq!(app.patch_as(&root, &path, body).await.status, StatusCode::OK);
    }
    app.hold_up_a_transaction().await;
    let enabling = async {
        app.struck().await;
        app.patch_as(&root, &path, json!({ "is_active": true })).await.status
    };
    let (deleted, enabled) = tokio::join!(app.delete_as(&root, &path), enabling);
    assert_eq!((deleted.status, enabled), (StatusCode::OK, StatusCode::OK), "{}", deleted.text);
    let last = app.patch_as(&root, "/api/v1/users/me", json!({ "role": "USER" })).await;
    assert_eq!((last.status, last.code().as_str()), (StatusCode::CONFLICT, "last_admin"));
}

#[tokio::test]
async fn whoever_is_no_admin_by_the_time_of_the_write_decides_nothing() {
    let (app, root) = App::with_admin(&[("SELF_SERVICE_PLAN", "false")]).await;
    let bob = app.member("bob@example.com").await;
    let sessions = app.get_as(&bob, "/api/v1/auth/sessions").await.json();
    let session = sessions[0]["id"].as_str().unwrap();
    let be = async |role: &str, verified: bool| {
        let account = json!({ "pk": { "S": format!("USER#{}", root.id) }, "sk": { "S": "ACCOUNT" } });
        let update = json!({
            "TableName": "UsersTable", "Key": account, "UpdateExpression": "SET #role = :role, verified = :verified",
            "ExpressionAttributeNames": { "#role": "role" },
            "ExpressionAttributeValues": { ":role": { "S": role }, ":verified": { "BOOL": verified } },
        });
        app.dynamodb("UpdateItem", update).await
    };
    let (of_bob, new) = (format!("/api/v1/users/{}", bob.id), json!({ "email": "carol@example.com" }));
    let of_bobs_session = format!("{of_bob}/sessions/{session}");
    let asked = [
        (Method::PATCH, of_bob.as_str(), json!({ "role": "ADMIN" })),
        (Method::PATCH, "/api/v1/users/me", json!({ "role": "ADMIN", "is_verified": true })),
        (Method::POST, "/api/v1/users/me/upgrade", json!({})),
        (Method::POST, "/api/v1/users", new),
        (Method::DELETE, &of_bobs_session, json!(null)),
        (Method::DELETE, &of_bob, json!(null)),
    ];
    for (role, verified, own) in [("ADMIN", false, "email_not_verified"), ("USER", true, "forbidden")] {
        for (method, path, body) in &asked {
            be("ADMIN", true).await;
            app.hold_up_a_transaction().await;
            let asked = app.request(method.clone(), path).bearer_auth(&root.access_token);
            let asked = if body.is_null() { asked } else { asked.json(body) };
            let changed = async {
                app.struck().await;
                be(role, verified).await
            };
            let (answer, _) = tokio::join!(app.send(asked), changed);
            let told = if path.starts_with("/api/v1/users/me") { own } else { "forbidden" };
            assert_eq!(answer.code(), told, "{role} {verified} {method} {path}: {}", answer.text);
        }
    }
    let shown = app.get_as(&bob, "/users/me").await.json();
    assert_eq!((shown["role"].as_str(), shown["is_active"].as_bool()), (Some("USER"), Some(true)), "{shown}");
    let shown = app.get_as(&root, "/users/me").await.json();
    assert_eq!((&shown["role"], &shown["subscription_tier"]), (&json!("USER"), &json!("basic")));
    assert!(!app.dump().await.contains("carol@example.com"));
}

#[tokio::test]
async fn whoever_is_disabled_by_the_time_of_their_own_edit_has_no_session_and_edits_nothing() {
    let (app, root) = App::with_admin(&[]).await;
    let bob = app.member("bob@example.com").await;
    app.hold_up_a_transaction().await;
    let path = format!("/api/v1/users/{}", bob.id);
    let disabled = async {
        app.struck().await;
        app.patch_as(&root, &path, json!({ "is_active": false })).await
    };
    let edit = json!({ "name": "Robert" });
    let (edited, disabled) = tokio::join!(app.patch_as(&bob, "/users/me", edit), disabled);
    assert_eq!((disabled.status, edited.code().as_str()), (StatusCode::OK, "session_ended"), "{}", edited.text);
    assert_eq!(app.get_as(&root, &path).await.json()["name"], Value::Null);
}

#[tokio::test]
async fn renaming_keeps_its_budget() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    app.patch_as(&alice, "/users/me", json!({ "username": "before" })).await;
    app.slow_aws().await;
    let renamed = app.patch_as(&alice, "/users/me", json!({ "username": "after", "name": "Alice" })).await;
    assert_eq!(renamed.status, StatusCode::OK, "{}", renamed.text);
    app.cost(&renamed).await.within(3, 8.0, 2.0);
    let edited = app.patch_as(&alice, "/users/me", json!({ "bio": "Short" })).await;
    app.cost(&edited).await.within(2, 1.0, 2.0);
}
