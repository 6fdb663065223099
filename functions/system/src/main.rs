//! Function `system`: health, documentation, and every path that nobody else serves.

use shared::{Platform, http};

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    let platform = Platform::of_process()?;
    let state = system::State::load(&platform)?;
    lambda_http::run(http::observed(system::router(state), &platform.settings)).await
}
