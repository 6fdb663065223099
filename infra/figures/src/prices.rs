//! List prices, of one dated file.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

static FILE: &str = include_str!("../prices.toml");

/// Prices, Cognito's tiers, and what is assumed.
#[derive(Clone, Debug, Deserialize)]
pub struct Prices {
    pub date: String,
    pub cognito: Vec<Plan>,
    pub assumed: Assumed,
    #[serde(flatten)]
    prices: BTreeMap<String, Price>,
}

/// A price and where it stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub usd: f64,
    pub source: String,
    /// Which of several it is.
    pub of: Option<String>,
    /// It was not read at its source.
    #[serde(default)]
    pub unseen: bool,
}

/// A plan of Cognito's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub name: String,
    pub source: String,
    #[serde(default)]
    pub unseen: bool,
    /// Dollars for each monthly active user, up to so many.
    tiers: Vec<(f64, f64)>,
}

/// What is not measured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assumed {
    pub round_trip_ms: f64,
    pub cold_share: f64,
    pub access_log_bytes: f64,
    pub traced_share: f64,
    pub mb_of_one_processor: f64,
}

static PRICES: LazyLock<Result<Prices, String>> =
    LazyLock::new(|| toml::from_str(FILE).map_err(|error| error.to_string()));

impl Prices {
    /// Those of the file.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn read() -> Result<&'static Self, String> {
        PRICES.as_ref().map_err(Clone::clone)
    }

    /// A price in dollars.
    ///
    /// # Errors
    /// Where the file has none of that name.
    pub fn usd(&self, name: &str) -> Result<f64, String> {
        self.prices.get(name).map(|price| price.usd).ok_or_else(|| format!("prices.toml has no {name}"))
    }

    /// All of them by name.
    pub fn all(&self) -> impl Iterator<Item = (&String, &Price)> {
        self.prices.iter()
    }
}

impl Plan {
    /// A month of so many active users, in dollars.
    pub fn month(&self, users: f64) -> f64 {
        let mut below = 0.0;
        self.tiers.iter().fold(0.0, |sum, (up_to, usd)| {
            let within = (users.min(*up_to) - below).max(0.0);
            below = *up_to;
            sum + within * usd
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_counts_each_tier_by_itself() {
        let lite = &Prices::read().unwrap().cognito[0];
        assert!(lite.month(10_000.0) == 0.0);
        assert!((lite.month(100_000.0) - 90_000.0 * 0.0055).abs() < 1e-6);
        assert!((lite.month(200_000.0) - (90_000.0 * 0.0055 + 100_000.0 * 0.0046)).abs() < 1e-6);
    }
}
