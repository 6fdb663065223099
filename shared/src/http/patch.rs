use serde_json::{Map, Value};

use super::{Fields, Problem};
use crate::domain::{Edit, Edits, Field, Invalid};

/// Fields that nobody asks for and that a problem names: told of each, a short body would have a long answer.
const MOST_UNKNOWN: usize = 20;

/// The body of an edit: a field that is absent stays as it is, `null` clears it, and one that nobody asks for is refused.
pub struct Patch {
    values: Map<String, Value>,
    fields: Fields,
}

impl Patch {
    /// The fields that were sent.
    pub fn new(values: Map<String, Value>) -> Self {
        Self { values, fields: Fields::default() }
    }

    /// Whether a field was sent.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// A text under one of its names, `null` to clear it.
    pub fn text<T>(&mut self, names: &[&'static str], parse: impl Fn(&str) -> Result<T, Invalid>) -> Edit<T> {
        let mut edit = Edit::Unchanged;
        for name in names {
            let Some(value) = self.values.remove(*name) else { continue };
            edit = match value {
                Value::Null => Edit::Cleared,
                Value::String(text) => self.fields.take(name, parse(&text)).map_or(Edit::Unchanged, Edit::To),
                _ => {
                    self.fields.refuse(name, "must be a string");
                    Edit::Unchanged
                }
            };
        }
        edit
    }

    /// A text that cannot be cleared.
    pub fn required_text<T>(&mut self, name: &'static str, parse: impl Fn(&str) -> Result<T, Invalid>) -> Option<T> {
        match self.text(&[name], parse) {
            Edit::To(value) => Some(value),
            Edit::Unchanged => None,
            Edit::Cleared => {
                self.fields.refuse(name, "must be a string");
                None
            }
        }
    }

    /// A flag that cannot be cleared.
    pub fn flag(&mut self, name: &'static str) -> Option<bool> {
        let value = self.values.remove(name)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.fields.refuse(name, "must be true or false");
        }
        flag
    }

    /// The fields of a document.
    pub fn document(&mut self, table: &[Field]) -> Edits {
        let mut edits = Edits::new();
        for field in table {
            let edit = match self.values.remove(field.name) {
                None => continue,
                Some(Value::Null) => Edit::Cleared,
                Some(value) => match self.fields.take(field.name, field.parse(value)) {
                    Some(value) => Edit::To(value),
                    None => continue,
                },
            };
            edits.insert(field.name, edit);
        }
        edits
    }

    /// Notes what is wrong with `field`.
    pub fn refuse(&mut self, field: &str, message: &str) {
        self.fields.refuse(field, message);
    }

    /// The problem, where a field was wrong or is none.
    ///
    /// # Errors
    /// `validation_failed` with every note; of many fields that are none, with one for each of the first.
    pub fn finish(mut self) -> Result<(), Problem> {
        for name in self.values.keys().take(MOST_UNKNOWN) {
            self.fields.refuse(name, "is not a field of this request");
        }
        self.fields.check()
    }
}

/// One of the words of an enumeration.
///
/// # Errors
/// Where it is none of them.
pub fn word<T>(text: &str, of: impl Fn(&str) -> Option<T>, words: &str) -> Result<T, Invalid> {
    of(text).ok_or_else(|| Invalid(format!("must be {words}")))
}
