//! Rotating the keys, under load and under failure: no valid token is ever refused.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use data_encoding::BASE64URL_NOPAD;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::client::{App, Member, PASSWORD};

use crate::authorizer;

const SIGNING: &str = "SigningKeys";
const DERIVATION: &str = "DerivationKeys";
const PUBLIC: &str = "PublicKeys";
/// Seconds between two rotations of the signing keys, and of the derivation keys, at the least.
const SIGNING_PERIOD: u32 = 2 * 60 * 60;
const DERIVATION_PERIOD: u32 = 30 * 24 * 60 * 60 + SIGNING_PERIOD;

fn version(number: u32) -> String {
    format!("0193f0de-0000-4000-8000-{number:012}")
}

async fn rotate(app: &App, secret: &str, number: u32) -> (StatusCode, String) {
    let request = json!({ "SecretId": secret, "ClientRequestToken": version(number) });
    let answer = app.secrets("RotateSecret", request).await;
    (answer.status, answer.text)
}

async fn rotated(app: &App, secret: &str, number: u32) {
    let (status, text) = rotate(app, secret, number).await;
    assert_eq!(status, StatusCode::OK, "{text}");
}

fn kid(token: &str) -> String {
    let header = BASE64URL_NOPAD.decode(token.split('.').next().unwrap().as_bytes()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

async fn published(app: &App) -> Vec<String> {
    let keys = app.get("/.well-known/jwks.json").await.json()["keys"].clone();
    keys.as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Signs in, calls, asks the authorizer and refreshes for as long as `stop` is not raised. Answers how often.
async fn use_the_service(app: &App, email: &str, stop: &AtomicBool) -> u64 {
    let mut rounds = 0;
    while !stop.load(Ordering::SeqCst) {
        let signed_in = app.login(email, PASSWORD).await;
        assert_eq!(signed_in.status, StatusCode::OK, "{}", signed_in.text);
        let mut tokens = signed_in.json();
        for _ in 0..5 {
            let token = tokens["access_token"].as_str().unwrap();
            let me = app.send(app.request(reqwest::Method::GET, "/users/me").bearer_auth(token)).await;
            // The clock may have moved past the token's end, which is no wrong refusal.
            assert!(me.status == StatusCode::OK || me.code() == "token_expired", "{} {}", me.status, me.text);
            if me.status == StatusCode::OK {
                let passes = authorizer::ask(app, "http_2_0", token).await.unwrap()["isAuthorized"] == true;
                let again = app.send(app.request(reqwest::Method::GET, "/users/me").bearer_auth(token)).await;
                assert!(passes || again.code() == "token_expired");
            }
            let refreshed = app.post("/auth/refresh", json!({ "refresh_token": tokens["refresh_token"] })).await;
            assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
            tokens = refreshed.json();
            rounds += 1;
        }
    }
    rounds
}

#[tokio::test(flavor = "multi_thread")]
async fn three_rotations_under_load_refuse_nobody_wrongly() {
    let app = Arc::new(App::start().await);
    let (stop, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let mut people = tokio::task::JoinSet::new();
    for number in 0..4 {
        let (app, stop, rounds) = (Arc::clone(&app), Arc::clone(&stop), Arc::clone(&rounds));
        let member = app.member(&format!("person{number}@example.com")).await;
        people.spawn(async move {
            rounds.fetch_add(use_the_service(&app, &member.email, &stop).await, Ordering::SeqCst);
        });
    }
    let mut signed = vec![kid(&app.member("alice@example.com").await.access_token)];
    for number in 1..=3 {
        app.advance(SIGNING_PERIOD).await;
        let before = app.sign_in("alice@example.com").await;
        rotated(&app, SIGNING, number).await;
        assert!(authorizer::passes(&app, &before.access_token).await, "signed before the rotation");
        assert_eq!(app.get_as(&before, "/users/me").await.status, StatusCode::OK);
        // An instance that holds the old keys goes on with them for a while.
        app.advance(SIGNING_PERIOD / 2).await;
        let after = app.sign_in("alice@example.com").await;
        assert!(authorizer::passes(&app, &after.access_token).await);
        signed.push(kid(&after.access_token));
    }
    stop.store(true, Ordering::SeqCst);
    while let Some(ended) = people.join_next().await {
        ended.expect("no wrong refusal");
    }
    signed.dedup();
    assert_eq!(signed.len(), 4, "each rotation brought a key: {signed:?}");
    assert!(rounds.load(Ordering::SeqCst) >= 20, "{rounds:?}");
}

#[tokio::test]
async fn a_key_is_published_a_whole_period_before_it_signs_and_one_after_it_did() {
    let app = App::start().await;
    let first = kid(&app.member("alice@example.com").await.access_token);
    let at_start = published(&app).await;
    assert_eq!((at_start.len(), &at_start[0]), (2, &first));
    let second = at_start[1].clone();
    app.advance(SIGNING_PERIOD).await;
    rotated(&app, SIGNING, 1).await;
    app.advance(SIGNING_PERIOD).await;
    assert_eq!(kid(&app.sign_in("alice@example.com").await.access_token), second);
    let now = published(&app).await;
    assert_eq!((&now[0], &now[2], now.len()), (&second, &first, 3));
    rotated(&app, SIGNING, 2).await;
    app.advance(SIGNING_PERIOD).await;
    let third = kid(&app.sign_in("alice@example.com").await.access_token);
    assert_eq!(third, now[1]);
    assert!(!published(&app).await.contains(&first));
}

#[tokio::test]
async fn what_was_derived_before_is_good_for_as_long_as_it_lives() {
    let app = App::start().await;
    let mut number = 0;
    for _ in 0..3 {
        app.advance(DERIVATION_PERIOD).await;
        let member = app.member(&format!("person{number}@example.com")).await;
        let fresh = app.register(&format!("new{number}@example.com")).await;
        app.post("/auth/forgot-password", json!({ "email": member.email })).await;
        let (_, reset) = app.reset_secrets(&member.email).await;
        let verification = app.verification_token(&fresh.email).await;
        number += 1;
        rotated(&app, DERIVATION, number).await;
        // Every function holds the new keys by now, and two of the links live for minutes.
        app.advance(9 * 60).await;
        assert_eq!(
            app.post("/api/v1/auth/verify-email", json!({ "token": verification })).await.status,
            StatusCode::OK
        );
        let refreshed = app.post("/auth/refresh", json!({ "refresh_token": member.refresh_token })).await;
        assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
        let body = json!({ "token": reset, "new_password": "another good passphrase" });
        assert_eq!(app.post("/auth/reset-password", body).await.status, StatusCode::OK);
    }
    let keys = app.secret(DERIVATION).await;
    assert_eq!(
        (&keys["previous"]["id"], &keys["current"]["id"], &keys["next"]["id"]),
        (&json!(3), &json!(4), &json!(5))
    );
}

#[tokio::test]
async fn a_refresh_token_lives_through_a_rotation_that_instances_learn_of_at_different_times() {
    let app = App::start().await;
    app.advance(DERIVATION_PERIOD).await;
    let Member { mut refresh_token, .. } = app.member("alice@example.com").await;
    rotated(&app, DERIVATION, 1).await;
    for _ in 0..8 {
        let refreshed = app.post("/auth/refresh", json!({ "refresh_token": refresh_token })).await;
        assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
        let again = app.post("/auth/refresh", json!({ "refresh_token": refresh_token })).await;
        assert_eq!(again.json()["refresh_token"], refreshed.json()["refresh_token"], "the same successor");
        refresh_token = refreshed.json()["refresh_token"].as_str().unwrap().to_owned();
        app.advance(10 * 60).await;
    }
}

#[tokio::test]
async fn a_rotation_that_comes_too_soon_changes_nothing() {
    for (secret, period) in [(SIGNING, SIGNING_PERIOD), (DERIVATION, DERIVATION_PERIOD)] {
        let app = App::start().await;
        app.advance(period - 600).await;
        let before = app.secret(secret).await;
        let (status, text) = rotate(&app, secret, 1).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(text.contains("was rotated less than"), "{text}");
        assert_eq!(app.secret(secret).await, before);
        app.advance(600).await;
        rotated(&app, secret, 1).await;
        assert_ne!(app.secret(secret).await, before);
        assert_eq!(rotate(&app, secret, 2).await.0, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn a_rotation_that_took_long_counts_from_its_end() {
    for (secret, period) in [(SIGNING, SIGNING_PERIOD), (DERIVATION, DERIVATION_PERIOD)] {
        let app = App::start().await;
        app.advance(period).await;
        let begun = json!({ "Step": "createSecret", "SecretId": secret, "ClientRequestToken": version(1) });
        assert_eq!(app.invoke("rotation", begun).await, Some(Value::Null));
        // Secrets Manager asks again until the steps succeed.
        app.advance(period - 60).await;
        rotated(&app, secret, 1).await;
        app.advance(period - 60).await;
        let (status, text) = rotate(&app, secret, 2).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(text.contains("was rotated less than"), "{text}");
        app.advance(60).await;
        rotated(&app, secret, 2).await;
    }
}

#[tokio::test]
async fn tokens_that_live_long_have_their_key_published_for_as_long() {
    let app = App::with(&[("ACCESS_TTL_MIN", "120")]).await;
    app.advance(2 * 120 * 60 - 600).await;
    assert_eq!(rotate(&app, SIGNING, 1).await.0, StatusCode::BAD_REQUEST);
    app.advance(600).await;
    rotated(&app, SIGNING, 1).await;
}

#[tokio::test]
async fn each_step_may_be_asked_for_any_number_of_times() {
    let app = App::start().await;
    app.advance(SIGNING_PERIOD).await;
    let before = app.secret(SIGNING).await;
    let step = |step: &'static str| json!({ "Step": step, "SecretId": SIGNING, "ClientRequestToken": version(1) });
    for name in ["setSecret", "testSecret", "finishSecret"] {
        assert_eq!(app.invoke("rotation", step(name)).await, None, "{name} before it was prepared");
    }
    let member = app.member("alice@example.com").await;
    for name in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
        for time in 0..3 {
            if time == 0 {
                // The answer is lost as often as the SDK asks: whoever asked asks again.
                app.fault(json!({ "service": "secretsmanager", "kind": "lost", "count": 4 })).await;
                let _lost = app.invoke("rotation", step(name)).await;
                app.fault(json!({ "service": "secretsmanager", "kind": "lost", "count": 0 })).await;
            }
            assert_eq!(app.invoke("rotation", step(name)).await, Some(Value::Null), "{name}");
            assert!(authorizer::passes(&app, &member.access_token).await, "{name}");
        }
    }
    let after = app.secret(SIGNING).await;
    assert_eq!(
        (&after["previous"]["kid"], &after["current"]["kid"]),
        (&before["current"]["kid"], &before["next"]["kid"])
    );
    let unknown = json!({ "Step": "createSecret", "SecretId": "Clients", "ClientRequestToken": version(2) });
    assert_eq!(app.invoke("rotation", unknown).await, None);
}

#[tokio::test]
async fn secrets_manager_may_test_a_schedule_with_the_keys_in_use() {
    let app = App::start().await;
    for (number, secret) in [(1, SIGNING), (2, DERIVATION)] {
        let in_use = app.secrets("GetSecretValue", json!({ "SecretId": secret })).await.json();
        let copy = json!({
            "SecretId": secret, "ClientRequestToken": version(number), "VersionStages": ["AWSPENDING"],
            "SecretString": in_use["SecretString"],
        });
        assert_eq!(app.secrets("PutSecretValue", copy).await.status, StatusCode::OK);
        let test = json!({ "Step": "testSecret", "SecretId": secret, "ClientRequestToken": version(number) });
        assert_eq!(app.invoke("rotation", test).await, Some(Value::Null), "{secret}");
        let pending = json!({ "SecretId": secret, "VersionStage": "AWSPENDING" });
        let pending = app.secrets("GetSecretValue", pending).await.json();
        assert_eq!(pending["VersionId"], version(number), "Secrets Manager's to take away");
        assert_eq!(app.secrets("GetSecretValue", json!({ "SecretId": secret })).await.json(), in_use);
    }
}

#[tokio::test]
async fn while_secrets_manager_is_silent_the_keys_that_are_held_serve_on() {
    let app = App::start().await;
    let silent = json!({ "service": "secretsmanager", "kind": "error", "count": 1_000_000 });
    app.member("alice@example.com").await;
    app.fault(silent).await;
    app.advance(SIGNING_PERIOD - 20 * 60).await;
    let member = app.sign_in("alice@example.com").await;
    assert_eq!(app.get_as(&member, "/users/me").await.status, StatusCode::OK);
    // From here on what is signed might outlive its key.
    app.advance(20 * 60).await;
    let refused = app.login("alice@example.com", PASSWORD).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::SERVICE_UNAVAILABLE, "unavailable"));
    assert!(!refused.header("retry-after").is_empty());
    app.fault(json!({ "service": "secretsmanager", "kind": "error", "count": 0 })).await;
    assert_eq!(app.login("alice@example.com", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_deployment_makes_keys_once_and_deletes_none() {
    let app = App::start().await;
    let (signing, derivation) = (app.secret(SIGNING).await, app.secret(DERIVATION).await);
    let told = format!("http://{}/_cloudformation", app.aws_address());
    for kind in ["Create", "Update", "Delete"] {
        let event = json!({
            "RequestType": kind, "ResponseURL": told, "StackId": "s", "RequestId": "r", "LogicalResourceId": "FirstKeys",
        });
        assert_eq!(app.invoke("rotation", event).await, Some(Value::Null), "{kind}");
    }
    assert_eq!((app.secret(SIGNING).await, app.secret(DERIVATION).await), (signing, derivation));
}

#[tokio::test]
async fn a_deployment_that_cannot_read_the_keys_makes_none() {
    let app = App::start().await;
    let before = (app.secret(SIGNING).await, app.secret(DERIVATION).await);
    let told = format!("http://{}/_cloudformation", app.aws_address());
    let event = json!({
        "RequestType": "Update", "ResponseURL": told, "StackId": "s", "RequestId": "r", "LogicalResourceId": "FirstKeys",
    });
    let fails = json!({ "service": "secretsmanager", "operation": "GetSecretValue", "kind": "error", "count": 1_000 });
    app.fault(fails).await;
    assert_eq!(app.invoke("rotation", event).await, None, "the deployment is told that it failed");
    app.fault(json!({ "service": "secretsmanager", "kind": "error", "count": 0 })).await;
    assert_eq!((app.secret(SIGNING).await, app.secret(DERIVATION).await), before);
}

async fn publish_the_first_alone(app: &App) {
    let mut fewer = app.secret(PUBLIC).await;
    fewer["keys"].as_array_mut().unwrap().truncate(1);
    let put = json!({ "SecretId": PUBLIC, "SecretString": fewer.to_string(), "ClientRequestToken": version(1) });
    assert_eq!(app.secrets("PutSecretValue", put).await.status, StatusCode::OK);
}

#[tokio::test]
async fn keys_of_a_quarter_of_an_hour_are_read_again_beside_a_request_and_younger_ones_are_not() {
    let app = App::start().await;
    let first = published(&app).await;
    publish_the_first_alone(&app).await;
    app.advance(2 * 60).await;
    for _ in 0..20 {
        assert_eq!(published(&app).await, first, "two minutes old");
    }
    app.advance(14 * 60).await;
    assert_eq!(published(&app).await, first, "this request does not wait");
    let read = async {
        while published(&app).await == first {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), read).await.expect("the keys as they are now");
    assert_eq!(published(&app).await, first[..1]);
}

#[tokio::test]
async fn keys_of_half_a_period_are_read_before_a_request_once_for_all_that_wait() {
    let app = App::start().await;
    let first = published(&app).await;
    publish_the_first_alone(&app).await;
    let ask = async || futures_util::future::join_all((0..10).map(|_| published(&app))).await;
    app.advance(SIGNING_PERIOD / 2 + 60).await;
    let before = asked(&app).await;
    assert_eq!(ask().await, vec![first[..1].to_vec(); 10], "as they are now");
    assert_eq!(asked(&app).await - before, 1, "once");
    app.fault(json!({ "service": "secretsmanager", "kind": "error", "count": 1_000 })).await;
    app.advance(SIGNING_PERIOD / 2 + 60).await;
    let mut tries = Vec::new();
    for pause in [0, 10, 61] {
        app.advance(pause).await;
        let before = asked(&app).await;
        ask().await;
        tries.push(asked(&app).await - before);
    }
    assert_eq!(tries, [4, 0, 4], "attempts of one reading, once a minute, while it is silent");
}

/// Calls to Secrets Manager so far, of all requests.
async fn asked(app: &App) -> usize {
    let entries: Value = app.get("/_local/ledger").await.json();
    let calls = entries.as_array().unwrap().iter().flat_map(|entry| entry["calls"].as_array().unwrap());
    calls.filter(|call| call["service"] == "secretsmanager").count()
}

#[tokio::test]
async fn an_unknown_key_has_the_keys_read_again_once_a_minute_at_the_most() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let rest = member.access_token.split_once('.').unwrap().1;
    let header = |kid: usize| json!({ "alg": "RS256", "typ": "at+jwt", "kid": format!("unknown{kid}") }).to_string();
    for minute in 0..3 {
        app.advance(61).await;
        let before = asked(&app).await;
        for kid in 0..20 {
            let token = format!("{}.{rest}", BASE64URL_NOPAD.encode(header(kid).as_bytes()));
            let answer = app.send(app.request(reqwest::Method::GET, "/users/me").bearer_auth(token)).await;
            assert_eq!(answer.code(), "invalid_token");
        }
        assert_eq!(asked(&app).await - before, 1, "in minute {minute}");
    }
}

#[tokio::test]
async fn after_a_leak_nothing_that_was_made_with_the_old_keys_counts() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let pending = app.register("bob@example.com").await;
    let link = app.verification_token("bob@example.com").await;
    let old = published(&app).await;
    for what in ["signing", "derivation"] {
        assert!(app.invoke("rotation", json!({ "Replace": what })).await.is_some(), "{what}");
    }
    // By then every instance reads the keys anew.
    app.advance(60 * 60).await;
    assert!(published(&app).await.iter().all(|kid| !old.contains(kid)));
    assert_eq!(app.get_as(&member, "/users/me").await.code(), "invalid_token");
    for member in [&member, &pending] {
        let refreshed = app.post("/auth/refresh", json!({ "refresh_token": member.refresh_token })).await;
        assert_eq!(refreshed.code(), "invalid_refresh_token");
    }
    let verified = app.post("/api/v1/auth/verify-email", json!({ "token": link })).await;
    assert_eq!(verified.code(), "invalid_verification_token");

    let member = app.sign_in("alice@example.com").await;
    assert_eq!(app.get_as(&member, "/users/me").await.status, StatusCode::OK);
    let refreshed = app.post("/auth/refresh", json!({ "refresh_token": member.refresh_token })).await;
    assert_eq!(refreshed.status, StatusCode::OK, "{}", refreshed.text);
    for (secret, period) in [(SIGNING, SIGNING_PERIOD), (DERIVATION, DERIVATION_PERIOD)] {
        app.advance(period).await;
        rotated(&app, secret, 1).await;
    }
    app.sign_in("alice@example.com").await;
    assert!(app.invoke("rotation", json!({ "Replace": "everything" })).await.is_none());
}

#[tokio::test]
async fn after_a_leak_a_rotation_under_way_brings_no_old_key_back() {
    for (secret, kind, period) in [(SIGNING, "signing", SIGNING_PERIOD), (DERIVATION, "derivation", DERIVATION_PERIOD)]
    {
        for steps in [&["createSecret"][..], &["createSecret", "setSecret", "testSecret"]] {
            let app = App::start().await;
            app.advance(period).await;
            let step =
                |step: &str, number| json!({ "Step": step, "SecretId": secret, "ClientRequestToken": version(number) });
            for name in steps {
                assert_eq!(app.invoke("rotation", step(name, 1)).await, Some(Value::Null), "{name}");
            }
            let prepared = app.secrets("GetSecretValue", json!({ "SecretId": secret, "VersionId": version(1) })).await;
            assert!(app.invoke("rotation", json!({ "Replace": kind })).await.is_some());
            let (replaced, jwks) = (app.secret(secret).await, app.secret(PUBLIC).await);
            for name in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
                assert_eq!(app.invoke("rotation", step(name, 1)).await, None, "{name} after {steps:?}");
            }
            // One whose answer was on its way prepares what it made of the old keys.
            let late = json!({
                "SecretId": secret, "ClientRequestToken": version(2), "VersionStages": ["AWSPENDING"],
                "SecretString": prepared.json()["SecretString"],
            });
            assert_eq!(app.secrets("PutSecretValue", late).await.status, StatusCode::OK);
            for name in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
                assert_eq!(app.invoke("rotation", step(name, 2)).await, None, "{name} after {steps:?}");
            }
            assert_eq!((app.secret(secret).await, app.secret(PUBLIC).await), (replaced, jwks));
            app.advance(period).await;
            rotated(&app, secret, 3).await;
        }
    }
}
