//! What a stopwatch learns of an address, by a two-sided sign test over pairs of measurements: which of the two answered
//! sooner, in how many of them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::client::{Answer, App};

use super::introspect::introspect;

/// Pairs of measurements, known and unknown in turn, so that a machine that slows down slows both.
const PAIRS: usize = 200;
/// In how many of the pairs the known address may answer sooner. Of 200 fair coins fewer or more show heads once in 10,953
/// times (9.1e-5); a known address that answers sooner in 70 of 100 pairs is found out 97 times of 100.
const FAIR: std::ops::RangeInclusive<usize> = 73..=127;
/// Less than a hash takes. Beside all other tests on two cores, no less is sure to be noticed.
const NOTICED: Duration = Duration::from_millis(10);
/// How long after its request an answer leaves, at the earliest, that is the same for accounts and for nobody.
const HELD: Duration = Duration::from_millis(100);

/// In how many of the pairs the first of two answers sooner. The second one's calls to AWS are `late`.
async fn first_sooner(app: &App, late: Duration, names: (&str, &str), call: impl AsyncFn(String)) -> usize {
    let measure = async |name: &str, pair: usize, late: Duration| {
        // What the one of them owes by mail is not to slow the other down.
        app.letters("nobody").await;
        if !late.is_zero() {
            let milliseconds = u64::try_from(late.as_millis()).unwrap();
            app.fault(json!({ "service": "dynamodb", "kind": "slow", "milliseconds": milliseconds, "count": 1 })).await;
        }
        // Twice an address, so that none is locked or over its limit.
        let email = format!("{name}{}@example.com", pair / 2);
        let began = Instant::now();
        call(email).await;
        began.elapsed()
    };
    let mut sooner = 0;
    for pair in 0..PAIRS {
        // Now the one first, now the other.
        let (first, second) = if pair % 4 < 2 {
            let first = measure(names.0, pair, Duration::ZERO).await;
            (first, measure(names.1, pair, late).await)
        } else {
            let second = measure(names.1, pair, late).await;
            (measure(names.0, pair, Duration::ZERO).await, second)
        };
        sooner += usize::from(first < second);
    }
    sooner
}

/// In how many of the pairs a known address is answered sooner than an unknown one.
async fn known_sooner(app: &App, call: impl AsyncFn(String) -> Answer) -> usize {
    for number in 0..PAIRS / 2 {
        app.register(&format!("known{number}@example.com")).await;
    }
    first_sooner(app, Duration::ZERO, ("known", "nobody"), async |email| drop(call(email).await)).await
}

fn log_in(email: &str) -> Value {
    json!({ "email": email, "password": "wrong" })
}

#[tokio::test]
async fn a_stopwatch_at_login_does_not_tell_known_addresses_from_unknown_ones() {
    let app = App::start().await;
    let sooner = known_sooner(&app, async |email| app.post("/auth/login", log_in(&email)).await).await;
    assert!(FAIR.contains(&sooner), "known addresses answered sooner in {sooner} of {PAIRS} pairs");
}

#[tokio::test]
async fn a_stopwatch_at_forgot_password_does_not_tell_known_addresses_from_unknown_ones() {
    let app = App::start().await;
    let ask = async |email| app.post("/auth/forgot-password", json!({ "email": email })).await;
    let sooner = known_sooner(&app, ask).await;
    assert!(FAIR.contains(&sooner), "known addresses answered sooner in {sooner} of {PAIRS} pairs");
}

/// At a door whose answers leave as soon as they can, and between two calls that are the same.
#[tokio::test]
async fn the_stopwatch_notices_ten_milliseconds() {
    let app = App::start().await;
    let member = app.member("alice@example.com").await;
    let call = async |_| drop(introspect(&app, &member.access_token).await);
    let sooner = first_sooner(&app, NOTICED, ("one", "other"), call).await;
    assert!(sooner > *FAIR.end(), "what answered {NOTICED:?} sooner did so in {sooner} of {PAIRS} pairs");
}

/// What `path` says of `body`, no sooner than it may.
async fn said_in_time(app: &App, path: &str, body: Value) -> String {
    let began = Instant::now();
    let answer = app.post(path, body).await;
    let took = began.elapsed();
    assert!(took >= HELD, "{path} answered {} after {took:?}", answer.text);
    format!("{} {}", answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn what_is_said_alike_of_accounts_and_of_nobody_is_said_a_tenth_of_a_second_later() {
    let app = App::with(&[("REGISTRATION", "private")]).await;
    let alice = json!({ "email": "alice@example.com", "password": "SecurePass123!" });
    app.post("/auth/register", alice).await;
    for email in ["alice@example.com", "nobody@example.com"] {
        let (named, new) = (json!({ "email": email }), json!({ "email": email, "password": "SecurePass123!" }));
        let code = json!({ "email": email, "code": "wrong" });
        let reset = json!({ "email": email, "code": "wrong", "new_password": "An0ther-Password" });
        for (path, body, said) in [
            ("/auth/login", log_in(email), "401 invalid_credentials"),
            ("/auth/login", log_in(email), "401 invalid_credentials"),
            ("/auth/login", log_in(email), "401 invalid_credentials"),
            ("/auth/login", log_in(email), "403 account_locked"),
            ("/auth/forgot-password", named.clone(), "200 "),
            ("/auth/verify-reset-code", code, "401 invalid_reset_code"),
            ("/auth/reset-password", reset, "401 invalid_reset_code"),
            ("/api/v1/auth/verify-email-request", named, "200 "),
            ("/auth/register", new, "202 "),
        ] {
            assert_eq!(said_in_time(&app, path, body).await.trim_end(), said.trim_end(), "{path} {email}");
        }
    }
}

/// How long a wrong sign-in takes where one call to DynamoDB outlasts the hold, so that nothing hides what comes on top.
async fn beyond_the_hold(app: &App, email: &str) -> Duration {
    app.letters("nobody").await;
    let milliseconds = u64::try_from(HELD.as_millis()).unwrap();
    app.fault(json!({ "service": "dynamodb", "kind": "slow", "milliseconds": milliseconds, "count": 1 })).await;
    let began = Instant::now();
    app.post("/auth/login", log_in(email)).await;
    began.elapsed()
}

#[tokio::test]
async fn a_password_of_nobody_is_hashed_as_well() {
    const PAIRS: usize = 40;
    // Of 40 fair coins more show heads once in 311 times; without its hash, an unknown address was the sooner one in all 40.
    const FEW: usize = 28;
    let app = App::start().await;
    let mut sooner = 0;
    for pair in 0..PAIRS {
        let (one, other) = (format!("known{}@example.com", pair / 2), format!("nobody{}@example.com", pair / 2));
        if pair % 2 == 0 {
            app.register(&one).await;
        }
        let (known, unknown) = if pair % 4 < 2 {
            let known = beyond_the_hold(&app, &one).await;
            (known, beyond_the_hold(&app, &other).await)
        } else {
            let unknown = beyond_the_hold(&app, &other).await;
            (beyond_the_hold(&app, &one).await, unknown)
        };
        assert!(known > HELD && unknown > HELD, "{known:?} {unknown:?}");
        sooner += usize::from(unknown + NOTICED < known);
    }
    assert!(sooner <= FEW, "unknown addresses answered {NOTICED:?} sooner in {sooner} of {PAIRS} pairs");
}
