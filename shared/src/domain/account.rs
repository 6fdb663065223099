use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    AddressChange, AddressUndo, DisplayName, EmailAddress, Export, Guesses, Invitation, Session, SessionId, Username,
};

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    User,
    Admin,
}

impl Role {
    /// The word in tokens, answers and the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Admin => "ADMIN",
        }
    }

    /// The role of that word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::User, Self::Admin].into_iter().find(|role| role.as_str() == word)
    }
}

/// What a person subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    Basic,
    Premium,
}

impl Plan {
    /// The word in tokens, answers and the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Premium => "premium",
        }
    }

    /// The plan of that word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Basic, Self::Premium].into_iter().find(|plan| plan.as_str() == word)
    }
}

/// How long a verification link lives.
pub const VERIFICATION_LIFETIME: TimeDelta = TimeDelta::hours(24);

/// A password reset that is under way: code and link are derived from its id, and live and die together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    pub id: Uuid,
    pub end: DateTime<Utc>,
    /// The derivation key that code and link were made with.
    pub key: u32,
    /// Tries at the code that were reserved and not given back.
    pub tries: u32,
}

impl Reset {
    /// How long code and link live (ASVS 6.5.5).
    pub const LIFETIME: TimeDelta = TimeDelta::minutes(10);
    /// Wrong tries after which both are dead (ASVS 6.5.4).
    pub const TRIES: u32 = 5;

    /// Whether it may still be used at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        now < self.end && self.tries < Self::TRIES
    }
}

/// Everything that decides about a person, read in one strong read and changed by one conditional write.
#[derive(Clone)]
pub struct Account {
    pub id: Uuid,
    pub email: EmailAddress,
    pub username: Option<Username>,
    pub name: Option<DisplayName>,
    pub password_hash: String,
    pub role: Role,
    pub plan: Plan,
    pub active: bool,
    pub verified: bool,
    /// Whether an admin took that away.
    pub unverified_by_admin: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub guesses: Guesses,
    pub sessions: Vec<Session>,
    /// When its newest verification link was asked for.
    pub verification_asked_at: DateTime<Utc>,
    pub reset: Option<Reset>,
    /// Keyed hashes of the browser and system families that it signed in from, the one met first first.
    pub known_devices: Vec<String>,
    /// What the newest of them is called, for the mail that tells of it.
    pub newest_device: Option<String>,
    /// The language of its mails (BCP 47); English where it is none.
    pub language: Option<String>,
    /// A time zone of the IANA database.
    pub timezone: Option<String>,
    /// Whether others see nothing of the profile.
    pub profile_private: bool,
    /// Whether others see links and job-matching preferences.
    pub contact_public: bool,
    pub invitation: Option<Invitation>,
    pub address_change: Option<AddressChange>,
    /// The session that asked for it, which alone lives on when the address changes.
    pub address_change_by: Option<SessionId>,
    /// Changes of address that can be undone, the oldest first.
    pub address_undos: Vec<AddressUndo>,
    pub export: Option<Export>,
}

impl Account {
    /// How long an address may go without being verified; then its account is erased.
    pub const UNVERIFIED_LIFETIME: TimeDelta = TimeDelta::days(7);

    /// The session of that id, where it still counts.
    pub fn live_session(&self, id: SessionId, now: DateTime<Utc>) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == id && session.is_live(now))
    }

    /// `premium` of the contract: verified, and on the premium plan or an admin.
    pub fn is_premium(&self) -> bool {
        self.verified && (self.plan == Plan::Premium || self.role == Role::Admin)
    }

    /// Whether its address was verified at some time, also where an admin took that back.
    pub fn was_ever_verified(&self) -> bool {
        self.verified || self.unverified_by_admin
    }

    /// Whether it counts among the admins: one who cannot act is none.
    pub fn is_acting_admin(&self) -> bool {
        self.role == Role::Admin && self.active && self.verified
    }

    /// Whether others find it and see its public profile.
    pub fn is_listed(&self) -> bool {
        self.active && self.verified && !self.profile_private
    }

    /// The scopes of its tokens (RFC 9068 §2.2.3), separated by spaces.
    pub fn scope(&self, require_verified: bool) -> String {
        if require_verified && !self.verified {
            return String::new();
        }
        let premium = if self.is_premium() { " premium" } else { "" };
        let admin = if self.role == Role::Admin { " admin" } else { "" };
        format!("user{premium}{admin}")
    }
}

/// Neither the address nor the hash ends up in a log.
impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Account").field("id", &self.id).finish_non_exhaustive()
    }
}

/// An account that is about to be made.
#[derive(Clone)]
pub struct NewAccount {
    pub id: Uuid,
    pub email: EmailAddress,
    pub username: Option<Username>,
    pub name: Option<DisplayName>,
    pub password_hash: String,
    /// The session that registering opens, where it opens one.
    pub session: Option<Session>,
    /// A keyed hash of the family of the device that registers, where a person does.
    pub device_family: Option<String>,
    pub role: Role,
    pub plan: Plan,
    /// Where an admin makes it for someone.
    pub invitation: Option<Invitation>,
    pub created_at: DateTime<Utc>,
}

impl From<NewAccount> for Account {
    fn from(new: NewAccount) -> Self {
        Self {
            id: new.id,
            email: new.email,
            username: new.username,
            name: new.name,
            password_hash: new.password_hash,
            role: new.role,
            plan: new.plan,
            active: true,
            verified: false,
            unverified_by_admin: false,
            created_at: new.created_at,
            updated_at: new.created_at,
            last_login_at: None,
            guesses: Guesses::default(),
            sessions: new.session.into_iter().collect(),
            verification_asked_at: new.created_at,
            reset: None,
            known_devices: new.device_family.into_iter().collect(),
            newest_device: None,
            language: None,
            timezone: None,
            profile_private: false,
            contact_public: false,
            invitation: new.invitation,
            address_change: None,
            address_change_by: None,
            address_undos: Vec::new(),
            export: None,
        }
    }
}

#[cfg(test)]
impl NewAccount {
    /// Someone, for the tests of what is done with an account.
    pub fn sample() -> Self {
        Self {
            id: Uuid::nil(),
            email: EmailAddress::stored("alice@example.com"),
            username: None,
            name: None,
            password_hash: String::new(),
            session: None,
            device_family: None,
            role: Role::User,
            plan: Plan::Basic,
            invitation: None,
            created_at: DateTime::UNIX_EPOCH,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_dies_at_its_end_and_with_its_last_try() {
        let end = DateTime::UNIX_EPOCH;
        let live = |tries, now| Reset { id: Uuid::nil(), end, key: 0, tries }.is_live(now);
        let before = end - TimeDelta::milliseconds(1);
        assert!(live(0, before) && live(Reset::TRIES - 1, before));
        assert!(!live(0, end) && !live(Reset::TRIES, before));
    }

    #[test]
    fn an_account_is_printed_by_its_id_alone() {
        let printed = format!("{:?}", Account::from(NewAccount::sample()));
        assert_eq!(printed, format!("Account {{ id: {}, .. }}", Uuid::nil()));
    }
}
