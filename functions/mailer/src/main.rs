//! Function `mailer`: sends the mail that the streams of the tables call for.

use lambda_runtime::{LambdaEvent, service_fn};
use shared::Platform;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    let platform = Platform::of_process()?;
    let mailer = mailer::Mailer::load(&platform).await?;
    lambda_runtime::run(service_fn(|event: LambdaEvent<_>| mailer.handle(event))).await
}
