use super::Invalid;

/// A name to sign in with: 3 to 50 of `A-Z a-z 0-9 _ -`, unique whatever its case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

impl Username {
    /// Takes a username as a person types it.
    ///
    /// # Errors
    /// Where its length or a character is not allowed.
    pub fn parse(input: &str) -> Result<Self, Invalid> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        if (3..=50).contains(&input.len()) && input.bytes().all(allowed) {
            return Ok(Self(input.to_owned()));
        }
        Err(Invalid::because("must be 3 to 50 letters, digits, underscores or hyphens"))
    }

    /// What was parsed when it was stored. Rules may have become stricter since; they are for what comes from outside.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As the person wrote it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The spelling under which it is unique.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}
