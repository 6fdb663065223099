//! A function that reads one account by the SDK, set up as the service sets it up, and does nothing else. The request's body is
//! the account's partition key.

use aws_sdk_dynamodb::types::AttributeValue;
use lambda_http::{Error, Request, service_fn};
use shared::{aws::Clients, config::Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let settings = Settings::from_environment()?;
    let client = Clients::new(&settings).dynamodb();
    let table = settings.resource("USERS_TABLE")?;
    let read = |request: Request| {
        let key = String::from_utf8_lossy(request.body()).into_owned();
        let read = client.get_item().table_name(table).consistent_read(true);
        let read = read.key("pk", AttributeValue::S(key)).key("sk", AttributeValue::S("ACCOUNT".to_owned()));
        async {
            let item = read.send().await?.item.ok_or("there is no such account")?;
            Ok::<_, Error>(item.len().to_string())
        }
    };
    lambda_http::run(service_fn(read)).await
}
