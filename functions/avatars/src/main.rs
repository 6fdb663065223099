//! Function `avatars`: pictures of people.

use shared::{Platform, StartFailure, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartFailure> {
    let platform = Platform::of_process()?;
    let state = avatars::State::load(&platform).await?;
    Ok(lambda_http::run(http::finish(avatars::router(state), &platform)).await?)
}
