use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// Days from login after which a session ends whatever its use (ASVS 7.3.2, 10.4.8).
pub(super) const ABSOLUTE: TimeDelta = TimeDelta::days(30);
/// Idle time of a session that was not to be remembered.
const SHORT_IDLE: TimeDelta = TimeDelta::hours(24);

/// The id of a session; also the `sid` of its access tokens.
pub type SessionId = Uuid;

/// How long a session stays without use: `remember_me` of the login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stay {
    Remembered,
    Short,
}

impl Stay {
    /// What the login's `remember_me` asks for.
    pub fn remembering(remember: bool) -> Self {
        if remember { Self::Remembered } else { Self::Short }
    }

    /// How long a session stays without use, where one to be remembered stays for `refresh_ttl`.
    pub fn idle(self, refresh_ttl: TimeDelta) -> TimeDelta {
        match self {
            Self::Remembered => refresh_ttl,
            Self::Short => SHORT_IDLE.min(refresh_ttl),
        }
    }

    /// Whether it was to be remembered.
    pub fn is_remembered(self) -> bool {
        self == Self::Remembered
    }
}

/// When a session was used and when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTimes {
    /// Last sign-in or refresh.
    pub used_at: DateTime<Utc>,
    /// Ends then unless it is used before (ASVS 7.3.1).
    pub idle_end: DateTime<Utc>,
    /// Ends then at the latest.
    pub absolute_end: DateTime<Utc>,
}

impl SessionTimes {
    /// A session that begins `now`.
    pub fn beginning(now: DateTime<Utc>, stay: Stay, refresh_ttl: TimeDelta) -> Self {
        Self { used_at: now, idle_end: now + stay.idle(refresh_ttl), absolute_end: now + ABSOLUTE }
    }

    /// When it ends unless it is used before.
    pub fn end(&self) -> DateTime<Utc> {
        self.idle_end.min(self.absolute_end)
    }
}

/// A session as the account's roster holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    /// Which refresh token is the live one, counted from 0.
    pub number: u32,
    pub times: SessionTimes,
    /// The derivation key that the live refresh token was made with.
    pub key: u32,
    pub stay: Stay,
}

impl Session {
    /// Whether it still counts at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        now < self.times.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_over_at_its_end() {
        let (now, ttl) = (DateTime::UNIX_EPOCH, TimeDelta::days(7));
        let times = SessionTimes::beginning(now, Stay::remembering(true), ttl);
        let session = Session { id: SessionId::nil(), number: 0, times, key: 0, stay: Stay::remembering(true) };
        assert!(session.is_live(now + ttl - TimeDelta::milliseconds(1)) && !session.is_live(now + ttl));
    }
}
