use axum::extract::FromRef;
use lambda_http::Error;
use shared::{Platform, http::Authority};

/// What the handlers of this function may touch.
#[derive(Clone, FromRef)]
pub struct State {
    pub authority: Authority,
}

impl State {
    /// Reads the published keys.
    ///
    /// # Errors
    /// Where a setting or a key is not to be had.
    pub async fn load(platform: &Platform) -> Result<Self, Error> {
        Ok(Self { authority: Authority::load(platform).await? })
    }
}
