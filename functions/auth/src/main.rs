//! Function `auth`: accounts and sign-in.

use shared::{Platform, http};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let platform = Platform::of_process()?;
    let state = auth::State::load(&platform).await?;
    lambda_http::run(http::finish(auth::router(state), &platform.settings)).await
}
