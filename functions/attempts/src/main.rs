//! Function `attempts`: coding attempts.

use shared::{Platform, http};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let platform = Platform::of_process()?;
    let state = attempts::State::load(&platform).await?;
    lambda_http::run(http::finish(attempts::router(state), &platform.settings)).await
}
