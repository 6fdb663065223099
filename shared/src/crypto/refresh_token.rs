use uuid::Uuid;

use super::{Derivation, KeyId, derivation::TokenForm};
use crate::domain::{Session, SessionId, Stay};

const FORM: TokenForm = TokenForm { purpose: "refresh-token", prefix: "rt1_", ids: 16 + 16 + 4 + 1 };

/// What a refresh token says once its tag has been checked. Opaque to clients; never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    pub user_id: Uuid,
    pub session_id: SessionId,
    /// Which token of the session's row this is.
    pub number: u32,
    pub key: KeyId,
    pub stay: Stay,
}

impl RefreshToken {
    /// The live refresh token of `session`.
    pub fn of(user_id: Uuid, session: &Session) -> Self {
        Self { user_id, session_id: session.id, number: session.number, key: session.key, stay: session.stay }
    }

    /// The token's text, of 256 bits of authenticity (ASVS 7.2.3); nothing where its key is gone.
    pub fn encode(&self, derivation: &Derivation) -> Option<String> {
        let ids = [
            self.user_id.as_bytes().as_slice(),
            self.session_id.as_bytes(),
            &self.number.to_be_bytes(),
            &[u8::from(self.stay.is_remembered())],
        ];
        derivation.seal(&FORM, self.key, &ids.concat())
    }

    /// Reads a token and checks its tag, without asking the table; nothing where anything is wrong.
    pub fn decode(text: &str, derivation: &Derivation) -> Option<Self> {
        let (key, ids) = derivation.open(&FORM, text)?;
        Some(Self {
            user_id: Uuid::from_slice(ids.get(0..16)?).ok()?,
            session_id: Uuid::from_slice(ids.get(16..32)?).ok()?,
            number: u32::from_be_bytes(ids.get(32..36)?.try_into().ok()?),
            key,
            stay: Stay::remembering(ids.get(36) == Some(&1)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::DerivationKeys;

    #[test]
    fn only_what_was_derived_is_read() {
        let derivation = Derivation::new(&DerivationKeys::generate(chrono::DateTime::UNIX_EPOCH).unwrap()).unwrap();
        let token = RefreshToken {
            user_id: Uuid::from_u128(1),
            session_id: Uuid::from_u128(2),
            number: 7,
            key: 1,
            stay: Stay::Short,
        };
        let text = token.encode(&derivation).unwrap();
        assert_eq!(RefreshToken::decode(&text, &derivation), Some(token));
        for position in FORM.prefix.len()..text.len() {
            let mut forged = text.clone().into_bytes();
            forged[position] = if forged[position] == b'A' { b'B' } else { b'A' };
            assert_eq!(RefreshToken::decode(&String::from_utf8(forged).unwrap(), &derivation), None);
        }
        for other in ["", "rt1_", "rt1_AAAA", &text[1..]] {
            assert_eq!(RefreshToken::decode(other, &derivation), None);
        }
    }
}
