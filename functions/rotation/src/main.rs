//! Function `rotation`: makes the first keys, and rotates them.

use lambda_runtime::{LambdaEvent, service_fn};
use shared::{Platform, StartFailure};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartFailure> {
    let platform = Platform::of_process()?;
    let rotation = rotation::Rotation::load(&platform)?;
    Ok(lambda_runtime::run(service_fn(|event: LambdaEvent<_>| rotation.handle(event))).await?)
}
