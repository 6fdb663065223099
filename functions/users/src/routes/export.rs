use axum::{Json, extract::State as Extract, response::IntoResponse};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::{
    crypto::{LinkPurpose, MailedLink},
    domain::Export,
    http::{Caller, Code, NoStore, Problem, ProblemBody},
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::State;

/// How far an export is.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownExport {
    /// `pending`, `ready` or `expired`.
    state: &'static str,
    requested_at: DateTime<Utc>,
    ready_at: Option<DateTime<Utc>>,
    /// When the link stops working.
    expires_at: Option<DateTime<Utc>>,
    /// Where it is, while it is ready.
    link: Option<String>,
}

impl ShownExport {
    /// An export of a user, as they see it.
    pub async fn of(state: &State, user_id: Uuid, export: &Export) -> Result<Self, Problem> {
        let ready = export.is_ready(state.clock.now());
        let token = MailedLink { user_id, id: export.id }.encode(LinkPurpose::Export, &state.derivation.fresh().await?);
        let link = token.map(|token| format!("{}/export?token={token}", state.settings.public_base_url));
        Ok(Self {
            state: match export.ready_at {
                None => "pending",
                Some(_) if ready => "ready",
                Some(_) => "expired",
            },
            requested_at: export.asked_at,
            ready_at: export.ready_at,
            expires_at: export.end(),
            link: link.filter(|_| ready),
        })
    }
}

/// How far the newest export of the caller's data is, and where.
#[utoipa::path(
    get,
    path = "/api/v1/users/me/export",
    operation_id = "export",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "The newest export.", body = ShownExport),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`: none was asked for", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn export(Extract(state): Extract<State>, caller: Caller) -> Result<impl IntoResponse, Problem> {
    let export = caller.account.export.as_ref();
    let export = export.ok_or_else(|| Problem::new(Code::NotFound, "No export was asked for."))?;
    Ok(NoStore(Json(ShownExport::of(&state, caller.account.id, export).await?)))
}
