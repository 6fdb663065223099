use axum::Json;

use super::Fine;

/// Whether the function runs. Touches nothing else.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "healthz",
    tag = "system",
    responses((status = 200, description = "It runs.", body = Fine))
)]
pub async fn healthz() -> Json<Fine> {
    Json(Fine { ok: true })
}
