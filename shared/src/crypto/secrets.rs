//! Secrets Manager. Without their keys functions do not start; there is no default key.

use aws_sdk_secretsmanager::{
    Client, error::ProvideErrorMetadata, operation::get_secret_value::builders::GetSecretValueFluentBuilder,
};
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

use super::KeyError;
use crate::{Platform, aws::reason, config::SettingError};

/// The stage of the version that is in use, and of the one that a rotation prepares.
const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";

/// Why a secret cannot be used. Names the secret, never its contents.
#[derive(Debug, Error)]
pub enum SecretError {
    #[error(transparent)]
    Setting(#[from] SettingError),
    #[error("the secret {name} cannot be read: {reason}")]
    Unreadable { name: String, reason: String },
    #[error("the secret {name} cannot be written: {reason}")]
    Unwritable { name: String, reason: String },
    #[error("the secret {name} is damaged")]
    Damaged { name: String },
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A secret's version that is in use.
pub(super) struct InUse {
    pub name: String,
    pub text: String,
    /// When it was made.
    pub made_at: Option<DateTime<Utc>>,
}

/// The secret that `setting` names.
pub(super) async fn read(platform: &Platform, setting: &'static str) -> Result<InUse, SecretError> {
    let name = platform.settings.resource(setting)?.to_owned();
    let unreadable = |reason: String| SecretError::Unreadable { name: name.clone(), reason };
    let answer = platform.aws.secrets().get_secret_value().secret_id(&name).send().await;
    let secret = answer.map_err(|error| unreadable(reason(&error)))?;
    let text = secret.secret_string().ok_or_else(|| unreadable("it holds no text".into()))?.to_owned();
    let made_at = secret.created_date().and_then(|at| DateTime::from_timestamp_secs(at.secs()));
    Ok(InUse { name, text, made_at })
}

/// What Secrets Manager knows of a secret without opening it.
pub struct Description {
    /// The version that is in use.
    pub version: Option<String>,
    /// The version of a rotation that is under way.
    pub pending: Option<String>,
    pub rotated_at: Option<DateTime<Utc>>,
}

/// A secret as whoever rotates it sees it: with its versions.
#[derive(Clone)]
pub struct Secret {
    client: Client,
    name: String,
}

impl Secret {
    /// The secret that `setting` names.
    ///
    /// # Errors
    /// Where the function was not given it.
    pub fn new(platform: &Platform, setting: &'static str) -> Result<Self, SettingError> {
        let name = platform.settings.resource(setting)?.to_owned();
        Ok(Self { client: platform.aws.secrets(), name })
    }

    /// Its name or its ARN, as the function was given it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is in use, where there is anything.
    ///
    /// # Errors
    /// Where it cannot be read, or is damaged.
    pub async fn current<T: DeserializeOwned>(&self) -> Result<Option<T>, SecretError> {
        self.parsed(self.client.get_secret_value().version_stage(CURRENT)).await
    }

    /// What a version holds that was seen in use.
    ///
    /// # Errors
    /// Where it cannot be read, or is damaged.
    pub async fn version<T: DeserializeOwned>(&self, version: &str) -> Result<Option<T>, SecretError> {
        self.parsed(self.client.get_secret_value().version_id(version)).await
    }

    /// What the rotation `token` prepared, where it did so already.
    ///
    /// # Errors
    /// Where it cannot be read, or is damaged.
    pub async fn pending<T: DeserializeOwned>(&self, token: &str) -> Result<Option<T>, SecretError> {
        self.parsed(self.client.get_secret_value().version_id(token).version_stage(PENDING)).await
    }

    /// Puts what is used from now on.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub async fn put<T: Serialize + Sync>(&self, value: &T) -> Result<(), SecretError> {
        let put = self.client.put_secret_value().secret_id(&self.name).secret_string(self.text(value)?);
        put.send().await.map(drop).map_err(|error| self.unwritable(reason(&error)))
    }

    /// Puts what the rotation `token` prepares.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub async fn prepare<T: Serialize + Sync>(&self, token: &str, value: &T) -> Result<(), SecretError> {
        let put = self.client.put_secret_value().secret_id(&self.name).client_request_token(token);
        let put = put.secret_string(self.text(value)?).version_stages(PENDING);
        put.send().await.map(drop).map_err(|error| self.unwritable(reason(&error)))
    }

    /// Which versions are in use and under way, and when a rotation was last complete.
    ///
    /// # Errors
    /// Where the secret cannot be described.
    pub async fn description(&self) -> Result<Description, SecretError> {
        let described = self.client.describe_secret().secret_id(&self.name).send().await;
        let described = described.map_err(|error| self.unreadable(reason(&error)))?;
        let rotated_at = described.last_rotated_date().and_then(|at| DateTime::from_timestamp_secs(at.secs()));
        let versions = described.version_ids_to_stages.unwrap_or_default();
        let holder = |stage: &str| versions.iter().find(|(_, stages)| stages.iter().any(|other| other == stage));
        let [version, pending] = [CURRENT, PENDING].map(|stage| holder(stage).map(|(version, _)| version.clone()));
        // A rotation that is complete may keep its stage.
        let pending = pending.filter(|pending| version.as_ref() != Some(pending));
        Ok(Description { version, pending, rotated_at })
    }

    /// Takes the version `token` into use, in place of the version `before`.
    ///
    /// # Errors
    /// Where the stages cannot be moved.
    pub async fn promote(&self, token: &str, before: String) -> Result<(), SecretError> {
        let promotion = self.client.update_secret_version_stage().secret_id(&self.name).version_stage(CURRENT);
        let promotion = promotion.move_to_version_id(token).remove_from_version_id(before);
        promotion.send().await.map(drop).map_err(|error| self.unwritable(reason(&error)))
    }

    /// Ends the rotation `token`, whose version is never taken into use.
    ///
    /// # Errors
    /// Where its stage cannot be taken away.
    pub async fn abandon(&self, token: &str) -> Result<(), SecretError> {
        let stage = self.client.update_secret_version_stage().secret_id(&self.name).version_stage(PENDING);
        let removal = stage.remove_from_version_id(token).send().await;
        removal.map(drop).map_err(|error| self.unwritable(reason(&error)))
    }

    async fn parsed<T: DeserializeOwned>(
        &self,
        request: GetSecretValueFluentBuilder,
    ) -> Result<Option<T>, SecretError> {
        let answer = match request.secret_id(&self.name).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(self.unreadable(reason(&error))),
        };
        let text = answer.secret_string().ok_or_else(|| self.unreadable("it holds no text".into()))?;
        // A secret that nothing was put into yet.
        if text.is_empty() {
            return Ok(None);
        }
        serde_json::from_str(text).map(Some).map_err(|_| SecretError::Damaged { name: self.name.clone() })
    }

    fn text<T: Serialize>(&self, value: &T) -> Result<String, SecretError> {
        serde_json::to_string(value).map_err(|error| self.unwritable(error.to_string()))
    }

    fn unreadable(&self, reason: String) -> SecretError {
        SecretError::Unreadable { name: self.name.clone(), reason }
    }

    fn unwritable(&self, reason: String) -> SecretError {
        SecretError::Unwritable { name: self.name.clone(), reason }
    }
}
