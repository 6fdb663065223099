//! Reads the key secrets. Without them a function does not start; there is no default key.

use serde::de::DeserializeOwned;
use thiserror::Error;

use super::{DerivationKeys, KeyError, PublicKeys, SigningKeys};
use crate::{Platform, aws::reason, config::SettingError};

/// Why a secret cannot be used. Names the secret, never its contents.
#[derive(Debug, Error)]
pub enum SecretError {
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error("the secret {name} cannot be read: {reason}")]
    Unreadable { name: String, reason: String },
    #[error("the secret {name} is damaged")]
    Damaged { name: String },
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl SigningKeys {
    /// Reads the private signing keys.
    ///
    /// # Errors
    /// Where the secret cannot be read or is not what it should be.
    pub async fn read(platform: &Platform) -> Result<Self, SecretError> {
        read(platform, "SIGNING_KEYS_SECRET").await
    }
}

impl PublicKeys {
    /// Reads the published keys.
    ///
    /// # Errors
    /// Where the secret cannot be read or is not what it should be.
    pub async fn read(platform: &Platform) -> Result<Self, SecretError> {
        read(platform, "PUBLIC_KEYS_SECRET").await
    }
}

impl DerivationKeys {
    /// Reads the derivation keys.
    ///
    /// # Errors
    /// Where the secret cannot be read or is not what it should be.
    pub async fn read(platform: &Platform) -> Result<Self, SecretError> {
        read(platform, "DERIVATION_KEYS_SECRET").await
    }
}

async fn read<T: DeserializeOwned>(platform: &Platform, setting: &'static str) -> Result<T, SecretError> {
    let name = platform.settings.resource(setting)?;
    let unreadable = |reason: String| SecretError::Unreadable { name: name.to_owned(), reason };
    let answer = platform.aws.secrets.get_secret_value().secret_id(name).send().await;
    let secret = answer.map_err(|error| unreadable(reason(&error)))?;
    let text = secret.secret_string().ok_or_else(|| unreadable("it holds no text".into()))?;
    serde_json::from_str(text).map_err(|_| SecretError::Damaged { name: name.to_owned() })
}
