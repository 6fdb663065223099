use std::sync::Arc;

use aws_sdk_sesv2::{
    Client,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::send_email::SendEmailError,
    types::{Body, Content, Destination, EmailContent, Message},
};
use data_encoding::BASE64;
use shared::{
    Platform, aws,
    config::Settings,
    crypto::SecretError,
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
    Key(#[from] SecretError),
    #[error(transparent)]
    Compose(#[from] ComposeError),
    #[error("the mail cannot be built: {0}")]
    Build(#[from] BuildError),
    #[error("SES refused the mail: {0}")]
    Refused(String),
    #[error("SES did not answer: {0}")]
    Unavailable(String),
}

impl Failure {
    /// Whether trying again can help. What cannot must not hold up the mails behind it.
    pub fn passes(&self) -> bool {
        match self {
            Self::Store(StoreError::Damaged { .. }) | Self::Compose(_) | Self::Build(_) | Self::Refused(_) => false,
            Self::Store(_) | Self::Key(_) | Self::Unavailable(_) => true,
        }
    }
}

/// Codes with which SES refuses this very mail, and would again.
const REFUSALS: &[&str] = &["BadRequestException", "MessageRejected", "NotFoundException"];

/// SES, and who the mail comes from.
#[derive(Clone)]
pub struct Post {
    client: Client,
    settings: Arc<Settings>,
}

impl Post {
    /// The post of this stack.
    pub fn new(platform: &Platform) -> Self {
        Self { client: platform.aws.ses(), settings: Arc::clone(&platform.settings) }
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
            .set_configuration_set_name(sender.configuration_set.clone())
            .from_email_address(format!("{} <{}>", display_name(&sender.from_name), sender.from))
            .destination(Destination::builder().to_addresses(to.to_ascii_domain()).build())
            .content(EmailContent::builder().simple(message).build());
        request.send().await.map(drop).map_err(|error| failure(&error))
    }
}

/// By SES's code. Its words can hold the address.
fn failure(error: &SdkError<SendEmailError>) -> Failure {
    let code = error.as_service_error().map(|refused| refused.code().unwrap_or("unknown").to_owned());
    match code {
        Some(code) if REFUSALS.contains(&code.as_str()) => Failure::Refused(code),
        Some(code) => Failure::Unavailable(code),
        None => Failure::Unavailable(aws::reason(error)),
    }
}

fn content(text: &str) -> Result<Content, BuildError> {
    Content::builder().charset("UTF-8").data(text).build()
}

/// A display name for a header: a quoted string (RFC 5322 §3.2.4), or an encoded word (RFC 2047 §2) where it is not ASCII.
fn display_name(name: &str) -> String {
    let name: String = name.chars().filter(|character| !character.is_control()).collect();
    if name.is_ascii() {
        return format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
    }
    format!("=?UTF-8?B?{}?=", BASE64.encode(name.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_name_stays_on_its_line_and_within_its_quotes() {
        assert_eq!(display_name("A \"B\" \\ C\r\nBcc: x"), r#""A \"B\" \\ CBcc: x""#);
        assert_eq!(display_name("Zürich"), "=?UTF-8?B?WsO8cmljaA==?=");
    }
}
