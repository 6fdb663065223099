use data_encoding::BASE64URL_NOPAD;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::client::App;

#[tokio::test]
async fn every_act_of_an_admin_is_on_the_trail_by_time_actor_and_target() {
    let (app, root) = App::with_admin(&[]).await;
    let (bob, carol) = (app.member("bob@example.com").await, app.member("carol@example.com").await);
    let path = format!("/api/v1/users/{}", bob.id);
    app.patch_as(&root, &path, json!({ "role": "ADMIN", "name": "Bob the secret" })).await;
    app.advance(10).await;
    let sessions = app.get_as(&root, &format!("{path}/sessions")).await.json();
    let session = sessions[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(app.delete_as(&root, &format!("{path}/sessions/{session}")).await.status, StatusCode::OK);
    let bob = app.sign_in("bob@example.com").await;
    let made = app.post_as(&bob, "/api/v1/users", json!({ "email": "dave@example.com" })).await.json();
    app.delete_as(&bob, &format!("/api/v1/users/{}", carol.id)).await;

    let trail = async |query: &str| app.get_as(&root, &format!("/api/v1/admin/audit{query}")).await.json();
    let actions = |trail: &Value| -> Vec<String> {
        trail.as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
    };
    let all = trail("").await;
    assert_eq!(actions(&all), ["user_deleted", "user_created", "session_ended", "user_updated"]);
    assert_eq!(all[3]["changes"], json!({ "role": "ADMIN", "name": "edited" }), "no word of what they wrote");
    assert_eq!((&all[3]["actor"], &all[3]["target"]), (&json!(root.id), &json!(bob.id)));
    assert_eq!(all[2]["changes"]["session"], session.as_str());
    assert_eq!(actions(&trail(&format!("?actor={}", bob.id)).await), ["user_deleted", "user_created"]);
    assert_eq!(actions(&trail(&format!("?target={}", bob.id)).await), ["session_ended", "user_updated"]);
    assert_eq!(trail(&format!("?target={}", made["id"].as_str().unwrap())).await.as_array().unwrap().len(), 1);
    assert_eq!(actions(&trail(&format!("?actor={}&target={}", bob.id, carol.id)).await), ["user_deleted"]);
    let at = all[3]["at"].as_str().unwrap();
    assert_eq!(actions(&trail(&format!("?to={at}")).await), ["user_updated"]);
    let after = all[2]["at"].as_str().unwrap();
    assert_eq!(actions(&trail(&format!("?from={after}")).await).len(), 3);
}

#[tokio::test]
async fn the_trail_is_walked_by_cursor_and_read_by_admins_alone() {
    let (app, root) = App::with_admin(&[]).await;
    let bob = app.member("bob@example.com").await;
    let path = format!("/api/v1/users/{}", bob.id);
    for _ in 0..5 {
        app.patch_as(&root, &path, json!({ "unlock": true })).await;
    }
    let both = format!("&actor={}&target={}", root.id, bob.id);
    for filter in ["", &format!("&actor={}", root.id), &format!("&target={}", bob.id), &both] {
        let mut next = format!("/api/v1/admin/audit?limit=2{filter}");
        let mut ids: Vec<String> = Vec::new();
        loop {
            let page = app.get_as(&root, &next).await;
            let entries = page.json();
            ids.extend(entries.as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned()));
            let link = page.header("link").to_owned();
            let Some(link) = link.strip_prefix('<').and_then(|link| link.split('>').next()) else { break };
            next = link.to_owned();
        }
        assert_eq!(ids.len(), 5, "{filter}");
        assert!(ids.is_sorted_by(|newer, older| newer > older), "newest first, none twice: {ids:?}");
    }
    assert_eq!(app.get_as(&bob, "/api/v1/admin/audit").await.code(), "forbidden");
    assert_eq!(app.get("/api/v1/admin/audit").await.code(), "authentication_required");
    let wrong = app.get_as(&root, "/api/v1/admin/audit?cursor=nonsense&limit=0").await;
    assert_eq!(wrong.refused_fields(), ["limit", "cursor"]);
    for query in [
        "from=2027-03-01T00:00:00Z&to=2027-01-01T00:00:00Z",
        "from=9999-01-01T00:00:00Z",
        "to=1960-01-01T00:00:00Z",
        &format!("actor={}&from=2027-03-01T00:00:00Z&to=2027-01-01T00:00:00Z", root.id),
    ] {
        let answer = app.get_as(&root, &format!("/api/v1/admin/audit?{query}")).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!([])), "{query}");
    }
    let all = app.get_as(&root, "/api/v1/admin/audit?to=9999-12-31T23:59:59Z").await;
    assert_eq!(all.json().as_array().map(Vec::len), Some(5));
    app.cost(&all).await.within(2, 0.0, 2.0);
    let forged = BASE64URL_NOPAD.encode(format!(r#"{{"at":-9223372036854775808,"id":"{}"}}"#, bob.id).as_bytes());
    assert_eq!(app.get_as(&root, &format!("/api/v1/admin/audit?cursor={forged}")).await.status, StatusCode::OK);
    for _ in 0..30 {
        app.patch_as(&root, &format!("/api/v1/users/{}", root.id), json!({ "unlock": true })).await;
    }
    let found = app.get_as(&root, &format!("/api/v1/admin/audit?limit=2{both}")).await;
    assert_eq!(found.json().as_array().map(Vec::len), Some(2), "{}", found.text);
    app.cost(&found).await.within(2, 0.0, 3.0);

    app.advance(3 * 365 * 86400).await;
    let root = app.sign_in("root@example.com").await;
    // The function reads its keys again beside this one.
    app.get_as(&root, "/users/is-admin").await;
    let years_later = app.get_as(&root, "/api/v1/admin/audit?limit=2").await;
    assert_eq!(years_later.json().as_array().map(Vec::len), Some(2), "{}", years_later.text);
    app.cost(&years_later).await.within(2, 0.0, 2.0);
}
