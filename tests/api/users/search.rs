use reqwest::StatusCode;
use serde_json::json;
use tests::client::{App, Member};

async fn found(app: &App, member: &Member, query: &str) -> Vec<String> {
    let (mut names, mut next) = (Vec::new(), format!("/api/v1/users/search?{query}"));
    app.letters("nobody").await;
    loop {
        let page = app.get_as(member, &next).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        names
            .extend(page.json().as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap_or("?").to_owned()));
        let link = page.header("link").to_owned();
        match link.strip_prefix('<').and_then(|link| link.split('>').next()) {
            Some(link) => next = link.to_owned(),
            None => return names,
        }
    }
}

async fn person(app: &App, email: &str, name: &str, title: &str) -> Member {
    let member = app.member(email).await;
    let answer = app.patch_as(&member, "/users/me", json!({ "name": name, "current_title": title })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    member
}

#[tokio::test]
async fn every_word_is_a_prefix_of_some_word_whatever_its_case_and_accents() {
    let app = App::with(&[("DIRECTORY_ACCESS", "members")]).await;
    let anna = person(&app, "a@example.com", "Anna Müller", "Rust Engineer").await;
    person(&app, "b@example.com", "Annabel Łukasz", "Cook").await;
    person(&app, "c@example.com", "Ann Lee", "Rust Cook").await;
    app.patch_as(&anna, "/users/me", json!({ "username": "The_Boss" })).await;
    assert_eq!(found(&app, &anna, "q=ann").await, ["Ann Lee", "Anna Müller", "Annabel Łukasz"], "the exact word first");
    assert_eq!(found(&app, &anna, "query=ANNA").await, ["Anna Müller", "Annabel Łukasz"]);
    assert_eq!(found(&app, &anna, "q=muller").await, ["Anna Müller"]);
    assert_eq!(found(&app, &anna, "q=lukasz").await, ["Annabel Łukasz"]);
    assert_eq!(found(&app, &anna, "q=boss").await, ["Anna Müller"]);
    let mut cooks = found(&app, &anna, "q=coo").await;
    cooks.sort();
    assert_eq!(cooks, ["Ann Lee", "Annabel Łukasz"]);
    assert_eq!(found(&app, &anna, "q=ru%20co").await, ["Ann Lee"]);
    assert_eq!(found(&app, &anna, "q=nobody").await, Vec::<String>::new());
    let hit = app.get_as(&anna, "/api/v1/users/search?q=lee").await.json()[0].clone();
    let fields: Vec<_> = hit.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["avatar_url", "current_title", "id", "location", "name", "username"]);
}

#[tokio::test]
async fn a_username_is_found_however_long_the_name_and_the_title_are() {
    let app = App::with(&[("DIRECTORY_ACCESS", "members")]).await;
    let words = |from: u32| (from..from + 40).map(|number| format!("w{number}")).collect::<Vec<_>>().join(" ");
    let alice = person(&app, "alice@example.com", &words(100), &words(200)).await;
    app.patch_as(&alice, "/users/me", json!({ "username": "zebra" })).await;
    assert_eq!(found(&app, &alice, "q=zebra").await, [words(100)]);
    assert_eq!(found(&app, &alice, "q=w100").await, [words(100)]);
}

#[tokio::test]
async fn a_person_appears_once_in_a_walk_over_short_pages() {
    let app = App::with(&[("DIRECTORY_ACCESS", "members")]).await;
    let mut expected = Vec::new();
    let mut last = None;
    for number in 0..7 {
        let name = format!("Sam Sample Sampson {number}");
        last = Some(person(&app, &format!("p{number}@example.com"), &name, "Sampler").await);
        expected.push(name);
    }
    for limit in [1, 2, 3, 50] {
        let mut names = found(&app, last.as_ref().unwrap(), &format!("q=sam&limit={limit}")).await;
        names.sort();
        assert_eq!(names, expected, "limit {limit}");
    }
}

#[tokio::test]
async fn renames_are_found_and_whoever_left_hid_or_was_disabled_is_not() {
    let (app, root) = App::with_admin(&[]).await;
    let alice = person(&app, "alice@example.com", "Wilhelmina", "Cook").await;
    assert_eq!(found(&app, &root, "q=wilhelmina").await, ["Wilhelmina"]);
    app.patch_as(&alice, "/users/me", json!({ "name": "Brunhilde" })).await;
    assert_eq!(found(&app, &root, "q=brunhilde").await, ["Brunhilde"]);
    assert_eq!(found(&app, &root, "q=wilhelmina").await, Vec::<String>::new());
    for (hide, show) in [
        (json!({ "is_active": false }), json!({ "is_active": true })),
        (json!({ "is_verified": false }), json!({ "is_verified": true })),
    ] {
        app.patch_as(&root, &format!("/api/v1/users/{}", alice.id), hide.clone()).await;
        assert_eq!(found(&app, &root, "q=brunhilde").await, Vec::<String>::new(), "{hide}");
        app.patch_as(&root, &format!("/api/v1/users/{}", alice.id), show).await;
        assert_eq!(found(&app, &root, "q=brunhilde").await, ["Brunhilde"]);
    }
    let alice = app.sign_in("alice@example.com").await;
    app.patch_as(&alice, "/api/v1/users/me/profile", json!({ "profile_visibility": "private" })).await;
    assert_eq!(found(&app, &root, "q=brunhilde").await, Vec::<String>::new());
    app.patch_as(&alice, "/api/v1/users/me/profile", json!({ "profile_visibility": "public" })).await;
    assert_eq!(found(&app, &root, "q=brunhilde").await, ["Brunhilde"]);
    app.delete_as(&alice, "/users/me").await;
    assert_eq!(app.get_as(&root, "/api/v1/users/search?q=brunhilde").await.json(), json!([]), "at once");
}

#[tokio::test]
async fn whoever_hides_is_found_no_more_whatever_the_streams_do() {
    let (app, root) = App::with_admin(&[]).await;
    let alice = person(&app, "alice@example.com", "Wilhelmina", "Cook").await;
    assert_eq!(found(&app, &root, "q=wilhelmina").await, ["Wilhelmina"]);
    let by_id = format!("/api/v1/users/{}", alice.id);
    for (path, hide, show) in [
        ("/api/v1/users/me/profile", json!({ "profile_visibility": "private" }), json!({ "profile_visibility": null })),
        (by_id.as_str(), json!({ "is_verified": false }), json!({ "is_verified": true })),
        (by_id.as_str(), json!({ "is_active": false }), json!({ "is_active": true })),
    ] {
        let who = if path == by_id { &root } else { &alice };
        assert_eq!(app.patch_as(who, path, hide.clone()).await.status, StatusCode::OK);
        assert_eq!(app.get_as(&root, "/api/v1/users/search?q=wilhelmina").await.json(), json!([]), "{hide}");
        app.patch_as(who, path, show).await;
        assert_eq!(found(&app, &root, "q=wilhelmina").await, ["Wilhelmina"], "{hide}");
    }
}

#[tokio::test]
async fn whoever_is_disabled_is_found_no_more_also_where_they_show_themselves_meanwhile() {
    let (app, root) = App::with_admin(&[]).await;
    let alice = person(&app, "alice@example.com", "Wilhelmina", "Cook").await;
    let profile = "/api/v1/users/me/profile";
    app.patch_as(&alice, profile, json!({ "profile_visibility": "private" })).await;
    app.fault(json!({
        "service": "dynamodb", "operation": "TransactWriteItems", "kind": "slow", "milliseconds": 3000, "count": 1,
    }))
    .await;
    let showing = async {
        app.struck().await;
        app.patch_as(&alice, profile, json!({ "profile_visibility": null })).await;
        found(&app, &root, "q=wilhelmina").await
    };
    let path = format!("/api/v1/users/{}", alice.id);
    let disabling = async {
        let answer = app.patch_as(&root, &path, json!({ "is_active": false })).await;
        (answer.status, app.get_as(&root, "/api/v1/users/search?q=wilhelmina").await.json())
    };
    let (disabled, shown) = tokio::join!(disabling, showing);
    assert_eq!(shown, ["Wilhelmina"], "while she might be");
    assert_eq!(disabled, (StatusCode::OK, json!([])));
}

#[tokio::test]
async fn a_search_keeps_its_budget_and_says_what_is_wrong_with_it() {
    let (app, root) = App::with_admin(&[]).await;
    for number in 0..25 {
        person(&app, &format!("p{number}@example.com"), &format!("Sam Number{number}"), "Cook").await;
    }
    app.letters("nobody").await;
    app.slow_aws().await;
    let page = app.get_as(&root, "/api/v1/users/search?q=sam&limit=20").await;
    assert_eq!(page.json().as_array().unwrap().len(), 20);
    app.cost(&page).await.within(2, 0.0, 6.0);
    for query in ["", "q=a", "q=%20%20", "q=a%20b", "q=!!!", "q=sam&limit=0", "q=sam&cursor=x", "q=sam&sort=name"] {
        let answer = app.get_as(&root, &format!("/api/v1/users/search?{query}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {}", answer.text);
    }
}
