use axum::{Json, extract::State as Extract, http::header, response::IntoResponse};
use serde::Serialize;
use shared::{
    crypto::PublicKeys,
    http::{Problem, ProblemBody},
};
use utoipa::ToSchema;

use super::CACHEABLE;
use crate::State;

/// A JWK Set (RFC 7517 §5).
#[derive(Serialize, ToSchema)]
pub struct KeySet {
    /// The keys that sign, signed, or will sign next.
    #[serde(flatten)]
    #[schema(inline, value_type = Object)]
    keys: PublicKeys,
}

/// The public keys of the access tokens. A key stands here a whole period before it signs and one after it last did.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    operation_id = "jwks",
    tag = "system",
    responses(
        (status = 200, description = "The keys.", body = KeySet),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn jwks(Extract(state): Extract<State>) -> Result<impl IntoResponse, Problem> {
    let keys = state.published.fresh().await?;
    Ok(([(header::CACHE_CONTROL, CACHEABLE)], Json(KeySet { keys })))
}
