//! What a function is started with.

use std::{fmt, sync::Arc};

use mimalloc::MiMalloc;

use crate::{
    aws::Clients,
    clock::Clock,
    config::{SettingError, Settings},
    telemetry,
};

/// Each request makes some thousand small allocations, most of them the SDK's, and they took a fifth of its processor time in
/// the C library's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Why a function does not start: one line that says it plainly, which is what `main` prints.
pub struct StartFailure(String);

impl<E: fmt::Display> From<E> for StartFailure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Debug for StartFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Settings, AWS clients and the clock: all that a function's state is built from.
#[derive(Clone)]
pub struct Platform {
    pub settings: Arc<Settings>,
    pub aws: Clients,
    pub clock: Clock,
}

impl Platform {
    /// The platform of a process of its own, as Lambda starts it: settings from the environment, logs to standard output.
    pub fn of_process() -> Result<Self, SettingError> {
        let settings = Settings::from_environment()?;
        telemetry::start(&settings);
        Ok(Self::new(settings, Clock::system()))
    }

    /// A platform with these settings and this clock.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        let aws = Clients::new(&settings);
        Self { settings: Arc::new(settings), aws, clock }
    }
}
