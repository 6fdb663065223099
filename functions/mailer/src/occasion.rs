use aws_lambda_events::dynamodb::EventRecord;
use chrono::{DateTime, Utc};
use shared::{
    config::Settings,
    crypto::{Derivation, ResetSecret, VerificationToken},
    domain::{Account, LOCK, VERIFICATION_LIFETIME},
    mail::Mail,
    store::{Accounts, Event, Owed},
};

use crate::post::Failure;

/// A write to an account that may call for a mail.
pub struct Occasion {
    event: Event,
    pub account: Account,
}

impl Occasion {
    /// Reads a record of the stream; nothing where it is no write to an account.
    ///
    /// # Errors
    /// Where the image is damaged.
    pub fn of(record: EventRecord) -> Result<Option<Self>, Failure> {
        if record.event_name == "REMOVE" {
            return Ok(None);
        }
        let read = Accounts::read_image(record.change.new_image)?;
        Ok(read.map(|(event, account)| Self { event, account }))
    }

    /// The mail that it calls for, and the fact that it is about, as of `now`: a link that is dead by the time of a late
    /// delivery is not sent.
    pub fn mail(&self, settings: &Settings, derivation: &Derivation, now: DateTime<Utc>) -> Option<(Mail, Owed)> {
        let account = &self.account;
        let (mail, occasion) = match self.event {
            Event::RegisteredAgain if account.verified => {
                let at = account.verification_asked_at;
                (Mail::AlreadyRegistered { at }, at.timestamp_millis().to_string())
            }
            Event::Registered | Event::RegisteredAgain | Event::VerificationRequested => {
                let end = account.verification_asked_at + VERIFICATION_LIFETIME;
                let token = VerificationToken::new(account.id, &account.email, end, derivation).encode(derivation)?;
                let link = format!("{}/verify-email?token={token}", settings.public_base_url);
                let unneeded = account.verified || end <= now;
                (Some(Mail::Verification { link }).filter(|_| !unneeded)?, end.timestamp_millis().to_string())
            }
            Event::ResetRequested => {
                let reset = account.reset.as_ref().filter(|reset| now < reset.end)?;
                let secret = ResetSecret { user_id: account.id, id: reset.id, key: reset.key };
                let link = format!("{}/reset-password?token={}", settings.public_base_url, secret.encode(derivation)?);
                (Mail::Reset { code: secret.code(derivation)?, link }, reset.id.to_string())
            }
            Event::Locked => {
                let until = account.guesses.tried_at? + LOCK;
                (Mail::Locked { until }, account.guesses.generation.to_string())
            }
            Event::SignedInAnew => {
                let (device, at) = (account.newest_device.clone()?, account.last_login_at?);
                (Mail::NewDevice { device, at }, at.timestamp_millis().to_string())
            }
            Event::PasswordChanged => {
                let at = account.updated_at;
                (Mail::PasswordChanged { at }, at.timestamp_millis().to_string())
            }
            Event::Verified
            | Event::SignedIn
            | Event::Refreshed
            | Event::SessionEnded
            | Event::Guessed
            | Event::ResetTried => {
                return None;
            }
        };
        let owed = Owed { user_id: account.id, kind: mail.kind(), occasion };
        Some((mail, owed))
    }
}
