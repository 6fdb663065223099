use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde_json::{Map, Value};
use shared::{
    document_schema,
    domain::{AccountEdit, CONTACT_VISIBILITY, EXTENDED, Edit, Edits, Field, PROFILE_VISIBILITY},
    http::{Bearer, JsonBody, NoStore, Patch, Problem, ProblemBody},
    store::{DocumentKind, UserEdit},
};

use super::{edited, profile};
use crate::State;

/// The body of an edit of the extended profile.
pub struct ExtendedProfilePatch;

document_schema!(
    ExtendedProfilePatch, "ExtendedProfilePatch", &[EXTENDED],
    "What is absent stays as it is; `null` clears a field.",
    editing: true
);

/// Edits the caller's extended profile. A field that is absent stays as it is, `null` clears it.
#[utoipa::path(
    method(put, patch),
    path = "/api/v1/users/me/profile",
    operation_id = "update_profile",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    request_body = ExtendedProfilePatch,
    responses(
        (status = 200, description = "The profile as it is now.", body = profile::ExtendedProfile),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn update_profile(
    Extract(state): Extract<State>,
    bearer: Bearer,
    body: Result<JsonBody<Map<String, Value>>, Problem>,
) -> Result<impl IntoResponse, Problem> {
    let stored = state.accounts.document(bearer.user_id(), DocumentKind::Extended);
    let (caller, stored) = bearer.with_item(stored).await?;
    let JsonBody(values) = body?;
    let mut patch = Patch::new(values);
    let mut edits = patch.document(EXTENDED);
    patch.finish()?;
    let account = AccountEdit {
        profile_private: visibility(&mut edits, &PROFILE_VISIBILITY).map(|public| !public),
        contact_public: visibility(&mut edits, &CONTACT_VISIBILITY),
        ..AccountEdit::default()
    };
    let document = (!edits.is_empty()).then_some((DocumentKind::Extended, edits));
    let edit = UserEdit { account, document, ..UserEdit::default() };
    let (account, stored) = edited(state.accounts.edit(caller.account, stored, &edit, state.clock.now()).await?)?;
    Ok(NoStore(Json(profile::shown(&account, &stored))))
}

/// Whether something is to be public, which the account holds and not the document.
fn visibility(edits: &mut Edits, field: &Field) -> Option<bool> {
    let value = match edits.remove(field.name)? {
        Edit::Unchanged => return None,
        Edit::Cleared => field.default(),
        Edit::To(value) => value,
    };
    Some(value == "public")
}
