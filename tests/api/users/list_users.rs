use data_encoding::BASE64URL_NOPAD;
use reqwest::StatusCode;
use serde_json::json;
use tests::client::{App, Member};

/// Every address of a walk over the pages, and how many pages there were.
async fn walk(app: &App, admin: &Member, query: &str) -> (Vec<String>, usize) {
    let mut next = format!("/api/v1/users?{query}");
    let (mut emails, mut pages) = (Vec::new(), 0);
    loop {
        let page = app.get_as(admin, &next).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let users = page.json();
        emails.extend(users.as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned()));
        pages += 1;
        let link = page.header("link").to_owned();
        match link.strip_prefix('<').and_then(|link| link.split('>').next()) {
            Some(link) => next = link.to_owned(),
            None => return (emails, pages),
        }
    }
}

#[tokio::test]
async fn admins_see_every_account_newest_first_and_filtered() {
    let (app, root) = App::with_admin(&[]).await;
    for number in 0..5 {
        app.register(&format!("person{number}@example.com")).await;
        app.advance(20 * 86400 / 5).await;
    }
    let root = {
        app.patch_as(&root, "/users/me", json!({ "name": "Root" })).await;
        app.sign_in("root@example.com").await
    };
    let last = app.member("last@example.com").await;
    app.patch_as(&root, &format!("/api/v1/users/{}", last.id), json!({ "is_active": false, "role": "ADMIN" })).await;
    // Those who never verified are erased after seven days: of the five, two are young enough.
    let expected = ["last@example.com", "person4@example.com", "root@example.com"];
    for limit in [1, 2, 50] {
        let (emails, _) = walk(&app, &root, &format!("limit={limit}")).await;
        assert_eq!(emails, expected, "limit {limit}");
    }
    assert_eq!(walk(&app, &root, "role=ADMIN").await.0, ["last@example.com", "root@example.com"]);
    assert_eq!(walk(&app, &root, "role=ADMIN&is_active=true&limit=1").await.0, ["root@example.com"]);
    assert_eq!(walk(&app, &root, "is_active=false").await.0, ["last@example.com"]);
}

#[tokio::test]
async fn a_long_page_shows_everyone_their_own_profile_in_a_handful_of_calls() {
    let (app, root) = App::with_admin(&[]).await;
    app.load_people(0, 210);
    let page = async || app.get_as(&root, "/api/v1/users?limit=200").await;
    let ids: Vec<_> = page().await.json().as_array().unwrap().iter().map(|user| user["id"].clone()).collect();
    assert_eq!(ids.len(), 200);
    let edited = [&ids[1], &ids[60], &ids[99], &ids[100], &ids[199]];
    for id in edited {
        let path = format!("/api/v1/users/{}", id.as_str().unwrap());
        assert_eq!(app.patch_as(&root, &path, json!({ "bio": id })).await.status, StatusCode::OK);
    }
    let answer = page().await;
    for (user, id) in answer.json().as_array().unwrap().iter().zip(&ids) {
        let expected = if edited.contains(&id) { id.clone() } else { json!(null) };
        assert_eq!((&user["id"], &user["bio"]), (id, &expected));
    }
    let calls = app.cost(&answer).await.calls.len();
    assert!(calls < 15, "{calls} calls for 200 people");
}

#[tokio::test]
async fn nobody_else_sees_them() {
    let (app, root) = App::with_admin(&[]).await;
    let bob = app.member("bob@example.com").await;
    assert_eq!(app.get_as(&bob, "/api/v1/users").await.code(), "forbidden");
    assert_eq!(app.get("/api/v1/users").await.code(), "authentication_required");
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("role=KING", "role"),
        ("cursor=x", "cursor"),
        ("is_active=maybe", "is_active"),
        ("sort=email", "sort"),
    ] {
        let answer = app.get_as(&root, &format!("/api/v1/users?{query}")).await;
        assert_eq!(answer.refused_fields(), [field], "{query}: {}", answer.text);
    }
    for month in ["", "x", "2026-13", &"9".repeat(2000)] {
        let cursor = BASE64URL_NOPAD.encode(json!({ "month": month, "after": null }).to_string().as_bytes());
        let answer = app.get_as(&root, &format!("/api/v1/users?cursor={cursor}")).await;
        assert_eq!(answer.refused_fields(), ["cursor"], "{month}: {}", answer.text);
    }
}
