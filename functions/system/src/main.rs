//! Function `system`: health, documentation, and every path that nobody else serves.

use shared::{Platform, StartFailure, http};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartFailure> {
    let platform = Platform::of_process()?;
    let state = system::State::load(&platform)?;
    Ok(lambda_http::run(http::observed(system::router(state), &platform)).await?)
}
