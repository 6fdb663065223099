//! The one seam of the service: who says what time it is.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, Utc};
use uuid::{NoContext, Timestamp, Uuid};

/// Tells the time. Two implementations exist: [`Clock::system`], and the local stack's, which a person or a test can move.
pub trait TimeSource: Send + Sync {
    /// The present moment.
    fn now(&self) -> DateTime<Utc>;
}

/// A shared [`TimeSource`].
#[derive(Clone)]
pub struct Clock(Arc<dyn TimeSource>);

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self::new(System)
    }

    /// A clock that asks `source`.
    pub fn new(source: impl TimeSource + 'static) -> Self {
        Self(Arc::new(source))
    }

    /// The present moment in whole milliseconds, the precision of everything stored and answered.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.now().trunc_subsecs(3)
    }

    /// A new id of the present moment: a UUID of version 7 (RFC 9562 §5.7).
    pub fn new_id(&self) -> Uuid {
        let now = self.now();
        let seconds = now.timestamp().unsigned_abs();
        Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos()))
    }
}

struct System;

impl TimeSource for System {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
