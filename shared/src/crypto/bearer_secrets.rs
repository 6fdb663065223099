use serde::Deserialize;

use super::ClientSecrets;

/// The token with which a scraper reads the metrics.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct ScrapeToken(ClientSecrets);

impl ScrapeToken {
    /// Whether this is the token, compared in constant time.
    pub fn admits(&self, token: &str) -> bool {
        self.0.admit("token", token)
    }
}

/// What the distribution before the API adds to each request, which nobody else can.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct OriginSecret(ClientSecrets);

impl OriginSecret {
    /// Whether this is the secret, compared in constant time.
    pub fn proves(&self, secret: &str) -> bool {
        self.0.admit("secret", secret)
    }
}
