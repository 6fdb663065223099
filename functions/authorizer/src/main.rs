//! Function `authorizer`: decides for other APIs whether a caller may pass.

use lambda_runtime::{LambdaEvent, service_fn};
use shared::{Platform, StartFailure};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartFailure> {
    let platform = Platform::of_process()?;
    let authorizer = authorizer::Authorizer::load(&platform).await?;
    Ok(lambda_runtime::run(service_fn(|event: LambdaEvent<_>| authorizer.handle(event))).await?)
}
