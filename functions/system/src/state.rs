use std::sync::Arc;

use axum::extract::FromRef;
use chrono::{DateTime, Utc};
use lambda_http::Error;
use shared::{
    Platform,
    aws::reason,
    clock::Clock,
    config::Settings,
    crypto::{Keyring, PublicKeys, ScrapeToken},
    http::{Authority, Pages},
    store::{Counters, Table, Tables},
};

use crate::documented::Documented;

/// What the handlers of this function may touch.
#[derive(Clone, FromRef)]
pub struct State {
    pub settings: Arc<Settings>,
    pub platform: Platform,
    pub authority: Authority,
    pub clock: Clock,
    /// When this instance was.
    pub started_at: DateTime<Utc>,
    pub tables: Tables,
    pub counters: Counters,
    pub scrape_token: Keyring<ScrapeToken>,
    pub pages: Pages,
    pub published: Keyring<PublicKeys>,
    pub documented: Documented,
}

impl State {
    /// Opens what the handlers need; nothing is asked of AWS yet.
    ///
    /// # Errors
    /// Where a setting is missing.
    pub fn load(platform: &Platform) -> Result<Self, Error> {
        let settings = Arc::clone(&platform.settings);
        let table = |label, setting| settings.resource(setting).map(|name| Table { label, name: name.to_owned() });
        let tables = [
            table("users", "USERS_TABLE")?,
            table("tokens", "TOKENS_TABLE")?,
            table("attempts", "ATTEMPTS_TABLE")?,
            table("audit", "AUDIT_TABLE")?,
        ];
        Ok(Self {
            pages: Pages::new(&settings, &[("root.html", include_str!("pages/root.html"))])?,
            tables: Tables::new(platform.aws.dynamodb(), tables),
            documented: Documented::load()?,
            published: Keyring::new(platform),
            scrape_token: Keyring::new(platform),
            counters: Counters::new(platform)?,
            authority: Authority::unread(platform)?,
            clock: platform.clock.clone(),
            started_at: platform.clock.now(),
            platform: platform.clone(),
            settings,
        })
    }

    /// The tables that cannot be read; DynamoDB itself where it does not answer.
    pub async fn missing_tables(&self) -> Vec<String> {
        match self.tables.unready().await {
            Ok(labels) => labels.into_iter().map(|label| format!("table {label}")).collect(),
            Err(error) => {
                tracing::warn!(reason = reason(&error), "the tables do not answer");
                vec!["DynamoDB".to_owned()]
            }
        }
    }
}
