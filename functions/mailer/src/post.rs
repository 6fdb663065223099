use std::sync::Arc;

use aws_sdk_sesv2::{
    Client,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::send_email::SendEmailError,
    types::{Body, Content, Destination, EmailContent, Message},
};
use shared::{
    Platform, aws,
    config::Settings,
    domain::EmailAddress,
    mail::{ComposeError, Composed},
    store::StoreError,
};
use thiserror::Error;

/// Why a mail was not sent. Its words hold no address.
#[derive(Debug, Error)]
pub enum Failure {
    #[error("the store failed")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Compose(#[from] ComposeError),
    #[error("the mail cannot be built: {0}")]
    Build(#[from] BuildError),
    #[error("SES did not take the mail: {0}")]
    Ses(String),
}

/// SES, and who the mail comes from.
#[derive(Clone)]
pub struct Post {
    client: Client,
    settings: Arc<Settings>,
}

impl Post {
    /// The post of this stack.
    pub fn new(platform: &Platform) -> Self {
        Self { client: platform.aws.ses.clone(), settings: Arc::clone(&platform.settings) }
    }

    /// Sends a mail to one address.
    ///
    /// # Errors
    /// Where SES does not take it.
    pub async fn send(&self, to: &EmailAddress, mail: &Composed) -> Result<(), Failure> {
        let body = Body::builder().text(content(&mail.text)?).html(content(&mail.html)?).build();
        let message = Message::builder().subject(content(&mail.subject)?).body(body).build();
        let sender = &self.settings.mail;
        let request = self
            .client
            .send_email()
            .from_email_address(format!("{} <{}>", quoted(&sender.from_name), sender.from))
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().simple(message).build())
            .set_configuration_set_name(sender.configuration_set.clone());
        request.send().await.map(drop).map_err(|error| Failure::Ses(refusal(&error)))
    }
}

/// The code of SES's refusal. Its words can hold the address.
fn refusal(error: &SdkError<SendEmailError>) -> String {
    let code = error.as_service_error().map(|refused| refused.code().unwrap_or("unknown").to_owned());
    code.unwrap_or_else(|| aws::reason(error))
}

fn content(text: &str) -> Result<Content, BuildError> {
    Content::builder().charset("UTF-8").data(text).build()
}

/// A display name as a quoted string (RFC 5322 §3.2.4), on one line.
fn quoted(name: &str) -> String {
    let escaped: String = name.chars().filter(|character| !character.is_control()).flat_map(escape).collect();
    format!("\"{escaped}\"")
}

fn escape(character: char) -> impl Iterator<Item = char> {
    matches!(character, '"' | '\\').then_some('\\').into_iter().chain([character])
}
