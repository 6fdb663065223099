use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Lines between two notes: a note a line would take longer than the lines.
const EVERY: u64 = 100;

/// How far an import came, in a file beside its input.
#[derive(Debug)]
pub struct Progress {
    file: PathBuf,
    lines: u64,
}

impl Progress {
    /// The progress of an import of `input`.
    ///
    /// # Errors
    /// Where an earlier note cannot be read.
    pub fn of(input: &Path) -> io::Result<Self> {
        let mut name = input.as_os_str().to_owned();
        name.push(".progress");
        let file = PathBuf::from(name);
        let lines = match fs::read_to_string(&file) {
            Ok(text) => text.trim().parse().map_err(|_| io::Error::other(format!("{} is damaged", file.display())))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(Self { file, lines })
    }

    /// Lines that are behind.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Notes that everything up to this line is behind.
    ///
    /// # Errors
    /// Where the note cannot be written.
    pub fn note(&mut self, line: u64) -> io::Result<()> {
        self.lines = line;
        if line.is_multiple_of(EVERY) { self.write() } else { Ok(()) }
    }

    /// Notes how far it came, at its end or before it.
    ///
    /// # Errors
    /// Where the note cannot be written.
    pub fn write(&self) -> io::Result<()> {
        fs::write(&self.file, format!("{}\n", self.lines))
    }
}
