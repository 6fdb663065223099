use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde::Serialize;
use shared::{
    http::{Caller, NoStore, Problem, ProblemBody},
    store::TableState,
};
use utoipa::ToSchema;

use crate::State;

/// The tables as DynamoDB tells of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct DatabaseStatus {
    tables: Vec<ShownTable>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ShownTable {
    /// `users`, `tokens`, `attempts` or `audit`.
    table: &'static str,
    /// DynamoDB's word for it, such as `ACTIVE`; `MISSING` where there is none.
    state: String,
    /// Milliseconds until it told.
    latency_ms: f64,
}

impl From<TableState> for ShownTable {
    fn from(TableState { label, state, latency }: TableState) -> Self {
        let state = state.unwrap_or_else(|| "MISSING".to_owned());
        Self { table: label, state, latency_ms: latency.as_secs_f64() * 1000.0 }
    }
}

/// The tables, their state, and how long each takes to tell it. For admins.
#[utoipa::path(
    get,
    path = "/db/status",
    operation_id = "db_status",
    tag = "system",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "The tables.", body = DatabaseStatus),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn db_status(Extract(state): Extract<State>, caller: Caller) -> Result<impl IntoResponse, Problem> {
    caller.require_admin()?;
    let tables = state.tables.describe().await?;
    Ok(NoStore(Json(DatabaseStatus { tables: tables.into_iter().map(ShownTable::from).collect() })))
}
