use std::sync::Arc;

use axum::extract::FromRef;
use lambda_http::Error;
use shared::{Platform, config::Settings, http::Pages, store::Tables};

use crate::documented::Documented;

/// What the handlers of this function may touch.
#[derive(Clone, FromRef)]
pub struct State {
    pub settings: Arc<Settings>,
    pub platform: Platform,
    pub tables: Tables,
    pub pages: Pages,
    pub documented: Documented,
}

impl State {
    /// Opens what the handlers need; nothing is asked of AWS yet.
    ///
    /// # Errors
    /// Where a setting is missing.
    pub fn load(platform: &Platform) -> Result<Self, Error> {
        let settings = Arc::clone(&platform.settings);
        let names =
            ["USERS_TABLE", "TOKENS_TABLE", "ATTEMPTS_TABLE"].map(|name| settings.resource(name).map(str::to_owned));
        let names = names.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            pages: Pages::new(&settings, &[("root.html", include_str!("pages/root.html"))])?,
            tables: Tables::new(platform.aws.dynamodb.clone(), names),
            documented: Documented::load()?,
            platform: platform.clone(),
            settings,
        })
    }
}
