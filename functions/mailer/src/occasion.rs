use aws_lambda_events::dynamodb::EventRecord;
use chrono::{DateTime, Utc};
use shared::{
    config::Settings,
    crypto::{Derivation, LinkPurpose, MailedLink, ResetSecret, VerificationToken},
    domain::{Account, EmailAddress, LOCK, VERIFICATION_LIFETIME},
    mail::Mail,
    store::{Accounts, Event, Owed},
};

use crate::post::Failure;

/// What happened to an account.
enum Happened {
    Written(Event),
    Deleted,
}

/// A change of an account that may call for a mail.
pub struct Occasion {
    happened: Happened,
    pub account: Account,
}

/// A mail, whom it goes to, and the fact that it is about.
pub struct Due {
    pub mail: Mail,
    pub to: EmailAddress,
    pub owed: Owed,
}

impl Occasion {
    /// Reads a record of the stream; nothing where it is no change of an account.
    ///
    /// # Errors
    /// Where the image is damaged.
    pub fn of(record: EventRecord) -> Result<Option<Self>, Failure> {
        if record.event_name == "REMOVE" {
            let read = Accounts::read_image(record.change.old_image)?;
            return Ok(read.map(|(_, account)| Self { happened: Happened::Deleted, account }));
        }
        let read = Accounts::read_image(record.change.new_image)?;
        Ok(read.map(|(event, account)| Self { happened: Happened::Written(event), account }))
    }

    /// The mail that it calls for as of `now`: a link that is dead by the time of a late delivery is not sent.
    pub fn due(&self, settings: &Settings, derivation: &Derivation, now: DateTime<Utc>) -> Option<Due> {
        let account = &self.account;
        let event = match self.happened {
            Happened::Written(event) => event,
            // Nobody proved that an address which was never verified is theirs: it gets no farewell.
            Happened::Deleted if account.verified => {
                return Some(
                    self.told(Mail::AccountDeleted { at: now }, account.created_at.timestamp_millis().to_string()),
                );
            }
            Happened::Deleted => return None,
        };
        Some(match event {
            Event::RegisteredAgain if account.was_ever_verified() => {
                let at = account.verification_asked_at;
                self.told(Mail::AlreadyRegistered { at }, at.timestamp_millis().to_string())
            }
            Event::RegisteredAgain
                if let Some(invitation) = account.invitation.as_ref().filter(|invitation| invitation.is_live(now)) =>
            {
                let link = MailedLink { user_id: account.id, id: invitation.id };
                let token = link.encode(LinkPurpose::Invitation, derivation)?;
                let link = format!("{}/accept-invitation?token={token}", settings.public_base_url);
                let at = account.verification_asked_at;
                self.told(Mail::RegisteredAgain { link, at }, at.timestamp_millis().to_string())
            }
            Event::Registered | Event::RegisteredAgain | Event::VerificationRequested => {
                let end = account.verification_asked_at + VERIFICATION_LIFETIME;
                let token = VerificationToken::new(account.id, &account.email, end, derivation).encode(derivation)?;
                let link = format!("{}/verify-email?token={token}", settings.public_base_url);
                let unneeded = account.verified || end <= now;
                let mail = Some(Mail::Verification { link }).filter(|_| !unneeded)?;
                self.told(mail, end.timestamp_millis().to_string())
            }
            Event::Invited => {
                let invitation = account.invitation.as_ref().filter(|invitation| invitation.is_live(now))?;
                let link = MailedLink { user_id: account.id, id: invitation.id };
                let token = link.encode(LinkPurpose::Invitation, derivation)?;
                let link = format!("{}/accept-invitation?token={token}", settings.public_base_url);
                self.told(Mail::Invitation { link }, invitation.id.to_string())
            }
            Event::ResetRequested => {
                let reset = account.reset.as_ref().filter(|reset| now < reset.end)?;
                let secret = ResetSecret { user_id: account.id, id: reset.id, key: reset.key };
                let link = format!("{}/reset-password?token={}", settings.public_base_url, secret.encode(derivation)?);
                self.told(Mail::Reset { code: secret.code(derivation)?, link }, reset.id.to_string())
            }
            Event::Locked => {
                let until = account.guesses.tried_at? + LOCK;
                self.told(Mail::Locked { until }, account.guesses.generation.to_string())
            }
            Event::SignedInAnew => {
                let (device, at) = (account.newest_device.clone()?, account.last_login_at?);
                self.told(Mail::NewDevice { device, at }, at.timestamp_millis().to_string())
            }
            Event::PasswordChanged => {
                let at = account.updated_at;
                self.told(Mail::PasswordChanged { at }, at.timestamp_millis().to_string())
            }
            Event::RoleChanged => {
                let at = account.updated_at;
                self.told(Mail::RoleChanged { role: account.role.as_str(), at }, at.timestamp_millis().to_string())
            }
            Event::AddressChangeRequested => {
                let change = account.address_change.as_ref().filter(|change| change.is_live(now))?;
                let link = MailedLink { user_id: account.id, id: change.id };
                let token = link.encode(LinkPurpose::AddressChange, derivation)?;
                let link = format!("{}/verify-email?token={token}", settings.public_base_url);
                let due = self.told(Mail::AddressChange { link }, change.id.to_string());
                Due { to: change.email.clone(), ..due }
            }
            Event::AddressChanged => {
                let undo = account.address_undos.last().filter(|undo| undo.is_live(now))?;
                let link = MailedLink { user_id: account.id, id: undo.id };
                let token = link.encode(LinkPurpose::AddressUndo, derivation)?;
                let link = format!("{}/undo-email-change?token={token}", settings.public_base_url);
                let (new_address, at) = (account.email.as_str().to_owned(), account.updated_at);
                let due = self.told(Mail::AddressChanged { new_address, link, at }, undo.id.to_string());
                Due { to: undo.email.clone(), ..due }
            }
            Event::ExportReady => {
                let export = account.export.as_ref().filter(|export| export.is_ready(now))?;
                let link = MailedLink { user_id: account.id, id: export.id }.encode(LinkPurpose::Export, derivation)?;
                let link = format!("{}/export?token={link}", settings.public_base_url);
                self.told(Mail::ExportReady { link }, export.id.to_string())
            }
            Event::AddressRestored => {
                let at = account.updated_at;
                self.told(Mail::AddressRestored { at }, at.timestamp_millis().to_string())
            }
            Event::Verified
            | Event::SignedIn
            | Event::Refreshed
            | Event::SessionEnded
            | Event::Guessed
            | Event::ResetTried
            | Event::Edited
            | Event::Imported
            | Event::ExportRequested => {
                return None;
            }
        })
    }

    /// A mail to the account's own address.
    fn told(&self, mail: Mail, occasion: String) -> Due {
        let owed = Owed { user_id: self.account.id, kind: mail.kind(), occasion };
        Due { mail, to: self.account.email.clone(), owed }
    }
}
