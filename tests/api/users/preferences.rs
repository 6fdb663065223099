use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::client::App;

const PATH: &str = "/api/v1/users/me/preferences";

#[tokio::test]
async fn both_parts_stand_in_one_document_with_their_defaults() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    app.slow_aws().await;
    let answer = app.get_as(&alice, PATH).await;
    let document = answer.json();
    let settings = json!({
        "language": "en", "timezone": "UTC", "theme": "auto", "date_format": "YYYY-MM-DD", "time_format": "24h",
        "email_notifications": true, "push_notifications": true, "sms_notifications": false, "newsletter": false,
        "marketing": false, "custom_settings": {},
    });
    for (field, value) in settings.as_object().unwrap() {
        assert_eq!(&document[field], value, "{field}");
    }
    let lists = [
        "target_titles",
        "blacklist_titles",
        "target_companies",
        "blacklist_companies",
        "preferred_locations",
        "benefits_priorities",
        "company_size_preference",
        "industry_preferences",
        "culture_priorities",
        "skills_to_develop",
    ];
    for field in lists {
        assert_eq!(document[field], json!([]), "{field}");
    }
    let others = [
        "max_commute_minutes",
        "salary_expectation_min",
        "salary_expectation_max",
        "work_life_balance_importance",
        "relocation_willing",
        "equity_interest",
        "remote_preference",
        "career_stage",
        "career_timeline",
        "growth_direction",
        "application_frequency",
        "privacy_level",
    ];
    for field in others {
        assert_eq!(document.get(field), Some(&Value::Null), "{field}");
    }
    assert!(document["created_at"].is_string() && document["updated_at"].is_string());
    app.cost(&answer).await.within(1, 0.0, 2.0);
}

#[tokio::test]
async fn others_see_what_job_matching_goes_by_where_its_owner_shows_it() {
    let app = App::with(&[("DIRECTORY_ACCESS", "members")]).await;
    let (alice, bob) = (app.member("alice@example.com").await, app.member("bob@example.com").await);
    let path = format!("/api/v1/users/{}/preferences", bob.id);
    app.patch_as(&bob, PATH, json!({ "theme": "dark", "target_titles": ["Cook"] })).await;
    let refused = app.get_as(&alice, &path).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "forbidden"));
    app.patch_as(&bob, "/api/v1/users/me/profile", json!({ "contact_visibility": "public" })).await;
    let seen = app.get_as(&alice, &path).await.json();
    assert_eq!((&seen["target_titles"], seen.get("theme")), (&json!(["Cook"]), None));
    assert!(seen.get("language").is_none() && seen.get("custom_settings").is_none());
    assert_eq!(app.get_as(&bob, &path).await.json()["theme"], "dark", "oneself sees both");
}
