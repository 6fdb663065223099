//! What a stopwatch learns of an address, by a two-sided sign test over pairs of measurements: which of the two answered
//! sooner, in how many of them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::client::App;

/// Pairs of measurements, known and unknown in turn, so that a machine that slows down slows both.
const PAIRS: usize = 200;
/// In how many of the pairs the known address may answer sooner. Of 200 fair coins fewer or more show heads once in 10,953
/// times (9.1e-5); a known address that answers sooner in 70 of 100 pairs is found out 97 times of 100.
const FAIR: std::ops::RangeInclusive<usize> = 73..=127;
/// Less than a hash takes. Beside all other tests on two cores, no less is sure to be noticed.
const NOTICED: Duration = Duration::from_millis(10);

/// In how many of the pairs the known address answers `path` sooner. The unknown one's calls to AWS are `late`.
async fn known_sooner(app: &App, path: &str, late: Duration, body: impl Fn(&str) -> Value) -> usize {
    for number in 0..PAIRS / 2 {
        app.register(&format!("known{number}@example.com")).await;
    }
    let measure = async |email: String, late: Duration| {
        // What the one of them owes by mail is not to slow the other down.
        app.letters("nobody").await;
        if !late.is_zero() {
            let milliseconds = u64::try_from(late.as_millis()).unwrap();
            app.fault(json!({ "service": "dynamodb", "kind": "slow", "milliseconds": milliseconds, "count": 1 })).await;
        }
        let began = Instant::now();
        app.post(path, body(&email)).await;
        began.elapsed()
    };
    let mut sooner = 0;
    for pair in 0..PAIRS {
        // Twice an address, so that none is locked or over its limit; now the one first, now the other.
        let (one, other) = (format!("known{}@example.com", pair / 2), format!("nobody{}@example.com", pair / 2));
        let (known, unknown) = if pair % 4 < 2 {
            let known = measure(one, Duration::ZERO).await;
            (known, measure(other, late).await)
        } else {
            let unknown = measure(other, late).await;
            (measure(one, Duration::ZERO).await, unknown)
        };
        sooner += usize::from(known < unknown);
    }
    sooner
}

fn log_in(email: &str) -> Value {
    json!({ "email": email, "password": "wrong" })
}

#[tokio::test]
async fn a_stopwatch_at_login_does_not_tell_known_addresses_from_unknown_ones() {
    let app = App::start().await;
    let sooner = known_sooner(&app, "/auth/login", Duration::ZERO, log_in).await;
    assert!(FAIR.contains(&sooner), "known addresses answered sooner in {sooner} of {PAIRS} pairs");
}

#[tokio::test]
async fn a_stopwatch_at_forgot_password_does_not_tell_known_addresses_from_unknown_ones() {
    let app = App::start().await;
    let ask = |email: &str| json!({ "email": email });
    let sooner = known_sooner(&app, "/auth/forgot-password", Duration::ZERO, ask).await;
    assert!(FAIR.contains(&sooner), "known addresses answered sooner in {sooner} of {PAIRS} pairs");
}

#[tokio::test]
async fn the_stopwatch_notices_ten_milliseconds() {
    let app = App::start().await;
    let sooner = known_sooner(&app, "/auth/login", NOTICED, log_in).await;
    assert!(sooner > *FAIR.end(), "addresses that answered {NOTICED:?} sooner did so in {sooner} of {PAIRS} pairs");
}
