//! Small files that are whole or not there, whenever the process is killed.

use std::{fs, io, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

/// Puts `content` in place of the file, readable by its owner alone.
pub fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let half = path.with_extension("half");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&half)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&half, path)
}
