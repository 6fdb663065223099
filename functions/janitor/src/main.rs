//! Function `janitor`: keeps the search index in line, erases what is deleted, and clears up, by streams and by schedule.

use lambda_runtime::{LambdaEvent, service_fn};
use shared::{Platform, StartFailure};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartFailure> {
    let platform = Platform::of_process()?;
    let janitor = janitor::Janitor::load(&platform)?;
    Ok(lambda_runtime::run(service_fn(|event: LambdaEvent<_>| janitor.handle(event))).await?)
}
