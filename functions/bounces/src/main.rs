//! Function `bounces`: remembers the addresses that SES reports as dead, or whose owners complained.

use lambda_runtime::{LambdaEvent, service_fn};
use shared::{Platform, StartFailure};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartFailure> {
    let platform = Platform::of_process()?;
    let bounces = bounces::Bounces::load(&platform).await?;
    Ok(lambda_runtime::run(service_fn(|event: LambdaEvent<_>| bounces.handle(event))).await?)
}
