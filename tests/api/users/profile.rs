use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::client::App;

#[tokio::test]
async fn a_profile_is_whole_before_it_is_ever_edited() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    app.slow_aws().await;
    let answer = app.get_as(&alice, "/api/v1/users/me/profile").await;
    assert_eq!(
        answer.json(),
        json!({
            "linkedin_url": null, "github_url": null, "portfolio_url": null, "website_url": null, "skills": [],
            "certifications": [], "languages": [], "work_style": null, "availability": null,
            "relocation_willing": null, "travel_willing": null, "profile_visibility": "public",
            "contact_visibility": "private",
        })
    );
    app.cost(&answer).await.within(1, 0.0, 2.0);
}

#[tokio::test]
async fn others_see_links_only_where_their_owner_shows_them() {
    let app = App::with(&[("DIRECTORY_ACCESS", "members")]).await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    let path = format!("/api/v1/users/{}/profile", bob.id);
    let links =
        json!({ "github_url": "https://github.com/bob", "website_url": "https://bob.example.com", "skills": ["Rust"] });
    app.patch_as(&bob, "/api/v1/users/me/profile", links).await;
    let seen = app.get_as(&alice, &path).await;
    assert_eq!((seen.status, &seen.json()["skills"]), (StatusCode::OK, &json!(["Rust"])));
    assert_eq!((&seen.json()["github_url"], &seen.json()["website_url"]), (&Value::Null, &Value::Null));
    assert_eq!(app.get_as(&bob, &path).await.json()["github_url"], "https://github.com/bob", "oneself");
    app.patch_as(&bob, "/api/v1/users/me/profile", json!({ "contact_visibility": "public" })).await;
    assert_eq!(app.get_as(&alice, &path).await.json()["github_url"], "https://github.com/bob");
}
