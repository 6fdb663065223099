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
const REFUSALS: &[&str] = &["BadRequestException", "MessageRejected"];

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
        request.send().await.map(drop).map_err(|error| failure(&error, &sender.from))
    }
}

/// By SES's code. Its words can hold the address.
fn failure(error: &SdkError<SendEmailError>, from: &str) -> Failure {
    let Some(refused) = error.as_service_error() else { return Failure::Unavailable(aws::reason(error)) };
    let code = refused.code().unwrap_or("unknown").to_owned();
    if refused.message().is_some_and(|words| names_sender(words, from)) {
        return Failure::Unavailable(format!("{code}: the sender is not verified"));
    }
    if REFUSALS.contains(&code.as_str()) { Failure::Refused(code) } else { Failure::Unavailable(code) }
}

/// Whether the sender is among the identities that SES says are not verified, which is no fault of the mail. In the sandbox it is the
/// reader who is not (<https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html>).
fn names_sender(words: &str, from: &str) -> bool {
    let domain = from.rsplit('@').next().unwrap_or(from);
    let identities = words.split(|character: char| character.is_whitespace() || ",<>\"".contains(character));
    words.contains("not verified")
        && identities.into_iter().any(|word| [from, domain].iter().any(|sender| word.eq_ignore_ascii_case(sender)))
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
    fn a_sender_that_is_not_verified_is_told_from_a_reader_who_is_not() {
        let refused = |identities: &str| {
            let words =
                "Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: ";
            names_sender(&format!("{words}{identities}"), "accounts@example.com")
        };
        for named in [
            "accounts@example.com",
            "a@example.org, Accounts@Example.com",
            "\"A\" <accounts@example.com>",
            "example.com",
        ] {
            assert!(refused(named), "{named}");
        }
        for reader in ["a@example.org", "other@example.com", "accounts@example.com.example.org"] {
            assert!(!refused(reader), "{reader}");
        }
        assert!(!names_sender("Mail to accounts@example.com is refused.", "accounts@example.com"));
    }

    #[test]
    fn a_display_name_stays_on_its_line_and_within_its_quotes() {
        assert_eq!(display_name("A \"B\" \\ C\r\nBcc: x"), r#""A \"B\" \\ CBcc: x""#);
        assert_eq!(display_name("Zürich"), "=?UTF-8?B?WsO8cmljaA==?=");
    }
}
