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
/// The template of each kind of mail.
const TEMPLATES: &[(&str, &str)] = &[
    ("already_registered", include_str!("templates/already_registered.html")),
    ("locked", include_str!("templates/locked.html")),
    ("new_device", include_str!("templates/new_device.html")),
    ("password_changed", include_str!("templates/password_changed.html")),
    ("reset", include_str!("templates/reset.html")),
    ("verification", include_str!("templates/verification.html")),
];

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
    /// Tells the owner that three wrong passwords locked the account.
    Locked { until: DateTime<Utc> },
    /// Tells the owner of a sign-in from a browser and system that the account had not seen.
    NewDevice { device: String, at: DateTime<Utc> },
    /// Tells the owner that the password is another one now.
    PasswordChanged { at: DateTime<Utc> },
    /// Gives the owner what a password reset needs: a code, or a link.
    Reset { code: String, link: String },
}

impl Mail {
    /// The word for it in tables, logs and template names.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Verification { .. } => "verification",
            Self::AlreadyRegistered { .. } => "already_registered",
            Self::Locked { .. } => "locked",
            Self::NewDevice { .. } => "new_device",
            Self::PasswordChanged { .. } => "password_changed",
            Self::Reset { .. } => "reset",
        }
    }

    fn context(&self) -> Value {
        match self {
            Self::Verification { link } => context! { link },
            Self::Locked { until } => context! { until => spoken(*until) },
            Self::NewDevice { device, at } => context! { device, at => spoken(*at) },
            Self::AlreadyRegistered { at } | Self::PasswordChanged { at } => context! { at => spoken(*at) },
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
        let context = context! { app_name => &*self.app_name, name, ..mail.context() };
        let template = self.environment.get_template(mail.kind())?;
        let mut rendered = template.render_captured(context)?;
        let mut block = |name| rendered.with_state_mut(|state| state.render_block(name));
        Ok(Composed {
            subject: block("subject")?.trim().to_owned(),
            text: block("text")?.trim_start().to_owned(),
            html: rendered.into_output(),
        })
    }
}
