//! What a stopwatch learns of an address: nothing that a fair coin would not say.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tests::client::App;

/// Pairs of measurements, known and unknown in turn, so that a machine that slows down slows both.
const PAIRS: usize = 60;
/// The share of pairs in which the known address may answer sooner. With 60 fair coins it lies outside of these bounds
/// once in 20,000 runs; a difference of one write or one hash would put it near 0 or 1.
const BOUNDS: std::ops::RangeInclusive<f64> = 0.24..=0.76;

fn share(known: &[Duration], unknown: &[Duration]) -> f64 {
    let sooner = known.iter().zip(unknown).filter(|(known, unknown)| known < unknown).count();
    sooner as f64 / known.len() as f64
}

/// In how many of the pairs the known address answers `path` sooner.
async fn known_sooner(app: &App, path: &str, body: impl Fn(&str) -> Value) -> f64 {
    for number in 0..PAIRS / 2 {
        app.register(&format!("known{number}@example.com")).await;
    }
    app.letters("nobody").await;
    let measure = async |email: String| {
        let began = Instant::now();
        app.post(path, body(&email)).await;
        began.elapsed()
    };
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        // Twice an address, so that none is locked or over its limit; now the one first, now the other.
        let (one, other) = (format!("known{}@example.com", pair / 2), format!("nobody{}@example.com", pair / 2));
        if pair % 4 < 2 {
            known.push(measure(one).await);
            unknown.push(measure(other).await);
        } else {
            unknown.push(measure(other).await);
            known.push(measure(one).await);
        }
        // What the one of them owes by mail is not to slow the other down.
        app.letters("nobody").await;
    }
    share(&known, &unknown)
}

#[tokio::test]
async fn a_stopwatch_at_login_does_not_tell_known_addresses_from_unknown_ones() {
    let app = App::start().await;
    let share = known_sooner(&app, "/auth/login", |email| json!({ "email": email, "password": "wrong" })).await;
    assert!(BOUNDS.contains(&share), "known addresses answered sooner in {share} of the pairs");
}

#[tokio::test]
async fn a_stopwatch_at_forgot_password_does_not_tell_known_addresses_from_unknown_ones() {
    let app = App::start().await;
    let share = known_sooner(&app, "/auth/forgot-password", |email| json!({ "email": email })).await;
    assert!(BOUNDS.contains(&share), "known addresses answered sooner in {share} of the pairs");
}
