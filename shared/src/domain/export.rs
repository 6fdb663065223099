use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

/// A copy of all of a person's data that they asked for. The link to it is derived from its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub id: Uuid,
    pub asked_at: DateTime<Utc>,
    /// When it was written, once it is.
    pub ready_at: Option<DateTime<Utc>>,
}

impl Export {
    /// How long the link to it works.
    pub const LIFETIME: TimeDelta = TimeDelta::hours(24);
    /// How long one that is asked for stands in the way of another one.
    pub const PATIENCE: TimeDelta = TimeDelta::hours(1);

    /// When the link to it stops working.
    pub fn end(&self) -> Option<DateTime<Utc>> {
        self.ready_at.map(|ready_at| ready_at + Self::LIFETIME)
    }

    /// Whether it can be had at `now`.
    pub fn is_ready(&self, now: DateTime<Utc>) -> bool {
        self.end().is_some_and(|end| now < end)
    }

    /// The key of its object.
    pub fn object(&self, user_id: Uuid) -> String {
        format!("exports/{user_id}/{}.json", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_can_be_had_for_a_day_once_it_is_written() {
        let now = DateTime::UNIX_EPOCH;
        let asked = Export { id: Uuid::nil(), asked_at: now, ready_at: None };
        let ready = Export { ready_at: Some(now), ..asked.clone() };
        assert!(!asked.is_ready(now) && ready.is_ready(now + Export::LIFETIME - TimeDelta::milliseconds(1)));
        assert!(!ready.is_ready(now + Export::LIFETIME));
    }
}
