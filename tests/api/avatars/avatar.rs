use image::ImageFormat;
use reqwest::StatusCode;
use serde_json::json;
use tests::client::App;

use super::{PATH, grey, halves, upload};

#[tokio::test]
async fn whoever_is_listed_shows_theirs_to_everyone_and_others_to_themselves_and_admins() {
    let (app, root) = App::with_admin(&[]).await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    let path = format!("/api/v1/users/{}/avatar", alice.id);
    assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND, "there is none yet");
    upload(&app, &alice, halves(40, 40, ImageFormat::Png)).await;
    assert_eq!(app.get(&path).await.status, StatusCode::FOUND);
    app.patch_as(&alice, "/api/v1/users/me/profile", json!({ "profile_visibility": "private" })).await;
    assert_eq!(app.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(app.get_as(&bob, &path).await.status, StatusCode::NOT_FOUND);
    for (member, path) in [(&alice, path.as_str()), (&alice, PATH), (&root, &path)] {
        assert_eq!(app.get_as(member, path).await.status, StatusCode::FOUND);
    }
    assert_eq!(app.get(PATH).await.code(), "authentication_required");
    for path in ["/api/v1/users/nonsense/avatar", "/api/v1/users/01980000-0000-7000-8000-000000000000/avatar"] {
        assert_eq!(app.get(path).await.code(), "not_found");
    }
}

#[tokio::test]
async fn ones_own_takes_one_call_and_a_session_that_has_ended_sees_none() {
    let app = App::start().await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    upload(&app, &alice, halves(40, 40, ImageFormat::Png)).await;
    let path = format!("/api/v1/users/{}/avatar", alice.id);
    app.slow_aws().await;
    for (answer, rru) in [
        (app.get_as(&alice, PATH).await, 2.0),
        (app.get_as(&alice, &path).await, 2.0),
        (app.get_as(&bob, &path).await, 3.0),
    ] {
        assert_eq!(answer.status, StatusCode::FOUND);
        app.cost(&answer).await.within(1, 0.0, rru);
    }
    app.post_as(&bob, "/api/v1/auth/logout-all", json!({})).await;
    for path in [PATH, &path, "/api/v1/users/nonsense/avatar"] {
        assert_eq!(app.get_as(&bob, path).await.code(), "session_ended", "{path}");
    }
}

#[tokio::test]
async fn a_session_whose_address_is_not_verified_sees_none() {
    let app = App::start().await;
    let (alice, carol) = (app.member("alice@example.com").await, app.register("carol@example.com").await);
    upload(&app, &alice, halves(40, 40, ImageFormat::Png)).await;
    for path in [PATH, &format!("/api/v1/users/{}/avatar", alice.id)] {
        let answer = app.get_as(&carol, path).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "email_not_verified".into()), "{path}");
    }
}

#[tokio::test]
async fn with_a_distribution_avatars_are_served_there_under_a_name_of_their_own() {
    let app = App::with(&[("AVATAR_BASE_URL", "https://cdn.example.com"), ("DIRECTORY_ACCESS", "members")]).await;
    let alice = app.member("alice@example.com").await;
    app.patch_as(&alice, "/users/me", json!({ "name": "Findable" })).await;
    let mut addresses = Vec::new();
    for shade in [40, 160] {
        let user = upload(&app, &alice, grey(shade)).await.json();
        let address = user["avatar_url"].as_str().unwrap().to_owned();
        assert!(address.starts_with(&format!("https://cdn.example.com/avatars/{}/", alice.id)), "{address}");
        assert_eq!(app.get(&format!("/api/v1/users/{}/avatar", alice.id)).await.header("location"), address);
        app.letters("nobody").await;
        let hit = app.get_as(&alice, "/api/v1/users/search?q=findable").await.json();
        assert_eq!(hit[0]["avatar_url"], address.as_str(), "the search follows");
        addresses.push(address);
    }
    assert_ne!(addresses[0], addresses[1]);
}
