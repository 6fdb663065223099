use uuid::Uuid;

use super::{Derivation, KeyId, derivation::TokenForm};

const FORM: TokenForm = TokenForm { purpose: "verification-link", prefix: "ve1_", ids: 16 + 16 };

/// What the token of a verification link says once its tag has been checked. Derived, never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationToken {
    pub user_id: Uuid,
    /// The id that the account holds while the link lives.
    pub id: Uuid,
    pub key: KeyId,
}

impl VerificationToken {
    /// The token's text; nothing where its key is gone.
    pub fn encode(&self, derivation: &Derivation) -> Option<String> {
        derivation.seal(&FORM, self.key, &[self.user_id.as_bytes().as_slice(), self.id.as_bytes()].concat())
    }

    /// Reads a token and checks its tag, without asking the table; nothing where anything is wrong.
    pub fn decode(text: &str, derivation: &Derivation) -> Option<Self> {
        let (key, ids) = derivation.open(&FORM, text)?;
        Some(Self {
            user_id: Uuid::from_slice(ids.get(0..16)?).ok()?,
            id: Uuid::from_slice(ids.get(16..32)?).ok()?,
            key,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::DerivationKeys;

    #[test]
    fn a_link_is_read_back_and_belongs_to_one_stack() {
        let derivation = Derivation::new(&DerivationKeys::generate().unwrap()).unwrap();
        let elsewhere = Derivation::new(&DerivationKeys::generate().unwrap()).unwrap();
        let token = VerificationToken { user_id: Uuid::from_u128(1), id: Uuid::from_u128(2), key: 1 };
        let text = token.encode(&derivation).unwrap();
        assert_eq!(VerificationToken::decode(&text, &derivation), Some(token));
        assert_eq!(VerificationToken::decode(&text, &elsewhere), None);
    }
}
