use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{Data, StartError};

/// A mail that was "sent".
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Letter {
    pub id: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    pub sent_at: DateTime<Utc>,
}

/// The mails of a stack, oldest first; on disk a line each in `mailbox.jsonl`.
#[derive(Clone, Default)]
pub struct Mailbox(Arc<Mutex<Letters>>);

#[derive(Default)]
struct Letters {
    letters: Vec<Letter>,
    file: Option<File>,
}

impl Mailbox {
    /// Opens the mailbox of this data.
    ///
    /// # Errors
    /// Where its file cannot be used.
    pub fn open(data: &Data) -> Result<Self, StartError> {
        let letters = match data {
            Data::Memory => Letters::default(),
            Data::Folder(folder) => read(&folder.join("mailbox.jsonl"))?,
        };
        Ok(Self(Arc::new(Mutex::new(letters))))
    }

    /// Takes a mail in.
    pub fn take(&self, letter: Letter) -> io::Result<()> {
        let mut mailbox = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &mut mailbox.file {
            let line = format!("{}\n", serde_json::to_string(&letter)?);
            file.write_all(line.as_bytes())?;
        }
        mailbox.letters.push(letter);
        Ok(())
    }

    /// The mails, newest first.
    pub fn letters(&self) -> Vec<Letter> {
        let mailbox = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mailbox.letters.iter().rev().cloned().collect()
    }
}

/// A last line cut short by a kill was never acknowledged, and goes; a damaged line before it is a damaged file.
fn read(path: &Path) -> Result<Letters, StartError> {
    let refused = |reason: String| StartError::Data { path: path.display().to_string(), reason };
    let failed = |error: io::Error| refused(error.to_string());
    let file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(failed)?;
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    file.set_len(whole.len() as u64).map_err(failed)?;
    let letters = whole.lines().map(serde_json::from_str).collect::<Result<_, _>>();
    Ok(Letters { letters: letters.map_err(|_| refused("it is damaged".into()))?, file: Some(file) })
}
