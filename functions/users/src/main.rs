//! Function `users`: the user: profile, preferences, plan, search, administration.

use shared::{Platform, http};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let platform = Platform::of_process()?;
    let state = users::State::load(&platform).await?;
    lambda_http::run(http::finish(users::router(state), &platform.settings)).await
}
