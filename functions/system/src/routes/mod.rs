//! One file an endpoint: its request, its answer, its handler.

pub mod docs;
pub mod healthz;
pub mod openapi;
pub mod readyz;
pub mod redoc;
pub mod root;
pub mod unserved;

use serde::Serialize;
use utoipa::ToSchema;

/// All is well.
#[derive(Debug, Serialize, ToSchema)]
pub struct Fine {
    ok: bool,
}
