use std::fmt;

use super::{EmailAddress, Invalid, email::canonical};

/// What a person signs in with: an address or a username. It need not belong to anyone, nor even be well-formed:
/// what could not be registered reads like what was not (ASVS 6.3.8).
#[derive(Clone, PartialEq, Eq)]
pub struct Identifier(String);

impl Identifier {
    /// Takes an identifier as a person types it.
    ///
    /// # Errors
    /// Where it is empty or longer than any address.
    pub fn parse(input: &str) -> Result<Self, Invalid> {
        let identifier = match EmailAddress::parse(input) {
            Ok(email) => email.as_str().to_owned(),
            Err(_) => canonical(input)?,
        };
        match identifier.len() {
            0 => Err(Invalid::because("must not be empty")),
            1..=254 => Ok(Self(identifier)),
            _ => Err(Invalid::because("must have at most 254 bytes")),
        }
    }

    /// The one spelling that is looked up.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is an address; no username holds an `@`.
    pub fn is_address(&self) -> bool {
        self.0.contains('@')
    }
}

impl From<&EmailAddress> for Identifier {
    fn from(email: &EmailAddress) -> Self {
        Self(email.as_str().to_owned())
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Identifier(…)")
    }
}
