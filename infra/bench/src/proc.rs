//! What the kernel says of a process.

use std::{fs, time::Duration};

use nix::{
    time::{clock_getcpuclockid, clock_gettime},
    unistd::Pid,
};

use crate::{Failure, Result};

/// Processor time that a process has used, user and system, its threads together, those that have ended too.
pub fn processor_time(process: u32) -> Result<Duration> {
    let id = i32::try_from(process).map_err(|_| Failure(format!("{process} is no process")))?;
    let clock = clock_getcpuclockid(Pid::from_raw(id))?;
    Ok(clock_gettime(clock)?.into())
}

/// The most memory that a process has had, in KiB.
pub fn peak_rss_kib(process: u32) -> Result<u64> {
    field(&fs::read_to_string(format!("/proc/{process}/status"))?, "VmHWM:")
}

/// Memory of the machine, in KiB.
pub fn memory_kib() -> Result<u64> {
    field(&fs::read_to_string("/proc/meminfo")?, "MemTotal:")
}

/// The processor's name.
pub fn processor() -> Result<String> {
    let text = fs::read_to_string("/proc/cpuinfo")?;
    let line = text.lines().find(|line| line.starts_with("model name") || line.starts_with("CPU part"));
    let name = line.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim().to_owned());
    name.ok_or_else(|| Failure("/proc/cpuinfo names no processor".into()))
}

/// The kernel's version.
pub fn kernel() -> Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned())
}

fn field(text: &str, name: &str) -> Result<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
    value.ok_or_else(|| Failure(format!("the kernel does not say {name}")))
}
