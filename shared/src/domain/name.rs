use std::fmt;

use super::{Invalid, text::turns_direction};

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
        let unwanted = |character: char| character.is_control() || turns_direction(character);
        if name.chars().any(unwanted) || !name.chars().any(char::is_alphanumeric) {
            return Err(Invalid::because("must have a letter or a digit, and no control characters"));
        }
        Ok(Self(name.to_owned()))
    }

    /// What was parsed when it was stored. Rules may have become stricter since; they are for what comes from outside.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_a_letter_and_at_most_255_characters() {
        assert!(
            DisplayName::parse(&"ж".repeat(LONGEST)).is_ok() && DisplayName::parse(&"ж".repeat(LONGEST + 1)).is_err()
        );
        for none in ["", "  ", "!?", "a\nb", "a\u{202e}b"] {
            assert!(DisplayName::parse(none).is_err(), "{none:?}");
        }
    }
}
