//! The shapes of the three secrets, and how their first contents are made.

use aws_lc_rs::{
    encoding::AsDer,
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use chrono::{DateTime, Utc};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    jwk::{
        AlgorithmParameters, CommonParameters, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse, RSAKeyParameters, RSAKeyType,
    },
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::random_text;

/// Bytes of a derivation key: as many as the hash under HMAC-SHA-256 gives.
const DERIVATION_KEY_BYTES: usize = 32;

/// Why keys could not be made or used.
#[derive(Debug, Error)]
pub enum KeyError {
    #[error("the system gave no randomness")]
    NoRandomness,
    #[error("a signing key cannot be used: {0}")]
    Unusable(String),
}

/// The private keys that sign access tokens: the secret that only function `auth` reads.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningKeys {
    pub previous: Option<SigningKey>,
    pub current: SigningKey,
    pub next: SigningKey,
}

/// One RSA key of 2,048 bits.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SigningKey {
    pub kid: String,
    pub created_at: DateTime<Utc>,
    /// PKCS#8 in PEM.
    pub private_key: String,
    /// What the world may know of it.
    pub public_key: Jwk,
}

impl SigningKeys {
    /// The first keys of a new stack: one that signs and the one that will be next.
    ///
    /// # Errors
    /// Where the system has no randomness to give.
    pub fn generate(now: DateTime<Utc>) -> Result<Self, KeyError> {
        Ok(Self { previous: None, current: SigningKey::generate(now)?, next: SigningKey::generate(now)? })
    }

    /// The keys after one more rotation: the next one signs, and the one that signed is still published.
    ///
    /// # Errors
    /// Where the system has no randomness to give.
    pub fn rotated(self, now: DateTime<Utc>) -> Result<Self, KeyError> {
        Ok(Self { previous: Some(self.current), current: self.next, next: SigningKey::generate(now)? })
    }

    /// Whether a rotation makes these of those.
    pub fn follow(&self, those: &Self) -> bool {
        let previous = self.previous.as_ref().map(|key| &key.kid);
        previous == Some(&those.current.kid) && self.current.kid == those.next.kid
    }

    /// Whether what the current key and the next one sign is verified by `published`.
    pub fn are_verified_by(&self, published: &PublicKeys) -> bool {
        [&self.current, &self.next].into_iter().all(|key| key.is_verified_by(published).unwrap_or(false))
    }

    /// The public side, published apart from the private one.
    pub fn public(&self) -> PublicKeys {
        let keys = [Some(&self.current), Some(&self.next), self.previous.as_ref()];
        PublicKeys(JwkSet { keys: keys.into_iter().flatten().map(|key| key.public_key.clone()).collect() })
    }
}

impl SigningKey {
    fn is_verified_by(&self, published: &PublicKeys) -> Option<bool> {
        let key = DecodingKey::from_jwk(published.0.find(&self.kid)?).ok()?;
        let message = self.kid.as_bytes();
        let signing = EncodingKey::from_rsa_pem(self.private_key.as_bytes()).ok()?;
        let signature = jsonwebtoken::crypto::sign(message, &signing, Algorithm::RS256).ok()?;
        jsonwebtoken::crypto::verify(&signature, message, &key, Algorithm::RS256).ok()
    }

    fn generate(now: DateTime<Utc>) -> Result<Self, KeyError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::NoRandomness)?;
        let der = pair.as_der().map_err(|_| KeyError::Unusable("it has no PKCS#8 form".into()))?;
        let kid = random_text(12)?;
        let public = pair.public_key();
        let public_key = Jwk {
            common: CommonParameters {
                public_key_use: Some(PublicKeyUse::Signature),
                key_algorithm: Some(KeyAlgorithm::RS256),
                key_id: Some(kid.clone()),
                ..CommonParameters::default()
            },
            algorithm: AlgorithmParameters::RSA(RSAKeyParameters {
                key_type: RSAKeyType::RSA,
                n: BASE64URL_NOPAD.encode(public.modulus().big_endian_without_leading_zero()),
                e: BASE64URL_NOPAD.encode(public.exponent().big_endian_without_leading_zero()),
            }),
        };
        Ok(Self { kid, created_at: now, private_key: pem(der.as_ref()), public_key })
    }
}

/// PKCS#8 in the textual encoding of RFC 7468.
fn pem(der: &[u8]) -> String {
    let encoded = BASE64.encode(der);
    let lines: Vec<&str> =
        encoded.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

/// The published keys: a JWK Set (RFC 7517 §5), all that a verifier needs.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicKeys(pub JwkSet);

/// The keys behind everything that is derived and not stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivationKeys {
    pub previous: Option<DerivationKey>,
    pub current: DerivationKey,
    pub next: DerivationKey,
    /// Keys rows of people without an account. Never rotated: the rows could not be found again.
    pub lookup: String,
}

/// One key; `id` travels in what is derived with it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DerivationKey {
    pub id: u32,
    pub created_at: DateTime<Utc>,
    /// 32 bytes in base64url.
    pub key: String,
}

impl DerivationKeys {
    /// The first keys of a new stack.
    ///
    /// # Errors
    /// Where the system has no randomness to give.
    pub fn generate(now: DateTime<Utc>) -> Result<Self, KeyError> {
        let (current, next) = (DerivationKey::generate(1, now)?, DerivationKey::generate(2, now)?);
        Ok(Self { previous: None, current, next, lookup: random_text(DERIVATION_KEY_BYTES)? })
    }

    /// The keys after one more rotation: the next one derives, and what the one before it derived is still known.
    ///
    /// # Errors
    /// Where the system has no randomness to give.
    pub fn rotated(self, now: DateTime<Utc>) -> Result<Self, KeyError> {
        let next = DerivationKey::generate(self.next.id + 1, now)?;
        Ok(Self { previous: Some(self.current), current: self.next, next, lookup: self.lookup })
    }

    /// Whether a rotation makes these of those.
    pub fn follow(&self, those: &Self) -> bool {
        let previous = self.previous.as_ref().map(|key| &key.key);
        previous == Some(&those.current.key) && self.current.key == those.next.key
    }

    /// Others, which know nothing of what these derived; for when they leaked. Rows of people without an account are still found.
    ///
    /// # Errors
    /// Where the system has no randomness to give.
    pub fn replaced(self, now: DateTime<Utc>) -> Result<Self, KeyError> {
        let (current, next) = (self.next.id + 1, self.next.id + 2);
        let (current, next) = (DerivationKey::generate(current, now)?, DerivationKey::generate(next, now)?);
        Ok(Self { previous: None, current, next, lookup: self.lookup })
    }
}

impl DerivationKey {
    fn generate(id: u32, now: DateTime<Utc>) -> Result<Self, KeyError> {
        Ok(Self { id, created_at: now, key: random_text(DERIVATION_KEY_BYTES)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_verified_by_what_is_published_of_them_and_by_nothing_else() {
        let [keys, others] = [(); 2].map(|()| SigningKeys::generate(DateTime::UNIX_EPOCH).unwrap());
        assert!(keys.are_verified_by(&keys.public()));
        let mut without_the_next = keys.public();
        without_the_next.0.keys.pop();
        let mut under_their_names = others.public();
        for (key, own) in under_their_names.0.keys.iter_mut().zip(&keys.public().0.keys) {
            key.common.key_id.clone_from(&own.common.key_id);
        }
        for published in [others.public(), without_the_next, under_their_names] {
            assert!(!keys.are_verified_by(&published));
        }
    }
}
