//! Secrets Manager: the calls that the functions make. The keys are made at the first start and kept.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use shared::crypto::{DerivationKeys, KeyError, SigningKeys};

use super::Answer;
use crate::{Data, StartError, files};

/// The secrets by name, which is the logical id in the template.
#[derive(Clone)]
pub struct Secrets(Arc<BTreeMap<String, String>>);

impl Secrets {
    /// Reads the secrets, or makes the first ones.
    ///
    /// # Errors
    /// Where the file cannot be read or written, or is damaged.
    pub fn open(data: &Data, now: DateTime<Utc>) -> Result<Self, StartError> {
        let made = || make(now).map_err(|error| StartError::Aws(error.to_string()));
        let secrets = match data {
            Data::Memory => made()?,
            Data::Folder(folder) => {
                let path = folder.join("secrets.json");
                if path.exists() { read(&path)? } else { keep(&path, made()?)? }
            }
        };
        Ok(Self(Arc::new(secrets)))
    }

    /// Answers a call.
    pub fn call(&self, operation: &str, request: &Value) -> Answer {
        let name = request["SecretId"].as_str().unwrap_or_default();
        match (operation, self.0.get(name)) {
            ("GetSecretValue", Some(secret)) => {
                let arn = format!("arn:aws:secretsmanager:{}:000000000000:secret:{name}", super::REGION);
                let stages = ["AWSCURRENT"];
                let body = json!({ "ARN": arn, "Name": name, "SecretString": secret, "VersionStages": stages });
                Answer::new(StatusCode::OK, body)
            }
            ("GetSecretValue", None) => {
                let message = "Secrets Manager can't find the specified secret.";
                Answer::refused(StatusCode::BAD_REQUEST, "ResourceNotFoundException", message)
            }
            _ => Answer::refused(StatusCode::BAD_REQUEST, "InvalidRequestException", "not played here"),
        }
    }
}

fn make(now: DateTime<Utc>) -> Result<BTreeMap<String, String>, KeyError> {
    let signing = SigningKeys::generate(now)?;
    let text = |value: Result<String, serde_json::Error>| value.map_err(|error| KeyError::Unusable(error.to_string()));
    Ok(BTreeMap::from([
        ("SigningKeys".to_owned(), text(serde_json::to_string(&signing))?),
        ("PublicKeys".to_owned(), text(serde_json::to_string(&signing.public()))?),
        ("DerivationKeys".to_owned(), text(serde_json::to_string(&DerivationKeys::generate()?))?),
    ]))
}

fn refused(path: &Path, reason: impl ToString) -> StartError {
    StartError::Data { path: path.display().to_string(), reason: reason.to_string() }
}

fn read(path: &Path) -> Result<BTreeMap<String, String>, StartError> {
    let text = fs::read_to_string(path).map_err(|error| refused(path, error))?;
    serde_json::from_str(&text).map_err(|_| refused(path, "it is damaged"))
}

fn keep(path: &Path, secrets: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, StartError> {
    let text = serde_json::to_string_pretty(&secrets).map_err(|error| refused(path, error))?;
    files::replace(path, text.as_bytes()).map_err(|error| refused(path, error))?;
    Ok(secrets)
}
