use std::sync::Arc;

use aws_lc_rs::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use super::{KeyError, PublicKeys, SigningKeys, TrustedKeys};
use crate::{
    config,
    domain::{Account, SessionId},
};

/// The media type of an access token (RFC 9068 §2.1), without its `application/`.
const TYPE: &str = "at+jwt";
/// Seconds by which clocks of signer and verifier may differ.
const LEEWAY: i64 = 5;
/// A token is smaller than this; anything larger is not even parsed.
const LARGEST: usize = 4096;

/// The claims of an access token (RFC 9068 §2.2), with `type` for services of seed 001.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub sub: Uuid,
    pub aud: String,
    pub client_id: String,
    pub iat: i64,
    pub nbf: i64,
    pub exp: i64,
    pub jti: Uuid,
    pub sid: SessionId,
    pub email: String,
    pub email_verified: bool,
    pub name: Option<String>,
    pub role: String,
    pub plan: String,
    pub scope: String,
    #[serde(rename = "type")]
    pub kind: String,
}

/// Why a token is not accepted. The words go to the client: they name no key and no claim's value.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum AccessTokenError {
    #[error("The access token is not valid")]
    Invalid,
    /// Its key is not among those that are held; it may be a newer one.
    #[error("The access token is not valid")]
    UnknownKey,
    #[error("The access token has expired")]
    Expired,
}

/// Signs access tokens (RS256: API Gateway's own authorizers take nothing but RSA).
#[derive(Clone)]
pub struct Signer(Arc<Signing>);

struct Signing {
    /// Of every token that the key signs.
    header: Header,
    /// Read and checked once: that takes longer than a signature.
    key: KeyPair,
    tokens: config::Tokens,
}

/// A signed access token.
#[derive(Clone)]
pub struct SignedToken {
    pub text: String,
    pub expires_in: TimeDelta,
}

impl Signer {
    /// Signs with the current key of the secret.
    ///
    /// # Errors
    /// Where the key cannot sign.
    pub fn new(keys: &SigningKeys, tokens: &config::Tokens) -> Result<Self, KeyError> {
        let unusable = |error: jsonwebtoken::errors::Error| KeyError::Unusable(error.to_string());
        let der = EncodingKey::from_rsa_pem(keys.current.private_key.as_bytes()).map_err(unusable)?;
        let key = KeyPair::from_der(der.as_bytes()).map_err(|error| KeyError::Unusable(error.to_string()))?;
        let mut header = Header::new(Algorithm::RS256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(keys.current.kid.clone());
        Ok(Self(Arc::new(Signing { header, key, tokens: tokens.clone() })))
    }

    /// A token for `account` in the session `sid`, valid from `now`.
    ///
    /// # Errors
    /// Where signing fails.
    pub fn sign(&self, account: &Account, sid: SessionId, now: DateTime<Utc>) -> Result<SignedToken, KeyError> {
        let Signing { header, key, tokens } = &*self.0;
        let claims = Claims {
            iss: tokens.issuer.clone(),
            sub: account.id,
            aud: tokens.audience.clone(),
            client_id: tokens.audience.clone(),
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: (now + tokens.access_ttl).timestamp(),
            jti: Uuid::new_v4(),
            sid,
            email: account.email.as_str().to_owned(),
            email_verified: account.verified,
            name: account.name.as_ref().map(|name| name.as_str().to_owned()),
            role: account.role.as_str().to_owned(),
            plan: account.plan.as_str().to_owned(),
            scope: account.scope(tokens.require_verified_email),
            kind: "access".to_owned(),
        };
        let message = format!("{}.{}", part(header)?, part(&claims)?);
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
            .map_err(|error| KeyError::Unusable(error.to_string()))?;
        let text = format!("{message}.{}", BASE64URL_NOPAD.encode(&signature));
        Ok(SignedToken { text, expires_in: tokens.access_ttl })
    }
}

/// A part of a JSON Web Signature in its compact form (RFC 7515 §7.1).
fn part(value: &impl Serialize) -> Result<String, KeyError> {
    let json = serde_json::to_vec(value).map_err(|error| KeyError::Unusable(error.to_string()))?;
    Ok(BASE64URL_NOPAD.encode(&json))
}

/// Verifies access tokens offline.
#[derive(Clone)]
pub struct Verifier(Arc<Verification>);

struct Verification {
    keys: TrustedKeys,
    issuer: String,
    audience: String,
}

impl Verifier {
    /// Verifies with the published keys.
    ///
    /// # Errors
    /// Where one of them is none for RS256 signatures.
    pub fn new(keys: &PublicKeys, tokens: &config::Tokens) -> Result<Self, KeyError> {
        let (issuer, audience) = (tokens.issuer.clone(), tokens.audience.clone());
        Ok(Self(Arc::new(Verification { keys: TrustedKeys::new(keys)?, issuer, audience })))
    }

    /// The claims of `token`, where it is ours, meant for us and in time.
    ///
    /// # Errors
    /// One of two, and no more is said: not valid, or expired.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, AccessTokenError> {
        let Verification { keys, issuer, audience } = &*self.0;
        if token.len() > LARGEST {
            return Err(AccessTokenError::Invalid);
        }
        let (header, payload) = keys.open(token)?;
        if !header.typ.as_deref().is_some_and(is_access_token_type) {
            return Err(AccessTokenError::Invalid);
        }
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| AccessTokenError::Invalid)?;
        let ours = claims.iss == *issuer && claims.aud == *audience && claims.kind == "access";
        if !ours || now.timestamp() + LEEWAY < claims.nbf {
            return Err(AccessTokenError::Invalid);
        }
        if claims.exp <= now.timestamp() {
            return Err(AccessTokenError::Expired);
        }
        Ok(claims)
    }
}

fn is_access_token_type(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").unwrap_or(&typ) == TYPE
}
