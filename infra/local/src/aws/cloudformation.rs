//! CloudFormation, as far as a custom resource sees it: it is asked for, and tells whether it could be made.

use std::sync::{Arc, Mutex, PoisonError};

use rotation::Rotation;
use serde_json::{Value, json};

use lambda_runtime::{Context, LambdaEvent};

use crate::{StartError, template::Template};

/// Where a custom resource tells how it went.
pub const PATH: &str = "/_cloudformation";

/// What the custom resources told.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<Option<Value>>>);

impl Told {
    /// Notes what was told.
    pub fn note(&self, body: &[u8]) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = serde_json::from_slice(body).ok();
    }

    /// Makes the template's custom resources, as a deployment does.
    ///
    /// # Errors
    /// Where one of them tells that it could not be made.
    pub async fn deploy(
        &self,
        template: &Template,
        rotation: &Rotation,
        aws_address: std::net::SocketAddr,
    ) -> Result<(), StartError> {
        for name in template.custom_resources() {
            let event = json!({
                "RequestType": "Create",
                "ResponseURL": format!("http://{aws_address}{PATH}"),
                "StackId": "arn:aws:cloudformation:local:000000000000:stack/local/1",
                "RequestId": "1",
                "LogicalResourceId": name,
                "ResourceProperties": {},
            });
            let failed = |reason: &str| StartError::Aws(format!("{name} is not made: {reason}"));
            rotation
                .handle(LambdaEvent::new(event, Context::default()))
                .await
                .map_err(|error| failed(&error.to_string()))?;
            let told = self.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
            if told["Status"] != "SUCCESS" || told["LogicalResourceId"] != name.as_str() {
                return Err(failed(told["Reason"].as_str().unwrap_or("it tells nothing")));
            }
        }
        Ok(())
    }
}
