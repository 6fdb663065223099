use aws_lambda_events::dynamodb::EventRecord;
use shared::{
    config::Settings,
    crypto::{Derivation, VerificationToken},
    domain::{Account, LOCK},
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

    /// The mail that it calls for, as of `now`: a link that is dead by the time of a late delivery is not sent.
    pub fn mail(
        &self,
        settings: &Settings,
        derivation: &Derivation,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Option<Mail> {
        match self.event {
            Event::Registered | Event::VerificationRequested => {
                let link = self.account.verification.as_ref().filter(|link| now < link.end)?;
                let token =
                    VerificationToken { user_id: self.account.id, id: link.id, key: link.key }.encode(derivation)?;
                Some(Mail::Verification { link: format!("{}/verify-email?token={token}", settings.public_base_url) })
            }
            Event::Locked => Some(Mail::Locked { until: self.account.guesses.tried_at? + LOCK }),
            Event::Verified | Event::SignedIn | Event::Guessed => None,
        }
    }

    /// What is owed, by the fact that it is about: the link, or the row of guesses.
    pub fn owed(&self, mail: &Mail) -> Owed {
        let occasion = match (mail, &self.account.verification) {
            (Mail::Verification { .. }, Some(link)) => link.id.simple().to_string(),
            _ => self.account.guesses.generation.to_string(),
        };
        Owed { user_id: self.account.id, kind: mail.kind(), occasion }
    }
}
