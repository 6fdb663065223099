use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// What an admin did to someone's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    UserCreated,
    UserUpdated,
    UserDeleted,
    SessionEnded,
}

impl Act {
    /// The word in the table and in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserCreated => "user_created",
            Self::UserUpdated => "user_updated",
            Self::UserDeleted => "user_deleted",
            Self::SessionEnded => "session_ended",
        }
    }

    /// The act of that word.
    pub fn of(word: &str) -> Option<Self> {
        let all = [Self::UserCreated, Self::UserUpdated, Self::UserDeleted, Self::SessionEnded];
        all.into_iter().find(|act| act.as_str() == word)
    }
}

/// A line of the audit trail: who did what to whom and when. It holds ids and words of ours, nothing personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub actor: Uuid,
    pub target: Uuid,
    pub act: Act,
    /// What was decided, by field: `role` is `ADMIN`. Of a field that a person fills in only that it was edited.
    pub changes: BTreeMap<String, String>,
}
