use std::fmt;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{DisplayName, EmailAddress, Guesses, Session, SessionId, Username};

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

/// A verification link that is out: the id that its token is derived from, and when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    pub id: Uuid,
    pub end: DateTime<Utc>,
    /// The derivation key that the link was made with.
    pub key: u32,
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
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub last_login_at: Option<DateTime<Utc>>,
    pub guesses: Guesses,
    pub sessions: Vec<Session>,
    pub verification: Option<Verification>,
}

impl Account {
    /// The session of that id, where it still counts.
    pub fn live_session(&self, id: SessionId, now: DateTime<Utc>) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == id && session.is_live(now))
    }

    /// `premium` of the contract: verified, and on the premium plan or an admin.
    pub fn is_premium(&self) -> bool {
        self.verified && (self.plan == Plan::Premium || self.role == Role::Admin)
    }

    /// The scopes of its tokens (RFC 9068 §2.2.3), separated by spaces.
    pub fn scope(&self) -> String {
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

/// An account that is about to be made, with the session that registering opens.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub id: Uuid,
    pub email: EmailAddress,
    pub username: Option<Username>,
    pub name: Option<DisplayName>,
    pub password_hash: String,
    pub verification: Verification,
    pub session: Session,
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
            role: Role::User,
            plan: Plan::Basic,
            active: true,
            verified: false,
            created_at: new.created_at,
            updated_at: new.created_at,
            last_login_at: None,
            guesses: Guesses::default(),
            sessions: vec![new.session],
            verification: Some(new.verification),
        }
    }
}
