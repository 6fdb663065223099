use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
};

use chrono::{DateTime, TimeDelta, Utc};
use shared::clock::{Clock, TimeSource};

use crate::{Data, StartError, files};

/// The machine's clock, moved forward by whole seconds. On disk the distance is kept, or a restart would go back in time. It
/// can be stopped, and then goes on only where it is moved: what has to be right to the second does not depend on the machine.
#[derive(Clone)]
pub struct MovableClock {
    ahead: Arc<AtomicI64>,
    stopped: Arc<OnceLock<DateTime<Utc>>>,
    file: Option<PathBuf>,
    system: Clock,
}

impl MovableClock {
    /// The clock of this data.
    pub fn open(data: &Data) -> Result<Self, StartError> {
        let file = match data {
            Data::Memory => None,
            Data::Folder(folder) => Some(folder.join("clock")),
        };
        let ahead = match &file {
            Some(path) if path.exists() => read(path)?,
            _ => 0,
        };
        Ok(Self { ahead: Arc::new(AtomicI64::new(ahead)), stopped: Arc::default(), file, system: Clock::system() })
    }

    /// Stops the clock, for as long as the process lives.
    pub fn stop(&self) {
        self.stopped.get_or_init(|| self.system.now());
    }

    /// Moves the clock forward.
    pub fn advance(&self, seconds: u32) -> std::io::Result<()> {
        let ahead = self.ahead.fetch_add(i64::from(seconds), Ordering::SeqCst) + i64::from(seconds);
        self.file.as_ref().map_or(Ok(()), |file| files::replace(file, ahead.to_string().as_bytes()))
    }
}

impl TimeSource for MovableClock {
    fn now(&self) -> DateTime<Utc> {
        self.stopped.get().copied().unwrap_or_else(|| self.system.now())
            + TimeDelta::seconds(self.ahead.load(Ordering::SeqCst))
    }
}

fn read(path: &PathBuf) -> Result<i64, StartError> {
    let refused = |reason: String| StartError::Data { path: path.display().to_string(), reason };
    let text = fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    text.trim().parse().map_err(|_| refused("it is damaged".into()))
}
