use std::fmt;

use super::Invalid;

const LONGEST: usize = 255;

/// The name that a person goes by: 1 to 255 characters, on one line.
#[derive(Clone, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// Takes a name as a person types it; white space around it goes.
    ///
    /// # Errors
    /// Where it is empty, too long, or holds a control character (which could start a header line in a mail).
    pub fn parse(input: &str) -> Result<Self, Invalid> {
        let name = input.trim();
        if name.is_empty() || name.chars().count() > LONGEST {
            return Err(Invalid::because(format!("must have 1 to {LONGEST} characters")));
        }
        if name.chars().any(|character| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')) {
            return Err(Invalid::because("must not hold control characters"));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DisplayName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DisplayName(…)")
    }
}
