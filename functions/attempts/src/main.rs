//! Function `attempts`: coding attempts.

use shared::{Platform, StartFailure, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartFailure> {
    let platform = Platform::of_process()?;
    let state = attempts::State::load(&platform).await?;
    Ok(lambda_http::run(http::finish(attempts::router(state), &platform)).await?)
}
