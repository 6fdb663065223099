//! Argon2id, JWT, signing keys, and the codes and links that are derived and never stored.

mod access_token;
mod bearer_secrets;
mod client_secrets;
mod derivation;
mod fingerprint;
mod hasher;
mod jws;
mod keyring;
mod keys;
mod mailed_link;
mod refresh_token;
mod reset_secret;
mod secrets;
mod verification_token;

pub use access_token::{AccessTokenError, Claims, SignedToken, Signer, Verifier};
pub use bearer_secrets::{OriginSecret, ScrapeToken};
pub use client_secrets::ClientSecrets;
pub use derivation::{Derivation, KeyId};
pub use fingerprint::fingerprint;
pub use hasher::{HashError, Hasher, Hashing, NOBODY, Verdict, check_hash};
pub use jws::TrustedKeys;
pub use keyring::{FromSecret, Keyring, shortest_period};
pub use keys::{DerivationKeys, KeyError, PublicKeys, SigningKeys};
pub use mailed_link::{LinkPurpose, MailedLink};
pub use refresh_token::RefreshToken;
pub use reset_secret::ResetSecret;
pub use secrets::{Description, Secret, SecretError};
pub use verification_token::VerificationToken;

/// `count` bytes from the system's cryptographic generator, in base64url without padding.
///
/// # Errors
/// Where the system has no randomness to give; nothing may go on then.
pub fn random_text(count: usize) -> Result<String, KeyError> {
    let mut bytes = vec![0; count];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
    Ok(data_encoding::BASE64URL_NOPAD.encode(&bytes))
}
