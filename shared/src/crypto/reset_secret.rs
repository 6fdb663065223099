use uuid::Uuid;

use super::{Derivation, KeyId, derivation::TokenForm};

const FORM: TokenForm = TokenForm { purpose: "reset-link", prefix: "pr1_", ids: 16 + 16 };
const CODE_PURPOSE: &str = "reset-code";
/// Codes that there are: six digits, just under 20 bits (ASVS 6.5.4 bounds the tries as well).
const CODES: u64 = 1_000_000;

/// Code and link of one password reset. Both are derived from its id and never stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResetSecret {
    pub user_id: Uuid,
    /// The id that the account holds while the reset lives.
    pub id: Uuid,
    pub key: KeyId,
}

impl ResetSecret {
    /// The code of six digits; nothing where its key is gone.
    pub fn code(&self, derivation: &Derivation) -> Option<String> {
        let tag = derivation.tag(self.key, CODE_PURPOSE, &[self.user_id.as_bytes(), self.id.as_bytes()])?;
        let (number, _) = tag.split_first_chunk::<8>()?;
        // The bias of the remainder is below one part in 10^13.
        Some(format!("{:06}", u64::from_be_bytes(*number) % CODES))
    }

    /// Whether `code` is the one, compared in constant time.
    pub fn is_code(&self, derivation: &Derivation, code: &str) -> bool {
        let right = self.code(derivation);
        right.is_some_and(|right| {
            aws_lc_rs::constant_time::verify_slices_are_equal(right.as_bytes(), code.as_bytes()).is_ok()
        })
    }

    /// The token of the link; nothing where its key is gone.
    pub fn encode(&self, derivation: &Derivation) -> Option<String> {
        derivation.seal(&FORM, self.key, &[self.user_id.as_bytes().as_slice(), self.id.as_bytes()].concat())
    }

    /// Reads a link's token and checks its tag, without asking the table; nothing where anything is wrong.
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
    fn code_and_link_belong_to_one_reset() {
        let derivation = Derivation::new(&DerivationKeys::generate(chrono::DateTime::UNIX_EPOCH).unwrap()).unwrap();
        let secret = |id| ResetSecret { user_id: Uuid::from_u128(1), id: Uuid::from_u128(id), key: 1 };
        let code = secret(2).code(&derivation).unwrap();
        assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()));
        assert!(secret(2).is_code(&derivation, &code));
        let others = (3..1000).filter(|id| secret(*id).is_code(&derivation, &code)).count();
        assert!(others < 10, "{others}");
        let elsewhere = Derivation::new(&DerivationKeys::generate(chrono::DateTime::UNIX_EPOCH).unwrap()).unwrap();
        let same =
            (2..1000).filter(|id| secret(*id).is_code(&elsewhere, &secret(*id).code(&derivation).unwrap())).count();
        assert!(same < 10, "what is stored says nothing without the key: {same}");
        let link = secret(2).encode(&derivation).unwrap();
        assert_eq!(ResetSecret::decode(&link, &derivation), Some(secret(2)));
    }
}
