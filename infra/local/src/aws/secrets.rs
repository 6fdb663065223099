//! Secrets Manager: the calls that the functions make, with versions and their stages.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::crypto::random_text;

use super::{Answer, Moment};
use crate::{Data, StartError, files, template::Template};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// The secrets by name, which is the logical id in the template.
#[derive(Clone)]
pub struct Secrets(Arc<Mutex<Kept>>);

struct Kept {
    secrets: BTreeMap<String, Versions>,
    file: Option<PathBuf>,
}

/// A secret's versions by id. One that has no stage is gone.
type Versions = BTreeMap<String, Version>;

#[derive(Clone, Serialize, Deserialize)]
struct Version {
    text: String,
    stages: Vec<String>,
    /// Seconds since 1970; unknown of the very first ones.
    #[serde(default)]
    made_at: Option<i64>,
    /// When the rotation that made it was complete, likewise.
    #[serde(default)]
    rotated_at: Option<i64>,
}

impl Secrets {
    /// Reads the secrets, or makes those of the template, of which some are generated and the others empty.
    ///
    /// # Errors
    /// Where the file cannot be read or written, or is damaged.
    pub fn open(data: &Data, template: &Template) -> Result<Self, StartError> {
        let file = match data {
            Data::Memory => None,
            Data::Folder(folder) => Some(folder.join("secrets.json")),
        };
        let mut secrets = match &file {
            Some(path) if path.exists() => read(path)?,
            _ => BTreeMap::new(),
        };
        for (name, generated) in template.secrets() {
            if let Entry::Vacant(vacant) = secrets.entry(name) {
                vacant.insert(first_versions(&generated)?);
            }
        }
        let kept = Kept { secrets, file };
        kept.keep().map_err(|reason| StartError::Aws(format!("secrets cannot be kept: {reason}")))?;
        Ok(Self(Arc::new(Mutex::new(kept))))
    }

    /// Answers a call.
    pub fn call(&self, operation: &str, request: &Value, now: Moment) -> Answer {
        let name = request["SecretId"].as_str().unwrap_or_default();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(versions) = kept.secrets.get_mut(name) else {
            return not_found("Secrets Manager can't find the specified secret.");
        };
        let mut answer = match operation {
            "GetSecretValue" => get(versions, request),
            "DescribeSecret" => {
                let stages: BTreeMap<_, _> = versions.iter().map(|(id, version)| (id, &version.stages)).collect();
                let rotated_at = versions.values().filter_map(|version| version.rotated_at).max();
                let mut body = json!({ "RotationEnabled": true, "VersionIdsToStages": stages });
                if let Some(rotated_at) = rotated_at {
                    body["LastRotatedDate"] = rotated_at.into();
                }
                Answer::new(StatusCode::OK, body)
            }
            "RotateSecret" => complete_rotation(versions, request, now),
            "PutSecretValue" => put(versions, request, now),
            "UpdateSecretVersionStage" => move_stage(versions, request),
            _ => refused("InvalidRequestException", "not played here"),
        };
        if answer.status == StatusCode::OK {
            answer.body["ARN"] = format!("arn:aws:secretsmanager:{}:000000000000:secret:{name}", super::REGION).into();
            answer.body["Name"] = name.into();
        }
        match kept.keep() {
            Ok(()) => answer,
            Err(reason) => Answer::refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceError", &reason),
        }
    }
}

impl Kept {
    fn keep(&self) -> Result<(), String> {
        let Some(path) = &self.file else { return Ok(()) };
        let text = serde_json::to_string_pretty(&self.secrets).map_err(|error| error.to_string())?;
        files::replace(path, text.as_bytes()).map_err(|error| error.to_string())
    }
}

fn get(versions: &Versions, request: &Value) -> Answer {
    let stage = request["VersionStage"].as_str();
    let id = request["VersionId"].as_str();
    let stage = if id.is_none() { stage.or(Some(CURRENT)) } else { stage };
    let fits = |(version_id, version): &(&String, &Version)| {
        id.is_none_or(|id| id == version_id.as_str()) && stage.is_none_or(|stage| version.has(stage))
    };
    match versions.iter().find(fits) {
        Some((id, version)) => {
            let mut body = json!({ "SecretString": version.text, "VersionId": id, "VersionStages": version.stages });
            if let Some(made_at) = version.made_at {
                body["CreatedDate"] = made_at.into();
            }
            Answer::new(StatusCode::OK, body)
        }
        None => not_found("Secrets Manager can't find the specified secret value."),
    }
}

fn put(versions: &mut Versions, request: &Value, now: Moment) -> Answer {
    let text = request["SecretString"].as_str().unwrap_or_default().to_owned();
    let Some(id) = request["ClientRequestToken"].as_str() else {
        return refused("InvalidParameterException", "a client request token is needed");
    };
    match versions.get(id) {
        Some(version) if version.text == text => {}
        Some(_) => return refused("ResourceExistsException", "the version exists with another value"),
        None => {
            let stages = request["VersionStages"].as_array().into_iter().flatten();
            let stages: Vec<_> = stages.filter_map(Value::as_str).map(str::to_owned).collect();
            let made_at = Some(now.timestamp());
            versions.insert(id.to_owned(), Version { text, stages: Vec::new(), made_at, rotated_at: None });
            if stages.is_empty() {
                promote(versions, CURRENT, id);
            }
            stages.iter().for_each(|stage| promote(versions, stage, id));
        }
    }
    Answer::new(StatusCode::OK, json!({ "VersionId": id }))
}

fn move_stage(versions: &mut Versions, request: &Value) -> Answer {
    let text = |name: &str| request[name].as_str();
    let (stage, to, from) = (text("VersionStage"), text("MoveToVersionId"), text("RemoveFromVersionId"));
    let Some(stage) = stage.filter(|_| to.or(from).is_some()) else {
        return refused("InvalidParameterException", "a stage and a version are needed");
    };
    let holder = versions.iter().find(|(_, version)| version.has(stage)).map(|(id, _)| id.clone());
    if holder.as_deref() != from || to.is_some_and(|to| !versions.contains_key(to)) {
        return refused("InvalidParameterException", "the stage is not there, or there is no such version");
    }
    match (to, holder.and_then(|holder| versions.get_mut(&holder))) {
        (Some(to), _) => promote(versions, stage, to),
        (None, Some(holder)) => holder.stages.retain(|other| other != stage),
        (None, None) => {}
    }
    Answer::new(StatusCode::OK, json!({}))
}

/// What is left of a rotation once its four steps are done.
fn complete_rotation(versions: &mut Versions, request: &Value, now: Moment) -> Answer {
    let id = request["ClientRequestToken"].as_str().unwrap_or_default();
    let Some(version) = versions.get_mut(id) else {
        return not_found("Secrets Manager can't find the version that was rotated.");
    };
    version.rotated_at = version.rotated_at.or(Some(now.timestamp()));
    Answer::new(StatusCode::OK, json!({ "VersionId": id }))
}

/// Gives a stage to a version, which takes it from the one that has it.
fn promote(versions: &mut Versions, stage: &str, id: &str) {
    let holder = versions.iter().find(|(_, version)| version.has(stage)).map(|(id, _)| id.clone());
    for version in versions.values_mut() {
        version.stages.retain(|other| other != stage && (stage != CURRENT || other != PREVIOUS));
    }
    if let Some(before) = holder.filter(|before| stage == CURRENT && before != id).and_then(|id| versions.get_mut(&id))
    {
        before.stages.push(PREVIOUS.to_owned());
    }
    if let Some(version) = versions.get_mut(id) {
        version.stages.push(stage.to_owned());
    }
    versions.retain(|_, version| !version.stages.is_empty());
}

impl Version {
    fn has(&self, stage: &str) -> bool {
        self.stages.iter().any(|other| other == stage)
    }
}

/// What `GenerateSecretString` of the template makes; nothing where there is none.
fn first_versions(generated: &Value) -> Result<Versions, StartError> {
    let failed = |reason: String| StartError::Aws(format!("a secret cannot be generated: {reason}"));
    let Some(key) = generated["GenerateStringKey"].as_str() else { return Ok(Versions::new()) };
    let pattern = generated["SecretStringTemplate"].as_str().unwrap_or("{}");
    let mut value: Value = serde_json::from_str(pattern).map_err(|error| failed(error.to_string()))?;
    value[key] = random_text(36).map_err(|error| failed(error.to_string()))?.into();
    let stages = vec![CURRENT.to_owned()];
    let version = Version { text: value.to_string(), stages, made_at: None, rotated_at: None };
    Ok(Versions::from([("first".to_owned(), version)]))
}

fn refused(kind: &str, message: &str) -> Answer {
    Answer::refused(StatusCode::BAD_REQUEST, kind, message)
}

fn not_found(message: &str) -> Answer {
    refused("ResourceNotFoundException", message)
}

fn read(path: &Path) -> Result<BTreeMap<String, Versions>, StartError> {
    let refused = |reason: String| StartError::Data { path: path.display().to_string(), reason };
    let text = fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
    serde_json::from_str(&text).map_err(|_| refused("it is damaged".into()))
}
