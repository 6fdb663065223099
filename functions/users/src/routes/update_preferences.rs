use std::collections::{BTreeMap, HashMap};

use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde_json::{Map, Value};
use shared::{
    document_schema,
    domain::{AccountEdit, Act, Edit, Edits, Field, JOB_MATCHING, LANGUAGE, SETTINGS, TIMEZONE},
    http::{Bearer, JsonBody, NoStore, Patch, Problem, ProblemBody, UrlPath},
    store::{DocumentKind, UserEdit},
};

use super::{edited, preferences, subject};
use crate::State;

/// The body of an edit of the preferences.
pub struct PreferencesPatch;

document_schema!(
    PreferencesPatch, "PreferencesPatch", &[SETTINGS, JOB_MATCHING],
    "What is absent stays as it is; `null` clears a field.",
    editing: true
);

/// Edits preferences: one's own, or anyone's where the caller is an admin. A field that is absent stays as it is, `null`
/// clears it.
#[utoipa::path(
    method(put, patch),
    path = "/api/v1/users/me/preferences",
    operation_id = "update_preferences",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    request_body = PreferencesPatch,
    responses(
        (status = 200, description = "The preferences as they are now.", body = preferences::Preferences),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn update_preferences(
    Extract(state): Extract<State>,
    bearer: Bearer,
    UrlPath(path): UrlPath<HashMap<String, String>>,
    body: Result<JsonBody<Map<String, Value>>, Problem>,
) -> Result<impl IntoResponse, Problem> {
    let own = state.accounts.document(bearer.user_id(), DocumentKind::Preferences);
    let (caller, own) = bearer.with_item(own).await?;
    let kind = DocumentKind::Preferences;
    let (account, stored) = subject(&state, &caller, path.get("id").map(String::as_str), kind, own).await?;
    let JsonBody(values) = body?;
    let mut patch = Patch::new(values);
    let mut edits = patch.document(SETTINGS);
    edits.append(&mut patch.document(JOB_MATCHING));
    patch.finish()?;
    let changes: BTreeMap<_, _> = edits.keys().map(|name| ((*name).to_owned(), "edited".to_owned())).collect();
    let by_admin = account.id != caller.account.id;
    let edit = UserEdit {
        account: AccountEdit {
            language: held(&mut edits, &LANGUAGE),
            timezone: held(&mut edits, &TIMEZONE),
            ..AccountEdit::default()
        },
        document: (!edits.is_empty()).then_some((DocumentKind::Preferences, edits)),
        audit: by_admin.then(|| state.entry(&caller, account.id, Act::UserUpdated, changes)),
        other_plan: false,
    };
    let (account, stored) = edited(state.accounts.edit(account, stored, &edit, state.clock.now()).await?)?;
    Ok(NoStore(Json(preferences::shown(&account, &stored, &[SETTINGS, JOB_MATCHING]))))
}

/// The edit of a field that the account holds and not the document.
fn held(edits: &mut Edits, field: &Field) -> Edit<String> {
    match edits.remove(field.name) {
        None | Some(Edit::Unchanged) => Edit::Unchanged,
        Some(Edit::Cleared) => Edit::Cleared,
        Some(Edit::To(value)) => value.as_str().map_or(Edit::Unchanged, |text| Edit::To(text.to_owned())),
    }
}
