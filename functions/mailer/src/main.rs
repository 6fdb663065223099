//! Function `mailer`: sends the mail that the streams of the tables call for.

use lambda_runtime::{LambdaEvent, service_fn};
use shared::{Platform, StartFailure};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), StartFailure> {
    let platform = Platform::of_process()?;
    let mailer = mailer::Mailer::load(&platform).await?;
    Ok(lambda_runtime::run(service_fn(|event: LambdaEvent<_>| mailer.handle(event))).await?)
}
