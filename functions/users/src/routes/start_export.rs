use axum::{Json, extract::State as Extract, http::StatusCode, response::IntoResponse};
use shared::{
    domain::Export,
    http::{Caller, Code, NoStore, Problem, ProblemBody},
    store::ExportAsked,
};

use super::export::ShownExport;
use crate::State;

/// Asks for all of the caller's data as one JSON document. A mail brings the link; while one is under way, or is less than
/// an hour old, this answers with it. Where that one was taken back meanwhile, by a new password or the end of all sessions, there
/// is no other within the hour.
#[utoipa::path(
    post,
    path = "/api/v1/users/me/export",
    operation_id = "start_export",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 202, description = "It is under way.", body = ShownExport),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn start_export(Extract(state): Extract<State>, caller: Caller) -> Result<impl IntoResponse, Problem> {
    let asked = Export { id: state.clock.new_id(), asked_at: state.clock.now(), ready_at: None };
    let user_id = caller.account.id;
    let export = match state.accounts.ask_for_export(user_id, &asked).await? {
        ExportAsked::Yes(export) => export,
        ExportAsked::NotBefore(moment) => {
            let told = Problem::new(Code::TooManyRequests, "An export was asked for within the last hour.");
            return Err(told.retry_after(moment - asked.asked_at));
        }
        ExportAsked::Gone => return Err(Problem::new(Code::SessionEnded, "The session has ended.")),
    };
    Ok((StatusCode::ACCEPTED, NoStore(Json(ShownExport::of(&state, user_id, &export).await?))))
}
