//! What it is measured on.

use std::{env::consts::ARCH, num::NonZero, process::Command, thread};

use figures::measured::Machine;
use shared::clock::Clock;

use crate::{Result, proc};

/// This machine.
pub fn describe() -> Result<Machine> {
    let rustc = Command::new("rustc").arg("--version").output()?;
    Ok(Machine {
        date: Clock::system().now().format("%Y-%m-%d").to_string(),
        processor: proc::processor()?,
        architecture: ARCH.to_owned(),
        cores: thread::available_parallelism().map_or(1, NonZero::get),
        memory_gib: proc::memory_kib()? / 1024 / 1024,
        kernel: proc::kernel()?,
        rustc: String::from_utf8_lossy(&rustc.stdout).split(" (").next().unwrap_or_default().trim().to_owned(),
    })
}
