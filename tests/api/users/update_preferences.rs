use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::client::{App, PASSWORD};

const PATH: &str = "/api/v1/users/me/preferences";

#[tokio::test]
async fn put_and_patch_edit_what_they_name_and_the_time_zone_is_the_users() {
    let (app, root) = App::with_admin(&[]).await;
    let alice = app.member("alice@example.com").await;
    let some = json!({
        "language": "de-ch", "timezone": "europe/zurich", "theme": "dark", "time_format": "12h", "newsletter": true,
        "custom_settings": { "a": [1, { "b": null }] }, "target_titles": ["Cook"], "max_commute_minutes": 45,
        "salary_expectation_min": 50_000, "salary_expectation_max": 50_000, "work_life_balance_importance": 5,
        "remote_preference": "hybrid", "equity_interest": true, "matching_algorithm_weights": { "title": 0.5 },
    });
    let answer = app.send(app.request(Method::PUT, PATH).bearer_auth(&alice.access_token).json(&some)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let document = app.get_as(&alice, PATH).await.json();
    assert_eq!(document, answer.json());
    assert_eq!((&document["language"], &document["timezone"]), (&json!("de-CH"), &json!("Europe/Zurich")), "canonical");
    for field in ["theme", "custom_settings", "salary_expectation_max", "matching_algorithm_weights"] {
        assert_eq!(document[field], some[field], "{field}");
    }
    assert_eq!(app.get_as(&alice, "/users/me").await.json()["timezone"], "Europe/Zurich");
    app.patch_as(&alice, "/users/me", json!({ "timezone": "America/New_York" })).await;
    assert_eq!(app.get_as(&alice, PATH).await.json()["timezone"], "America/New_York");
    let cleared = app.patch_as(&alice, PATH, json!({ "timezone": null, "language": null, "theme": null })).await.json();
    assert_eq!(
        (&cleared["timezone"], &cleared["language"], &cleared["theme"]),
        (&json!("UTC"), &json!("en"), &json!("auto"))
    );
    let path = format!("/api/v1/users/{}/preferences", alice.id);
    assert_eq!(app.patch_as(&alice, &path, json!({ "theme": "light" })).await.json()["theme"], "light");
    assert_eq!(app.patch_as(&root, &path, json!({ "theme": "dark" })).await.json()["theme"], "dark");
    let bob = app.member("bob@example.com").await;
    assert_eq!(app.patch_as(&bob, &path, json!({ "theme": "light" })).await.code(), "forbidden");
}

#[tokio::test]
async fn an_object_of_ones_own_comes_back_as_it_was_sent() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let odd = json!({ "": 1, "a": { "": [1e126, -1e200, 5e-324, 1.5, null, true] }, "ü": "\u{1F600}" });
    let answer = app.patch_as(&alice, PATH, json!({ "custom_settings": odd })).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(app.get_as(&alice, PATH).await.json()["custom_settings"], odd);
}

#[tokio::test]
async fn what_is_not_valid_is_named() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    app.patch_as(&alice, PATH, json!({ "salary_expectation_max": 100 })).await;
    let mut deep = json!(1);
    for _ in 0..20 {
        deep = json!({ "a": deep });
    }
    let cases = [
        ("language", json!("klingonish")),
        ("timezone", json!("CEST/Berlin")),
        ("theme", json!("pink")),
        ("date_format", json!("YY")),
        ("time_format", json!("13h")),
        ("email_notifications", json!("yes")),
        ("custom_settings", json!([])),
        ("custom_settings", json!({ "a": "x".repeat(10_000) })),
        ("custom_settings", deep),
        ("custom_settings", json!({ "a": "\u{0}" })),
        ("max_commute_minutes", json!(-5)),
        ("work_life_balance_importance", json!(6)),
        ("remote_preference", json!("sometimes")),
        ("salary_expectation_min", json!(101)),
        ("target_titles", json!(vec!["x"; 51])),
        ("created_at", json!("2026-01-01T00:00:00Z")),
    ];
    for (field, value) in cases {
        let answer = app.patch_as(&alice, PATH, json!({ "newsletter": true, field: value })).await;
        assert_eq!(
            (answer.status, answer.refused_fields()),
            (StatusCode::UNPROCESSABLE_ENTITY, vec![field.to_owned()]),
            "{}",
            answer.text
        );
    }
    assert_eq!(app.get_as(&alice, PATH).await.json()["newsletter"], false);
}

#[tokio::test]
async fn the_least_salary_never_exceeds_the_most_however_the_edits_race() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    app.patch_as(&alice, PATH, json!({ "salary_expectation_min": 10, "salary_expectation_max": 90 })).await;
    let calls = (0..10).map(|number| {
        let body = if number % 2 == 0 {
            json!({ "salary_expectation_min": 60 })
        } else {
            json!({ "salary_expectation_max": 40 })
        };
        app.patch_as(&alice, PATH, body)
    });
    let answers = join_all(calls).await;
    let document = app.get_as(&alice, PATH).await.json();
    assert!(document["salary_expectation_min"].as_u64() <= document["salary_expectation_max"].as_u64(), "{document}");
    assert!(answers.iter().any(|answer| answer.status == StatusCode::UNPROCESSABLE_ENTITY));
    assert!(answers.iter().any(|answer| answer.status == StatusCode::OK));
}

#[tokio::test]
async fn mails_come_in_the_language_that_was_chosen_and_english_otherwise() {
    let app = App::start().await;
    for (email, language, subject) in [
        ("alice@example.com", "de", "gesperrt"),
        ("bob@example.com", "fr", "is locked"),
        ("carol@example.com", "de-AT", "gesperrt"),
    ] {
        let member = app.member(email).await;
        assert_eq!(app.patch_as(&member, PATH, json!({ "language": language })).await.status, StatusCode::OK);
        for _ in 0..3 {
            app.login(email, "wrong-password").await;
        }
        let letters = app.letters(email).await;
        assert!(letters[0].subject.contains(subject), "{}", letters[0].subject);
        assert!(letters[0].html.contains(&format!("lang=\"{}\"", &if language == "fr" { "en" } else { "de" })));
    }
    assert_eq!(app.login("bob@example.com", PASSWORD).await.code(), "account_locked");
}

#[tokio::test]
async fn a_transaction_on_the_document_does_not_fail_an_edit() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    app.fault(json!({ "service": "dynamodb", "operation": "PutItem", "kind": "conflict", "count": 3 })).await;
    let answer = app.patch_as(&alice, PATH, json!({ "time_format": "12h" })).await;
    assert_eq!((answer.status, &answer.json()["time_format"]), (StatusCode::OK, &json!("12h")), "{}", answer.text);
    app.struck().await;
}
