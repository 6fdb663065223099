use std::sync::Arc;

use axum::extract::FromRef;
use lambda_http::Error;
use shared::{
    Platform,
    config::Settings,
    crypto::{Keyring, PublicKeys},
    http::Pages,
    store::{Table, Tables},
};

use crate::documented::Documented;

/// What the handlers of this function may touch.
#[derive(Clone, FromRef)]
pub struct State {
    pub settings: Arc<Settings>,
    pub platform: Platform,
    pub tables: Tables,
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
        let tables =
            [table("users", "USERS_TABLE")?, table("tokens", "TOKENS_TABLE")?, table("attempts", "ATTEMPTS_TABLE")?];
        Ok(Self {
            pages: Pages::new(&settings, &[("root.html", include_str!("pages/root.html"))])?,
            tables: Tables::new(platform.aws.dynamodb.clone(), tables),
            documented: Documented::load()?,
            published: Keyring::new(platform),
            platform: platform.clone(),
            settings,
        })
    }
}
