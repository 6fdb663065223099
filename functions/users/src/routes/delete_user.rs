use std::collections::{BTreeMap, HashMap};

use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde::Serialize;
use shared::{
    domain::Act,
    http::{Code, NoStore, PendingCaller, Problem, ProblemBody, UrlPath},
    store::{Ended, Erasing},
};
use utoipa::ToSchema;

use super::{last_admin, missing};
use crate::State;

/// The account is deleted.
#[derive(Debug, Serialize, ToSchema)]
pub struct Deleted {
    #[schema(example = "Account deleted successfully.")]
    message: &'static str,
}

/// Deletes an account: one's own, or any where the caller is an admin. It ends at once, its address and username are
/// free at once, and everything personal begins to be erased at once, which takes minutes where there is much of it.
#[utoipa::path(
    delete,
    path = "/api/v1/users/me",
    operation_id = "delete_user",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "The account is deleted.", body = Deleted),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`last_admin`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn delete_user(
    Extract(state): Extract<State>,
    caller: PendingCaller,
    UrlPath(path): UrlPath<HashMap<String, String>>,
) -> Result<impl IntoResponse, Problem> {
    let own = caller.account.id;
    let id = path.get("id").map_or("me", String::as_str);
    let (account, erasing) = if id == "me" || id.parse().is_ok_and(|id: uuid::Uuid| id == own) {
        (caller.account, Erasing::Own(caller.session_id))
    } else {
        let caller = state.authority.verified(caller)?;
        let subject = caller.subject(Some(id))?;
        let account = state.accounts.find(subject).await?.ok_or_else(missing)?;
        let entry = state.entry(&caller, subject, Act::UserDeleted, BTreeMap::new());
        (account, Erasing::ByAdmin(entry))
    };
    let by_owner = matches!(erasing, Erasing::Own(_));
    match state.accounts.end_account(account, &erasing, state.clock.now()).await? {
        Ended::Yes => Ok(NoStore(Json(Deleted { message: "Account deleted successfully." }))),
        Ended::LastAdmin => Err(last_admin()),
        Ended::No if by_owner => Err(Problem::new(Code::SessionEnded, "The session has ended.")),
        Ended::No => Err(missing()),
    }
}
