use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::client::{App, Member};

async fn premium(app: &App, email: &str) -> Member {
    let member = app.member(email).await;
    assert_eq!(app.post_as(&member, "/api/v1/users/me/upgrade", json!({})).await.status, StatusCode::OK);
    member
}

#[tokio::test]
async fn the_public_profile_never_holds_address_telephone_role_or_sign_in_times() {
    let (app, root) = App::with_admin(&[]).await;
    let (alice, bob) = (premium(&app, "alice@example.com").await, app.member("bob@example.com").await);
    let everything = json!({
        "name": "Bob", "username": "bob", "bio": "Hello", "current_title": "Cook", "experience_years": 3,
        "education_level": "none", "current_role_level": "lead", "location": "Bern", "timezone": "UTC",
        "website": "https://bob.example.com", "phone_number": "031 123 45 67",
    });
    app.patch_as(&bob, "/users/me", everything).await;
    for target in [&bob, &root] {
        let answer = app.get_as(&alice, &format!("/api/v1/users/{}", target.id)).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let shown = answer.json();
        let fields: Vec<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(
            fields,
            [
                "avatar_url",
                "bio",
                "created_at",
                "current_role_level",
                "current_title",
                "education_level",
                "experience_years",
                "id",
                "is_active",
                "is_premium",
                "is_verified",
                "location",
                "name",
                "subscription_tier",
                "timezone",
                "updated_at",
                "username",
                "website",
            ]
        );
        assert_eq!(shown["is_premium"], false, "not even an admin's role shows through");
        assert_eq!(shown["website"], Value::Null, "links are private until their owner says otherwise");
    }
    app.patch_as(&bob, "/api/v1/users/me/profile", json!({ "contact_visibility": "public" })).await;
    let shown = app.get_as(&alice, &format!("/api/v1/users/{}", bob.id)).await.json();
    assert_eq!((&shown["website"], &shown["name"]), (&json!("https://bob.example.com"), &json!("Bob")));
}

#[tokio::test]
async fn private_disabled_unverified_and_unknown_people_are_not_there() {
    let (app, root) = App::with_admin(&[]).await;
    let (alice, bob) = (premium(&app, "alice@example.com").await, app.member("bob@example.com").await);
    let path = format!("/api/v1/users/{}", bob.id);
    let unverified = app.register("eve@example.com").await;
    let missing = async |path: &str| {
        let answer = app.get_as(&alice, path).await;
        (answer.status, answer.json()["detail"].clone())
    };
    let unknown = missing("/api/v1/users/01980000-0000-7000-8000-000000000000").await;
    assert_eq!(unknown.0, StatusCode::NOT_FOUND);
    assert_eq!(missing("/api/v1/users/nonsense").await, unknown);
    assert_eq!(missing(&format!("/api/v1/users/{}", unverified.id)).await, unknown);
    app.patch_as(&bob, "/api/v1/users/me/profile", json!({ "profile_visibility": "private" })).await;
    for path in [path.clone(), format!("{path}/profile"), format!("{path}/preferences")] {
        assert_eq!(missing(&path).await, unknown, "{path}");
    }
    assert_eq!(app.get_as(&bob, &path).await.json()["email"], "bob@example.com", "oneself sees everything");
    assert_eq!(app.get_as(&root, &path).await.json()["email"], "bob@example.com", "and so does an admin");
    app.patch_as(&bob, "/api/v1/users/me/profile", json!({ "profile_visibility": null })).await;
    assert_eq!(missing(&path).await.0, StatusCode::OK);
    app.patch_as(&root, &path, json!({ "is_active": false })).await;
    assert_eq!(missing(&path).await, unknown);
}

#[tokio::test]
async fn the_directory_is_for_premium_accounts_unless_it_is_for_members() {
    let app = App::start().await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    let paths = ["", "/profile", "/preferences"].map(|rest| format!("/api/v1/users/{}{rest}", bob.id));
    for path in &paths {
        let answer = app.get_as(&alice, path).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "premium_required"), "{path}");
    }
    assert_eq!(app.get_as(&bob, &paths[0]).await.status, StatusCode::OK, "oneself");
    let open = App::with(&[("DIRECTORY_ACCESS", "members")]).await;
    let (alice, bob) = (open.member("alice@example.com").await, open.member("bob@example.com").await);
    assert_eq!(open.get_as(&alice, &format!("/api/v1/users/{}", bob.id)).await.status, StatusCode::OK);
    let lax = App::with(&[("DIRECTORY_ACCESS", "members"), ("REQUIRE_VERIFIED_EMAIL", "false")]).await;
    let (eve, bob) = (lax.register("eve@example.com").await, lax.member("bob@example.com").await);
    assert_eq!(lax.get_as(&bob, "/api/v1/users/search?q=bo").await.status, StatusCode::OK);
    for path in [&format!("/api/v1/users/{}", bob.id), "/api/v1/users/search?q=bo"] {
        let answer = lax.get_as(&eve, path).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::FORBIDDEN, "premium_required"), "{path}");
    }
}
