//! Function `rotation`: the four steps in which Secrets Manager rotates a secret, the very first keys, which CloudFormation
//! asks for as a custom resource, and others in place of all that there are, for when they leaked. Whoever asks, asks again where
//! the answer was lost: each step may be carried out any number of times.

mod deployment;
mod replacement;
mod ring;

use lambda_runtime::{Error, LambdaEvent};
use serde::Deserialize;
use shared::{
    Platform, aws,
    clock::Clock,
    config::Settings,
    crypto::{KeyError, PublicKeys, Secret, SecretError},
    invocation,
    telemetry::Meter,
};
use std::sync::Arc;
use thiserror::Error as Failing;

use deployment::Deployment;
use replacement::Replacement;

/// What the rotation may touch.
#[derive(Clone)]
pub struct Rotation {
    settings: Arc<Settings>,
    clock: Clock,
    meter: Meter,
    signing: Secret,
    derivation: Secret,
    published: Secret,
}

/// A step, as Secrets Manager asks for it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Asked {
    step: Step,
    secret_id: String,
    /// The version that the rotation makes.
    client_request_token: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Step {
    #[serde(rename = "createSecret")]
    Create,
    #[serde(rename = "setSecret")]
    Set,
    #[serde(rename = "testSecret")]
    Test,
    #[serde(rename = "finishSecret")]
    Finish,
}

/// Who asks: Secrets Manager, CloudFormation, or an operator.
#[derive(Deserialize)]
#[serde(untagged)]
enum Request {
    Rotate(Asked),
    Deploy(Deployment),
    Replace(Replacement),
}

/// Why a step is not done.
#[derive(Debug, Failing)]
pub enum Failure {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("{0} is not a secret that is rotated here")]
    Unknown(String),
    #[error("{0} has no keys yet")]
    Empty(String),
    #[error("{0} was rotated less than {1} minutes ago")]
    TooSoon(String, i64),
    #[error("the rotation {0} was not prepared")]
    Unprepared(String),
    #[error("the keys were replaced while the rotation {0} was under way, which ends it")]
    Superseded(String),
    #[error("the keys that were prepared do not work")]
    Unfit,
    #[error("CloudFormation cannot be told: {0}")]
    Untold(String),
}

impl Rotation {
    /// Names the secrets; nothing is asked of AWS yet.
    ///
    /// # Errors
    /// Where a setting is missing.
    pub fn load(platform: &Platform) -> Result<Self, Error> {
        Ok(Self {
            settings: Arc::clone(&platform.settings),
            clock: platform.clock.clone(),
            meter: Meter::new(&platform.settings, &platform.clock),
            signing: Secret::new(platform, "SIGNING_KEYS_SECRET")?,
            derivation: Secret::new(platform, "DERIVATION_KEYS_SECRET")?,
            published: Secret::new(platform, "PUBLIC_KEYS_SECRET")?,
        })
    }

    /// Does what is asked.
    ///
    /// # Errors
    /// Where it cannot be done: whoever asked asks again.
    pub async fn handle(&self, event: LambdaEvent<serde_json::Value>) -> Result<(), Error> {
        let request = serde_json::from_value(event.payload)?;
        let work = async {
            match &request {
                Request::Rotate(asked) => self.step(asked).await,
                Request::Deploy(deployment) => self.deploy(deployment).await,
                Request::Replace(replacement) => self.replace(replacement).await,
            }
        };
        invocation::observed(&self.meter, &event.context, work).await.map_err(|failure| {
            tracing::error!(reason = aws::reason(&failure), "keys not rotated");
            failure.into()
        })
    }

    async fn step(&self, asked: &Asked) -> Result<(), Failure> {
        if asked.secret_id == self.signing.name() {
            ring::step::<ring::Signing>(self, &self.signing, asked).await
        } else if asked.secret_id == self.derivation.name() {
            ring::step::<ring::Deriving>(self, &self.derivation, asked).await
        } else {
            Err(Failure::Unknown(asked.secret_id.clone()))
        }
    }

    /// Makes the keys that are not there yet.
    async fn make_first(&self) -> Result<(), Failure> {
        let signing = ring::first::<ring::Signing>(self, &self.signing).await?;
        ring::first::<ring::Deriving>(self, &self.derivation).await?;
        if self.published.current::<PublicKeys>().await?.is_none() {
            self.published.put(&signing.public()).await?;
        }
        Ok(())
    }
}
