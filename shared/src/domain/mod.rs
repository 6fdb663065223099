//! What an account, a session and an attempt are. Knows nobody: no axum, no AWS.

mod account;
mod account_edit;
mod address_change;
mod attempt;
mod audit;
mod device;
mod document;
mod email;
mod export;
mod guess;
mod identifier;
mod name;
#[cfg(test)]
mod normalisers;
mod password;
mod profile;
mod search;
mod session;
mod tally;
mod text;
mod username;

pub use account::{Account, NewAccount, Plan, Reset, Role, VERIFICATION_LIFETIME};
pub use account_edit::AccountEdit;
pub use address_change::{AddressChange, AddressUndo, Invitation};
pub use attempt::{Attempt, Day, NewAttempt, Outcome, QuestionProgress, Repeatable, Summary};
pub use audit::{Act, AuditEntry};
pub use device::Device;
pub use document::{Document, Edit, Edits, Field, Kind, Unset};
pub use email::EmailAddress;
pub use export::Export;
pub use guess::{Guesses, LOCK, MEMORY, REQUEST_LIFETIME, Standing, TRIES};
pub use identifier::Identifier;
pub use name::DisplayName;
pub use password::{NewPassword, PasswordRules, Plaintext};
pub use profile::{
    AVATAR, CONTACT_VISIBILITY, EXTENDED, JOB_MATCHING, LANGUAGE, LINKS, PROFILE, PROFILE_VISIBILITY, SETTINGS,
    TIMEZONE, agree,
};
pub use search::{SearchHit, words_of};
pub use session::{Session, SessionId, SessionTimes, Stay};
pub use tally::Tally;
pub use username::Username;

use chrono::TimeDelta;
use thiserror::Error;

/// How long anything that is derived and not stored can live: a refresh token, whose session ends by then.
pub const LONGEST_DERIVED: TimeDelta = session::ABSOLUTE;

/// Why a value from outside was refused, in words for the person who sent it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct Invalid(pub String);

impl Invalid {
    pub(crate) fn because(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}
