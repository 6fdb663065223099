//! One file an endpoint: its request, its answer, its handler.

pub mod db_status;
pub mod docs;
pub mod health;
pub mod healthz;
pub mod jwks;
pub mod metrics;
pub mod openapi;
pub mod openid_configuration;
pub mod readyz;
pub mod redoc;
pub mod root;
pub mod unserved;

use serde::Serialize;
use utoipa::ToSchema;

/// What is published may be kept for a quarter of an hour: a key is published two hours and more before it signs.
const CACHEABLE: &str = "public, max-age=900";

/// All is well.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fine {
    ok: bool,
}
