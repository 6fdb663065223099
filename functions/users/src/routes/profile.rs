use std::collections::HashMap;

use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde_json::{Map, Value};
use shared::{
    document_schema,
    domain::{Account, CONTACT_VISIBILITY, EXTENDED, LINKS, PROFILE_VISIBILITY},
    http::{Bearer, NoStore, Problem, ProblemBody, UrlPath, document},
    store::{DocumentKind, StoredDocument},
};

use super::seen;
use crate::State;

/// The extended profile.
pub struct ExtendedProfile;

document_schema!(
    ExtendedProfile, "ExtendedProfile", &[EXTENDED],
    "The extended profile. Others see its links only where `contact_visibility` is `public`.",
    editing: false
);

/// The extended profile of the caller, or of someone whose profile they may see; without its links, unless its owner
/// shows these to others.
#[utoipa::path(
    get,
    path = "/api/v1/users/me/profile",
    operation_id = "profile",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "The profile.", body = ExtendedProfile),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`premium_required`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn profile(
    Extract(state): Extract<State>,
    bearer: Bearer,
    UrlPath(path): UrlPath<HashMap<String, String>>,
) -> Result<impl IntoResponse, Problem> {
    let own = state.accounts.document(bearer.user_id(), DocumentKind::Extended);
    let (caller, own) = bearer.with_item(own).await?;
    let (account, stored) =
        seen(&state, &caller, path.get("id").map(String::as_str), DocumentKind::Extended, own).await?;
    let mut shown = shown(&account, &stored);
    if account.id != caller.account.id && !caller.is_admin() && !account.contact_public {
        for link in LINKS {
            shown.insert((*link).to_owned(), Value::Null);
        }
    }
    Ok(NoStore(Json(shown)))
}

/// The document with what the account holds of it.
pub(super) fn shown(account: &Account, stored: &StoredDocument) -> Map<String, Value> {
    let mut shown = document::shown(&stored.document, &[EXTENDED]);
    let word = |public: bool| Value::from(if public { "public" } else { "private" });
    shown.insert(PROFILE_VISIBILITY.name.to_owned(), word(!account.profile_private));
    shown.insert(CONTACT_VISIBILITY.name.to_owned(), word(account.contact_public));
    shown
}
