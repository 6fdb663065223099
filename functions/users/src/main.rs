//! Function `users`: the user: profile, preferences, plan, search, administration.

use shared::{Platform, StartFailure, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartFailure> {
    let platform = Platform::of_process()?;
    let state = users::State::load(&platform).await?;
    Ok(lambda_http::run(http::finish(users::router(state), &platform)).await?)
}
