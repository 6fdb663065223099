use std::net::{IpAddr, Ipv6Addr};

use chrono::TimeDelta;

use super::{Code, Origin, Problem, layers};
use crate::{
    Platform,
    clock::Clock,
    config::{Rates, SettingError},
    crypto::{Derivation, Keyring},
    store::{Limit, Limits},
    telemetry::{self, Metric},
};

/// Limits the calls of one address and of one client. Fails closed; a call that it refuses spends no guess.
#[derive(Clone)]
pub struct Limiter {
    limits: Limits,
    derivation: Keyring<Derivation>,
    clock: Clock,
    rates: Rates,
}

/// What is limited by address, each with windows of its own.
#[derive(Clone, Copy, Debug)]
pub enum Limited {
    Login,
    Register,
    Resend,
    Reset,
    /// By client alone.
    Credential,
}

impl Limiter {
    /// The limiter of this stack.
    ///
    /// # Errors
    /// Where the function was not given the table.
    pub fn new(platform: &Platform, derivation: &Keyring<Derivation>) -> Result<Self, SettingError> {
        Ok(Self {
            limits: Limits::new(platform)?,
            derivation: derivation.clone(),
            clock: platform.clock.clone(),
            rates: platform.settings.rates,
        })
    }

    /// Counts a call of a public credential route: of its client, and of the address or username that it names.
    ///
    /// # Errors
    /// `too_many_requests` where a window is full.
    pub async fn admit(&self, limited: Limited, origin: &Origin, named: Option<&str>) -> Result<(), Problem> {
        if let Some((calls, client)) = self.rates.ip_per_minute.zip(origin.ip_address.as_deref().map(client)) {
            self.count(&Limit { scope: "ip", calls, window: TimeDelta::minutes(1) }, &client).await?;
        }
        self.admit_named(limited, named.unwrap_or_default()).await
    }

    /// Counts a call whose client was counted: of one more that it names, or of one more thing that it does.
    ///
    /// # Errors
    /// `too_many_requests` where a window is full.
    pub async fn admit_named(&self, limited: Limited, named: &str) -> Result<(), Problem> {
        for limit in self.windows(limited) {
            self.count(&limit, named).await?;
        }
        Ok(())
    }

    fn windows(&self, limited: Limited) -> Vec<Limit> {
        let (hour, day) = (TimeDelta::hours(1), TimeDelta::days(1));
        let rates = self.rates;
        match limited {
            Limited::Login => {
                vec![Limit { scope: "login", calls: rates.login_per_minute, window: TimeDelta::minutes(1) }]
            }
            Limited::Register => vec![Limit { scope: "register", calls: rates.register_per_hour, window: hour }],
            Limited::Resend => vec![Limit { scope: "resend", calls: rates.resend_per_hour, window: hour }],
            // The hour first: what it refuses is not counted in the day.
            Limited::Reset => vec![
                Limit { scope: "reset", calls: rates.reset_per_hour, window: hour },
                Limit { scope: "reset-day", calls: rates.reset_per_day, window: day },
            ],
            Limited::Credential => Vec::new(),
        }
    }

    async fn count(&self, limit: &Limit, who: &str) -> Result<(), Problem> {
        let now = self.clock.now();
        let window = self.limits.count(limit, &self.derivation.fresh().await?.lookup("limit", who), now).await?;
        let rest = window.ends - now;
        layers::note_rate_limit(limit, window.remaining, rest);
        if window.admitted {
            return Ok(());
        }
        telemetry::count(Metric::RateLimitRefusals);
        Err(Problem::new(Code::TooManyRequests, "Too many requests. Please try again later.").retry_after(rest))
    }
}

/// Whom an address of the network stands for: itself, or with IPv6 its /64, which one client has whole.
fn client(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
        Ok(IpAddr::V4(address)) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_one_address_or_one_network() {
        assert_eq!(client("203.0.113.7"), "203.0.113.7");
        assert_eq!(client("2001:db8:1:2:3:4:5:6"), client("2001:db8:1:2::1"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
    }
}
