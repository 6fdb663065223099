//! What each mail says: one template a mail, with a block each for subject, text and HTML. Templates are embedded.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use minijinja::{Environment, Value, context};
use thiserror::Error;

use crate::{
    config::Settings,
    domain::{Account, DisplayName},
    markup,
};

/// The frame around the HTML of every mail.
const FRAME: &str = include_str!("templates/frame.html");
/// The languages that mails are written in; the first one is for everyone else.
const LANGUAGES: [&str; 2] = ["en", "de"];

macro_rules! templates {
    ($($kind:literal)*) => {
        /// The template of each kind of mail in each language.
        const TEMPLATES: &[(&str, &str)] = &[$(
            (concat!("en/", $kind), include_str!(concat!("templates/en/", $kind, ".html"))),
            (concat!("de/", $kind), include_str!(concat!("templates/de/", $kind, ".html"))),
        )*];
    };
}

templates! {
    "account_deleted" "address_change" "address_changed" "address_restored" "already_registered" "export_ready"
    "invitation" "locked" "new_device" "password_changed" "registered_again" "reset" "role_changed" "verification"
}

/// A mail that cannot be written is a fault of its template.
#[derive(Debug, Error)]
#[error("a mail cannot be composed: {0}")]
pub struct ComposeError(#[from] minijinja::Error);

/// A mail about something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mail {
    /// Asks the owner of an address to follow a link.
    Verification { link: String },
    /// Tells the owner that someone registered their address once more.
    AlreadyRegistered { at: DateTime<Utc> },
    /// Tells the owner that someone registered their address once more, which nobody verified yet, and has them choose the password.
    RegisteredAgain { link: String, at: DateTime<Utc> },
    /// Tells the owner that three wrong passwords locked the account.
    Locked { until: DateTime<Utc> },
    /// Tells the owner of a sign-in from a browser and system that the account had not seen.
    NewDevice { device: String, at: DateTime<Utc> },
    /// Tells the owner that the password is another one now.
    PasswordChanged { at: DateTime<Utc> },
    /// Gives the owner what a password reset needs: a code, or a link.
    Reset { code: String, link: String },
    /// Asks someone for whom an admin made an account to choose a password.
    Invitation { link: String },
    /// Tells the owner that their role is another one now.
    RoleChanged { role: &'static str, at: DateTime<Utc> },
    /// Asks the owner of a new address to confirm it.
    AddressChange { link: String },
    /// Tells the old address that the account has another one, and how to undo that.
    AddressChanged { new_address: String, link: String, at: DateTime<Utc> },
    /// Tells the owner that the account has its old address again.
    AddressRestored { at: DateTime<Utc> },
    /// Confirms that the account is deleted.
    AccountDeleted { at: DateTime<Utc> },
    /// Tells the owner where the export of their data is.
    ExportReady { link: String },
}

impl Mail {
    /// The word for it in tables, logs and template names.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Verification { .. } => "verification",
            Self::AlreadyRegistered { .. } => "already_registered",
            Self::RegisteredAgain { .. } => "registered_again",
            Self::Locked { .. } => "locked",
            Self::NewDevice { .. } => "new_device",
            Self::PasswordChanged { .. } => "password_changed",
            Self::Reset { .. } => "reset",
            Self::Invitation { .. } => "invitation",
            Self::RoleChanged { .. } => "role_changed",
            Self::AddressChange { .. } => "address_change",
            Self::AddressChanged { .. } => "address_changed",
            Self::AddressRestored { .. } => "address_restored",
            Self::AccountDeleted { .. } => "account_deleted",
            Self::ExportReady { .. } => "export_ready",
        }
    }

    fn context(&self) -> Value {
        match self {
            Self::Verification { link }
            | Self::Invitation { link }
            | Self::AddressChange { link }
            | Self::ExportReady { link } => context! { link },
            Self::RegisteredAgain { link, at } => context! { link, at => spoken(*at) },
            Self::Locked { until } => context! { until => spoken(*until) },
            Self::NewDevice { device, at } => context! { device, at => spoken(*at) },
            Self::AlreadyRegistered { at }
            | Self::PasswordChanged { at }
            | Self::AddressRestored { at }
            | Self::AccountDeleted { at } => context! { at => spoken(*at) },
            Self::RoleChanged { role, at } => context! { role => *role, at => spoken(*at) },
            Self::AddressChanged { new_address, link, at } => context! { new_address, link, at => spoken(*at) },
            Self::Reset { code, link } => context! { code, link },
        }
    }
}

fn spoken(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// A mail as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Writes mails.
#[derive(Clone)]
pub struct Composer {
    environment: Arc<Environment<'static>>,
    app_name: Arc<str>,
}

impl Composer {
    /// A composer with the embedded templates.
    ///
    /// # Errors
    /// Where a template is not one.
    pub fn new(settings: &Settings) -> Result<Self, ComposeError> {
        let mut environment = markup::environment();
        environment.add_template("frame", FRAME)?;
        for (kind, template) in TEMPLATES {
            environment.add_template(kind, template)?;
        }
        Ok(Self { environment: Arc::new(environment), app_name: settings.app_name.as_str().into() })
    }

    /// Writes `mail` to the owner of `account`.
    ///
    /// # Errors
    /// Where its template fails.
    pub fn compose(&self, mail: &Mail, account: &Account) -> Result<Composed, ComposeError> {
        // Until the address is proven, whoever registered chose the name: a stranger is sent none of their words.
        let name = account.name.as_ref().filter(|_| account.verified).map(DisplayName::as_str);
        let language = language(account.language.as_deref());
        let context = context! { app_name => &*self.app_name, name, language, ..mail.context() };
        let template = self.environment.get_template(&format!("{language}/{}", mail.kind()))?;
        let mut rendered = template.render_captured(context)?;
        let mut block = |name| rendered.with_state_mut(|state| state.render_block(name));
        Ok(Composed {
            subject: block("subject")?.trim().to_owned(),
            text: block("text")?.trim_start().to_owned(),
            html: rendered.into_output(),
        })
    }
}

/// The language to write in for someone who set `tag` (BCP 47): its first part decides.
fn language(tag: Option<&str>) -> &'static str {
    let wanted = tag.and_then(|tag| tag.split('-').next()).unwrap_or_default();
    LANGUAGES.into_iter().find(|language| language.eq_ignore_ascii_case(wanted)).unwrap_or(LANGUAGES[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_that_is_not_written_falls_back_to_english() {
        let cases = [(Some("de"), "de"), (Some("DE-ch"), "de"), (Some("fr"), "en"), (Some("den"), "en"), (None, "en")];
        for (tag, expected) in cases {
            assert_eq!(language(tag), expected, "{tag:?}");
        }
    }
}
