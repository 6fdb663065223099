//! Function `auth`: accounts and sign-in.

use shared::{Platform, StartFailure, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartFailure> {
    let platform = Platform::of_process()?;
    let state = auth::State::load(&platform).await?;
    Ok(lambda_http::run(http::finish(auth::router(state), &platform)).await?)
}
