use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{header, request::Parts},
};
use lambda_http::{RequestExt, request::RequestContext};

use super::edge::ClientAddress;
use crate::domain::Device;

/// Characters of a user agent that are kept.
const LONGEST_USER_AGENT: usize = 256;

/// Where a request came from, as API Gateway saw it, or a distribution before it that proved itself. Never read from a
/// header that a client can write.
#[derive(Clone, Debug)]
pub struct Origin {
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let via_edge = parts.extensions.get::<ClientAddress>().map(|client| client.0.clone());
        let ip_address = via_edge.or_else(|| match parts.extensions.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.clone(),
            _ => None,
        });
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self { ip_address, user_agent: agent.map(|agent| agent.chars().take(LONGEST_USER_AGENT).collect()) })
    }
}

impl From<Origin> for Device {
    fn from(origin: Origin) -> Self {
        Self { ip_address: origin.ip_address, user_agent: origin.user_agent }
    }
}
