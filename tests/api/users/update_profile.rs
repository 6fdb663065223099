use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::client::App;

const PATH: &str = "/api/v1/users/me/profile";

#[tokio::test]
async fn put_and_patch_edit_what_they_name_and_null_clears() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let everything = json!({
        "linkedin_url": "https://linkedin.com/in/alice", "github_url": "https://github.com/alice",
        "portfolio_url": "https://alice.example.com", "website_url": "http://example.com/~alice?a=b#c",
        "skills": ["Rust", "SQL"], "certifications": [{ "name": "AWS", "year": 2025 }],
        "languages": [{ "language": "de", "level": "C2" }], "work_style": "remote", "availability": "now",
        "relocation_willing": true, "travel_willing": false, "profile_visibility": "private",
        "contact_visibility": "public",
    });
    let answer = app.send(app.request(Method::PUT, PATH).bearer_auth(&alice.access_token).json(&everything)).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, everything.clone()));
    assert_eq!(app.get_as(&alice, PATH).await.json(), everything);
    let one = app.patch_as(&alice, PATH, json!({ "skills": ["Rust", "Rust", "Go"] })).await.json();
    assert_eq!((&one["skills"], &one["work_style"]), (&json!(["Rust", "Go"]), &json!("remote")));
    let nothing: Value = everything.as_object().unwrap().keys().map(|field| (field.clone(), Value::Null)).collect();
    let cleared = app.patch_as(&alice, PATH, nothing).await.json();
    assert_eq!((&cleared["skills"], &cleared["profile_visibility"]), (&json!([]), &json!("public")));
    assert_eq!((&cleared["github_url"], &cleared["contact_visibility"]), (&Value::Null, &json!("private")));
}

#[tokio::test]
async fn what_is_not_valid_is_named() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let cases = [
        ("github_url", json!("github.com/alice")),
        ("linkedin_url", json!("https://user:pass@linkedin.com/")),
        ("skills", json!("Rust")),
        ("skills", json!(vec!["x"; 101])),
        ("skills", json!([1])),
        ("certifications", json!([1])),
        ("languages", json!([{ "text": "x".repeat(20_000) }])),
        ("work_style", json!("x".repeat(101))),
        ("relocation_willing", json!("yes")),
        ("profile_visibility", json!("friends")),
        ("role", json!("ADMIN")),
    ];
    for (field, value) in cases {
        let answer = app.patch_as(&alice, PATH, json!({ "availability": "now", field: value })).await;
        assert_eq!(answer.refused_fields(), [field], "{}", answer.text);
    }
    assert_eq!(app.get_as(&alice, PATH).await.json()["availability"], Value::Null);
}

#[tokio::test]
async fn edits_at_once_of_different_fields_all_count() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let fields = ["github_url", "linkedin_url", "portfolio_url", "website_url"];
    let answers = join_all(
        fields.map(|field| app.patch_as(&alice, PATH, json!({ field: format!("https://{field}.example.com") }))),
    )
    .await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK));
    let profile = app.get_as(&alice, PATH).await.json();
    for field in fields {
        assert_eq!(profile[field], format!("https://{field}.example.com"), "{field}");
    }
}
