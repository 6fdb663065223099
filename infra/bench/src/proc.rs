//! What the kernel says of a process.

use std::{fs, time::Duration};

use crate::{Failure, Result};

/// A clock tick of `/proc`, which is a hundredth of a second on every Linux of today.
const TICK: Duration = Duration::from_millis(10);

/// Processor time that a process has used, user and system, its threads together.
pub fn processor_time(process: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name, in parentheses, may hold anything; the fields come after it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<u32>().ok());
    let (user, system) = (ticks(11), ticks(12));
    let (Some(user), Some(system)) = (user, system) else {
        return Err(Failure(format!("/proc/{process}/stat cannot be read")));
    };
    Ok(TICK * (user + system))
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
