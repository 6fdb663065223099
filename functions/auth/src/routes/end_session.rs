use std::collections::{BTreeMap, HashMap};

use axum::{Json, extract::State as Extract, response::IntoResponse};
use shared::{
    domain::{Act, AuditEntry},
    http::{Caller, Code, NoStore, Problem, ProblemBody, UrlPath},
};
use uuid::Uuid;

use super::Done;
use crate::State;

/// Ends a session: its tokens stop working at once.
#[utoipa::path(
    delete,
    path = "/api/v1/auth/sessions/{session_id}",
    operation_id = "end_session",
    tag = "auth",
    security(("bearer" = []), ("password" = [])),
    params(("session_id" = Uuid, Path, description = "The session.")),
    responses(
        (status = 200, description = "It has ended.", body = Done),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`, `forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn end_session(
    Extract(state): Extract<State>,
    caller: Caller,
    UrlPath(path): UrlPath<HashMap<String, String>>,
) -> Result<impl IntoResponse, Problem> {
    let subject = caller.subject(path.get("id").map(String::as_str))?;
    let missing = || Problem::new(Code::NotFound, "There is no such session.");
    let session: Uuid = path.get("session_id").and_then(|id| id.parse().ok()).ok_or_else(missing)?;
    let entry = (subject != caller.account.id).then(|| AuditEntry {
        id: state.clock.new_id(),
        at: state.clock.now(),
        actor: caller.account.id,
        target: subject,
        act: Act::SessionEnded,
        changes: BTreeMap::from([("session".to_owned(), session.to_string())]),
    });
    if state.accounts.take_session(subject, session, entry.as_ref(), state.clock.now()).await? {
        Ok(NoStore(Json(Done::saying("The session has ended"))))
    } else {
        Err(missing())
    }
}
