//! The lock: three wrong passwords in a row, exact however many guesses run at once.
//!
//! A guess is *reserved* before it is compared and *settled* after. At most [`TRIES`] reservations fit in one
//! generation; a success starts a new generation, and so does the end of a lock.

use chrono::{DateTime, TimeDelta, Utc};

/// Wrong passwords in a row that lock an account.
pub const TRIES: u32 = 3;
/// How long a lock lasts.
pub const LOCK: TimeDelta = TimeDelta::minutes(15);
/// Longest life of a request (API Gateway gives up after 30 s): a guess unsettled for longer counts as wrong.
pub const REQUEST_LIFETIME: TimeDelta = TimeDelta::seconds(30);
/// How long an unfinished row of wrong guesses is remembered.
pub const MEMORY: TimeDelta = TimeDelta::days(30);

/// The counters behind the lock, of an account or of an address that nobody has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guesses {
    /// Reservations in this generation, settled or not.
    pub tries: u32,
    /// Those of them settled as wrong.
    pub wrong: u32,
    pub generation: u64,
    /// When the newest reservation was made.
    pub tried_at: Option<DateTime<Utc>>,
    /// The reservations of this generation, by which a repeated call recognises itself.
    pub reserved: Vec<String>,
    /// Those of them settled as wrong.
    pub settled: Vec<String>,
}

/// Whether a further guess may be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is room for a guess.
    Open,
    /// Three guesses are being compared; one of them may be right.
    Busy,
    /// Locked until then.
    Locked(DateTime<Utc>),
    /// The lock, or the memory of wrong guesses, is over: the next guess starts a new generation.
    Over,
}

impl Guesses {
    /// Where things stand at `now`.
    pub fn standing(&self, now: DateTime<Utc>) -> Standing {
        let Some(tried_at) = self.tried_at.filter(|_| self.tries > 0) else {
            return Standing::Open;
        };
        if self.tries < TRIES {
            return if tried_at + MEMORY <= now { Standing::Over } else { Standing::Open };
        }
        let ends = tried_at + LOCK;
        if ends <= now {
            Standing::Over
        } else if self.wrong >= TRIES || tried_at + REQUEST_LIFETIME <= now {
            Standing::Locked(ends)
        } else {
            Standing::Busy
        }
    }

    /// When the lock ends, where there is one.
    pub fn locked_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self.standing(now) {
            Standing::Locked(until) => Some(until),
            Standing::Open | Standing::Busy | Standing::Over => None,
        }
    }

    /// Wrong guesses that still count.
    pub fn failed(&self, now: DateTime<Utc>) -> u32 {
        if self.standing(now) == Standing::Over { 0 } else { self.wrong }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(tries: u32, wrong: u32, age: TimeDelta) -> Standing {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1000);
        let guesses = Guesses { tries, wrong, tried_at: Some(now - age), ..Guesses::default() };
        guesses.standing(now)
    }

    #[test]
    fn three_wrong_lock_for_fifteen_minutes() {
        assert!(matches!(standing(3, 3, TimeDelta::zero()), Standing::Locked(_)));
        assert!(matches!(standing(3, 3, LOCK - TimeDelta::milliseconds(1)), Standing::Locked(_)));
        assert_eq!(standing(3, 3, LOCK), Standing::Over);
    }

    #[test]
    fn unsettled_guesses_hold_the_door_and_then_count_as_wrong() {
        assert_eq!(standing(3, 2, TimeDelta::zero()), Standing::Busy);
        assert_eq!(standing(3, 0, REQUEST_LIFETIME - TimeDelta::milliseconds(1)), Standing::Busy);
        assert!(matches!(standing(3, 0, REQUEST_LIFETIME), Standing::Locked(_)));
    }

    #[test]
    fn fewer_than_three_leave_room_until_they_are_forgotten() {
        assert_eq!(standing(2, 2, LOCK), Standing::Open);
        assert_eq!(standing(2, 2, MEMORY), Standing::Over);
        assert_eq!(Guesses::default().standing(DateTime::UNIX_EPOCH), Standing::Open);
        assert_eq!(standing(0, 0, MEMORY), Standing::Open, "a success has begun a new row");
    }
}
