use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Derivation, derivation::TokenForm};
use crate::domain::EmailAddress;

const FORM: TokenForm = TokenForm { purpose: "verification-link", prefix: "ve1_", ids: 16 + 8 + ADDRESS };
/// Bytes of the keyed hash that binds a link to its address.
const ADDRESS: usize = 8;

/// What the token of a verification link says once its tag has been checked. Nothing of it is stored: user, address and
/// end are all in it, so that every link that was mailed works until its own end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationToken {
    pub user_id: Uuid,
    pub end: DateTime<Utc>,
    address: Vec<u8>,
}

impl VerificationToken {
    /// The token for the address of a user.
    pub fn new(user_id: Uuid, email: &EmailAddress, end: DateTime<Utc>, derivation: &Derivation) -> Self {
        Self { user_id, end, address: address(email, derivation) }
    }

    /// Whether it is for that address.
    pub fn is_for(&self, email: &EmailAddress, derivation: &Derivation) -> bool {
        self.address == address(email, derivation)
    }

    /// The token's text; nothing where the current key is gone.
    pub fn encode(&self, derivation: &Derivation) -> Option<String> {
        let end = self.end.timestamp().to_be_bytes();
        let ids = [self.user_id.as_bytes().as_slice(), &end, &self.address].concat();
        derivation.seal(&FORM, derivation.current(), &ids)
    }

    /// Reads a token and checks its tag, without asking the table; nothing where anything is wrong.
    pub fn decode(text: &str, derivation: &Derivation) -> Option<Self> {
        let (_, ids) = derivation.open(&FORM, text)?;
        Some(Self {
            user_id: Uuid::from_slice(ids.get(0..16)?).ok()?,
            end: DateTime::from_timestamp(i64::from_be_bytes(ids.get(16..24)?.try_into().ok()?), 0)?,
            address: ids.get(24..)?.to_vec(),
        })
    }
}

fn address(email: &EmailAddress, derivation: &Derivation) -> Vec<u8> {
    derivation.lookup("verified-address", email.as_str()).into_bytes().into_iter().take(ADDRESS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::DerivationKeys;

    #[test]
    fn a_link_is_read_back_and_belongs_to_one_stack_and_one_address() {
        let derivation = Derivation::new(&DerivationKeys::generate(chrono::DateTime::UNIX_EPOCH).unwrap()).unwrap();
        let elsewhere = Derivation::new(&DerivationKeys::generate(chrono::DateTime::UNIX_EPOCH).unwrap()).unwrap();
        let (email, other) =
            (EmailAddress::parse("a@example.com").unwrap(), EmailAddress::parse("b@example.com").unwrap());
        let token = VerificationToken::new(Uuid::from_u128(1), &email, DateTime::UNIX_EPOCH, &derivation);
        let text = token.encode(&derivation).unwrap();
        let read = VerificationToken::decode(&text, &derivation).unwrap();
        assert_eq!(read, token);
        assert!(read.is_for(&email, &derivation) && !read.is_for(&other, &derivation));
        assert_eq!(VerificationToken::decode(&text, &elsewhere), None);
    }
}
