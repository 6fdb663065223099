use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::EmailAddress;

/// A change of address that its new address has still to confirm. The link is derived from its id.
#[derive(Clone, PartialEq, Eq)]
pub struct AddressChange {
    pub id: Uuid,
    pub email: EmailAddress,
    pub end: DateTime<Utc>,
}

impl AddressChange {
    /// How long the new address may confirm.
    pub const LIFETIME: TimeDelta = TimeDelta::hours(24);

    /// Whether it may still be confirmed at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        now < self.end
    }
}

/// A change of address that its old address may still undo, and that holds the old address meanwhile.
#[derive(Clone, PartialEq, Eq)]
pub struct AddressUndo {
    pub id: Uuid,
    /// The old address.
    pub email: EmailAddress,
    pub end: DateTime<Utc>,
}

impl AddressUndo {
    /// How long the old address may undo.
    pub const LIFETIME: TimeDelta = TimeDelta::days(7);
    /// Changes that can be undone at once; until one of them is settled, the address stays.
    pub const MOST: usize = 3;

    /// Whether it may still be undone at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        now < self.end
    }
}

/// An account that an admin made, or that was registered twice, whose owner has still to choose a password. The link is derived from
/// its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub id: Uuid,
    pub end: DateTime<Utc>,
}

impl Invitation {
    /// How long it may be accepted.
    pub const LIFETIME: TimeDelta = TimeDelta::days(7);

    /// Whether it may still be accepted at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        now < self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_dies_at_its_end() {
        let (id, end) = (Uuid::nil(), DateTime::UNIX_EPOCH);
        let email = EmailAddress::parse("alice@example.com").unwrap();
        let before = end - TimeDelta::milliseconds(1);
        let change = AddressChange { id, email: email.clone(), end };
        let undo = AddressUndo { id, email, end };
        let invitation = Invitation { id, end };
        let live = |now| [change.is_live(now), undo.is_live(now), invitation.is_live(now)];
        assert_eq!((live(before), live(end)), ([true; 3], [false; 3]));
    }
}
