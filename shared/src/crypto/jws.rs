use std::collections::HashMap;

use aws_lc_rs::{
    encoding::AsDer,
    rsa::PublicKeyComponents,
    signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256},
};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{
    Algorithm, Header,
    jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse, RSAKeyParameters},
};

use super::{AccessTokenError, KeyError, PublicKeys};

/// The keys that signatures are held against: those of the configuration, and no other, whatever a token's header says
/// (RFC 8725 §3.1, ASVS 9.1.1–9.1.3).
pub struct TrustedKeys(HashMap<String, ParsedPublicKey>);

impl TrustedKeys {
    /// Takes published keys.
    ///
    /// # Errors
    /// Where one of them has no id, or is none for RS256 signatures.
    pub fn new(keys: &PublicKeys) -> Result<Self, KeyError> {
        keys.0.keys.iter().map(named).collect::<Result<_, _>>().map(Self)
    }

    /// Header and payload of a compact JWS (RFC 7515 §3.1) whose RS256 signature is right.
    ///
    /// # Errors
    /// Where it is not, or its key is not among these.
    pub fn open(&self, token: &str) -> Result<(Header, Vec<u8>), AccessTokenError> {
        let invalid = AccessTokenError::Invalid;
        let (message, signature) = token.rsplit_once('.').ok_or(invalid)?;
        let (_, payload) = message.split_once('.').ok_or(invalid)?;
        let header = jsonwebtoken::decode_header(token).map_err(|_| invalid)?;
        // No extension is understood here (RFC 7515 §4.1.11).
        if header.alg != Algorithm::RS256 || header.crit.is_some() {
            return Err(invalid);
        }
        let key = self.0.get(header.kid.as_ref().ok_or(invalid)?).ok_or(AccessTokenError::UnknownKey)?;
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| invalid)?;
        key.verify_sig(message.as_bytes(), &signature).map_err(|_| invalid)?;
        Ok((header, BASE64URL_NOPAD.decode(payload.as_bytes()).map_err(|_| invalid)?))
    }
}

fn named(jwk: &Jwk) -> Result<(String, ParsedPublicKey), KeyError> {
    let unusable = |reason: &str| KeyError::Unusable(reason.to_owned());
    let common = &jwk.common;
    let kid = common.key_id.clone().ok_or_else(|| unusable("a public key has no id"))?;
    let signs = common.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let verifies = common.key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify));
    let rs256 = common.key_algorithm.is_none_or(|algorithm| algorithm == KeyAlgorithm::RS256);
    let AlgorithmParameters::RSA(RSAKeyParameters { n, e, .. }) = &jwk.algorithm else {
        return Err(unusable("a public key is no RSA key"));
    };
    if !signs || !verifies || !rs256 {
        return Err(unusable("a public key is none for RS256 signatures"));
    }
    let number =
        |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| unusable("a public key is no base64url"));
    let numbers = PublicKeyComponents { n: number(n)?, e: number(e)? };
    let der = numbers.as_der().map_err(|error| KeyError::Unusable(error.to_string()))?;
    // Read once: that takes a good part of the time of a verification.
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der.as_ref());
    Ok((kid, key.map_err(|error| KeyError::Unusable(error.to_string()))?))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use jsonwebtoken::jwk::JwkSet;

    use super::*;
    use crate::crypto::SigningKeys;

    #[test]
    fn a_key_for_anything_but_rs256_signatures_is_not_trusted() {
        let jwk = SigningKeys::generate(DateTime::UNIX_EPOCH).unwrap().current.public_key;
        let trusted = |change: fn(&mut Jwk)| {
            let mut jwk = jwk.clone();
            change(&mut jwk);
            TrustedKeys::new(&PublicKeys(JwkSet { keys: vec![jwk] })).is_ok()
        };
        assert!(trusted(|_| ()));
        assert!(trusted(|jwk| {
            jwk.common.public_key_use = None;
            jwk.common.key_algorithm = None;
            jwk.common.key_operations = Some(vec![KeyOperations::Verify]);
        }));
        let refused: [fn(&mut Jwk); 4] = [
            |jwk| jwk.common.key_id = None,
            |jwk| jwk.common.public_key_use = Some(PublicKeyUse::Encryption),
            |jwk| jwk.common.key_operations = Some(vec![KeyOperations::Encrypt]),
            |jwk| jwk.common.key_algorithm = Some(KeyAlgorithm::RS512),
        ];
        assert!(!refused.into_iter().any(trusted));
    }
}
