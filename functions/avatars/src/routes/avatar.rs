use axum::{
    extract::{FromRequestParts, Request, State as Extract},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::{
    domain::{AVATAR, Account, Role},
    http::{Bearer, Code, NoStore, Problem, ProblemBody, UrlPath},
    store::{DocumentKind, StoreError, StoredDocument},
};
use uuid::Uuid;

use crate::State;

/// Leads to where a user's avatar is served. Whoever is listed in the directory shows theirs to everyone, so that a page can
/// show it; anyone else's is for themselves and for admins.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}/avatar",
    operation_id = "avatar",
    tag = "avatars",
    security((), ("bearer" = []), ("password" = [])),
    params(("id" = String, Path, description = "`me`, or the user.")),
    responses(
        (status = 302, description = "The avatar is at `Location`."),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn avatar(
    Extract(state): Extract<State>,
    UrlPath(id): UrlPath<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let bearer = if id == "me" || parts.headers.contains_key(header::AUTHORIZATION) {
        Some(Bearer::from_request_parts(&mut parts, &state).await?)
    } else {
        None
    };
    let own_id = bearer.as_ref().map(Bearer::user_id);
    let user_id = if id == "me" { own_id } else { id.parse().ok() };
    let (trusted, found) = match bearer {
        Some(bearer) if own_id == user_id => {
            let profile = state.accounts.document(bearer.user_id(), DocumentKind::Profile);
            let (caller, profile) = bearer.with_item(profile).await?;
            (true, Some((caller.account, profile)))
        }
        Some(bearer) => {
            let (caller, found) = bearer.with(find(&state, user_id)).await?;
            (caller.account.role == Role::Admin, found)
        }
        None => (false, find(&state, user_id).await?),
    };
    let none = || Problem::new(Code::NotFound, "There is no avatar.");
    let (account, profile) = found.filter(|(account, _)| trusted || account.is_listed()).ok_or_else(none)?;
    let object = profile.document.text(AVATAR).ok_or_else(none)?;
    let address = match state.settings.avatar_base_url {
        Some(_) => state.avatars.of(account.id, &object),
        None => state.objects.sign(&object).await?,
    };
    let location = HeaderValue::try_from(address).map_err(|error| Problem::internal(&error))?;
    Ok(NoStore((StatusCode::FOUND, [(header::LOCATION, location)])).into_response())
}

async fn find(state: &State, id: Option<Uuid>) -> Result<Option<(Account, StoredDocument)>, StoreError> {
    match id {
        Some(id) => state.accounts.find_with_document(id, DocumentKind::Profile).await,
        None => Ok(None),
    }
}
