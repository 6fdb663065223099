//! A function that makes the read of `me` by the SDK, set up as the service sets it up, and does nothing else. The request's
//! body is the partition key of the account and of its profile.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use lambda_http::{Error, Request, service_fn};
use shared::{aws::Clients, config::Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::from_environment()?;
    let client = Clients::new(&settings).dynamodb();
    let table = settings.resource("USERS_TABLE")?;
    let read = async |request: Request| {
        let partition = String::from_utf8_lossy(request.body()).into_owned();
        let key = |sort: &str| {
            let text = |text: &str| AttributeValue::S(text.to_owned());
            HashMap::from([("pk".to_owned(), text(&partition)), ("sk".to_owned(), text(sort))])
        };
        let keys =
            KeysAndAttributes::builder().consistent_read(true).keys(key("ACCOUNT")).keys(key("PROFILE")).build()?;
        let answer = client.batch_get_item().request_items(table, keys).send().await?;
        match answer.responses.and_then(|mut found| found.remove(table)).as_deref() {
            Some([one, other]) => Ok::<_, Error>((one.len() + other.len()).to_string()),
            _ => Err("an account, or its profile, is not there".into()),
        }
    };
    lambda_http::run(service_fn(read)).await
}
