use std::ops::AddAssign;

use super::{Account, Plan};

/// How much of everything there is, or how much more a change brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub users: i64,
    pub active: i64,
    pub premium: i64,
    pub verified: i64,
    /// Sessions that have not been ended. One whose time is over counts until the next write to its account, so this is an
    /// estimate.
    pub sessions: i64,
    pub sign_ins: i64,
    pub locks: i64,
    pub mails: i64,
    pub attempts: i64,
}

impl Tally {
    /// What there is more of after an account changed. It did not exist where there is no `before`, and was deleted where
    /// there is no `after`.
    pub fn of_change(before: Option<&Account>, after: Option<&Account>) -> Self {
        let (before, after) = (Self::of(before), Self::of(after));
        Self {
            users: after.users - before.users,
            active: after.active - before.active,
            premium: after.premium - before.premium,
            verified: after.verified - before.verified,
            sessions: after.sessions - before.sessions,
            ..Self::default()
        }
    }

    fn of(account: Option<&Account>) -> Self {
        let Some(account) = account else { return Self::default() };
        Self {
            users: 1,
            active: i64::from(account.active),
            premium: i64::from(account.plan == Plan::Premium),
            verified: i64::from(account.verified),
            sessions: i64::try_from(account.sessions.len()).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Every part by its name, as it is stored and shown.
    pub fn parts(&mut self) -> [(&'static str, &mut i64); 9] {
        [
            ("users", &mut self.users),
            ("active", &mut self.active),
            ("premium", &mut self.premium),
            ("verified", &mut self.verified),
            ("sessions", &mut self.sessions),
            ("sign_ins", &mut self.sign_ins),
            ("locks", &mut self.locks),
            ("mails", &mut self.mails),
            ("attempts", &mut self.attempts),
        ]
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, mut other: Self) {
        for ((_, part), (_, more)) in self.parts().into_iter().zip(other.parts()) {
            *part += *more;
        }
    }
}
