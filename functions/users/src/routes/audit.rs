use std::collections::BTreeMap;

use axum::{Json, extract::State as Extract, response::IntoResponse};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use shared::{
    domain::AuditEntry,
    http::{Caller, Fields, NoStore, Problem, ProblemBody, UrlQuery, decode_cursor, link_to_next, page_limit},
    store::{AuditFilter, AuditPosition},
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::State;

/// Which entries.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Trail {
    /// Who did it.
    actor: Option<Uuid>,
    /// Whom it was done to.
    target: Option<Uuid>,
    /// Not before (RFC 3339).
    from: Option<DateTime<Utc>>,
    /// Not after (RFC 3339).
    to: Option<DateTime<Utc>>,
    /// Entries on a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// Where the last page ended, from its `Link`.
    cursor: Option<String>,
}

/// An act of an admin.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownEntry {
    id: Uuid,
    at: DateTime<Utc>,
    actor: Uuid,
    target: Uuid,
    /// `user_created`, `user_updated`, `user_deleted` or `session_ended`.
    action: &'static str,
    /// What was decided, by field; of what people write about themselves no more than `edited`.
    changes: BTreeMap<String, String>,
}

impl From<AuditEntry> for ShownEntry {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { id, at, actor, target, act, changes } = entry;
        Self { id, at, actor, target, action: act.as_str(), changes }
    }
}

/// Who did what to whom and when, newest first. For admins; nobody can change it.
#[utoipa::path(
    get,
    path = "/api/v1/admin/audit",
    operation_id = "audit",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    params(Trail),
    responses(
        (status = 200, description = "A page; `Link` leads to the next.", body = [ShownEntry]),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn audit(
    Extract(state): Extract<State>,
    caller: Caller,
    trail: Result<UrlQuery<Trail>, Problem>,
) -> Result<impl IntoResponse, Problem> {
    caller.require_admin()?;
    let UrlQuery(trail) = trail?;
    let mut fields = Fields::default();
    let limit = page_limit(trail.limit, &mut fields);
    let after: Option<AuditPosition> = match &trail.cursor {
        Some(cursor) => fields.take("cursor", decode_cursor(cursor)),
        None => None,
    };
    fields.check()?;
    let filter = AuditFilter { actor: trail.actor, target: trail.target, from: trail.from, to: trail.to };
    let (entries, next) = state.accounts.audit_page(&filter, after, limit, state.clock.now()).await?;

    let mut parameters = vec![("limit", limit.to_string())];
    parameters.extend(trail.actor.map(|actor| ("actor", actor.to_string())));
    parameters.extend(trail.target.map(|target| ("target", target.to_string())));
    parameters.extend(trail.from.map(|from| ("from", from.to_rfc3339())));
    parameters.extend(trail.to.map(|to| ("to", to.to_rfc3339())));
    let headers = link_to_next("/api/v1/admin/audit", &parameters, next.as_ref());
    let entries: Vec<_> = entries.into_iter().map(ShownEntry::from).collect();
    Ok((headers, NoStore(Json(entries))))
}
