use serde::{Deserialize, Serialize};
use shared::aws;

use crate::{Failure, Rotation};

/// What CloudFormation asks of a custom resource.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Deployment {
    request_type: RequestType,
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
enum RequestType {
    Create,
    Update,
    Delete,
}

/// What it is told.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Told<'a> {
    status: &'a str,
    reason: String,
    physical_resource_id: &'a str,
    stack_id: &'a str,
    request_id: &'a str,
    logical_resource_id: &'a str,
}

impl Rotation {
    /// Makes the keys that are not there yet, and tells CloudFormation, which waits. Deleting the resource deletes no key.
    pub(crate) async fn deploy(&self, deployment: &Deployment) -> Result<(), Failure> {
        let made = match deployment.request_type {
            RequestType::Create | RequestType::Update => self.make_first().await,
            RequestType::Delete => Ok(()),
        };
        let told = Told {
            status: if made.is_ok() { "SUCCESS" } else { "FAILED" },
            reason: made.as_ref().err().map(|failure| aws::reason(failure)).unwrap_or_default(),
            physical_resource_id: "first-keys",
            stack_id: &deployment.stack_id,
            request_id: &deployment.request_id,
            logical_resource_id: &deployment.logical_resource_id,
        };
        let body = serde_json::to_vec(&told).map_err(|error| Failure::Untold(error.to_string()))?;
        // The address is signed for a request without a content type.
        let sent = reqwest::Client::new().put(&deployment.response_url).body(body).send().await;
        sent.and_then(reqwest::Response::error_for_status)
            .map_err(|error| Failure::Untold(aws::reason(&error.without_url())))?;
        made
    }
}
