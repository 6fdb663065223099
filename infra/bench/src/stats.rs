//! The middle and the end of what was measured.

use std::time::Duration;

use crate::{Failure, Result};

/// The value that so much of all are at most.
pub fn percentile(values: &mut [f64], part: f64) -> Result<f64> {
    values.sort_by(f64::total_cmp);
    let place = (values.len() as f64 * part).ceil() as usize;
    values.get(place.max(1) - 1).copied().ok_or_else(nothing)
}

fn nothing() -> Failure {
    Failure("nothing was measured".into())
}

/// The median.
pub fn median(values: &mut [f64]) -> Result<f64> {
    percentile(values, 0.5)
}

/// The least.
pub fn least(values: &[f64]) -> Result<f64> {
    values.iter().copied().min_by(f64::total_cmp).ok_or_else(nothing)
}

/// A duration in milliseconds, rounded to microseconds.
pub fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

/// Rounded to so many decimals: what is beyond them is noise.
pub fn rounded(value: f64, decimals: i32) -> f64 {
    let scale = 10_f64.powi(decimals);
    (value * scale).round() / scale
}
