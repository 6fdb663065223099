use axum::extract::FromRef;
use lambda_http::Error;
use shared::{Platform, clock::Clock, http::Authority, store::Attempts};

/// What the handlers of this function may touch.
#[derive(Clone, FromRef)]
pub struct State {
    pub clock: Clock,
    pub authority: Authority,
    pub attempts: Attempts,
}

impl State {
    /// Reads the published keys and opens the table.
    ///
    /// # Errors
    /// Where a setting or a key is not to be had.
    pub async fn load(platform: &Platform) -> Result<Self, Error> {
        Ok(Self {
            clock: platform.clock.clone(),
            authority: Authority::load(platform).await?,
            attempts: Attempts::new(platform)?,
        })
    }
}
