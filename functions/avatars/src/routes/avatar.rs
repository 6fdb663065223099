use axum::{
    extract::{FromRequestParts, Request, State as Extract},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use shared::{
    domain::Role,
    http::{Code, NoStore, PendingCaller, Problem, ProblemBody, UrlPath},
    store::DocumentKind,
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
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn avatar(
    Extract(state): Extract<State>,
    UrlPath(id): UrlPath<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (mut parts, _) = request.into_parts();
    let caller = if id == "me" || parts.headers.contains_key(header::AUTHORIZATION) {
        Some(PendingCaller::from_request_parts(&mut parts, &state).await?)
    } else {
        None
    };
    let none = || Problem::new(Code::NotFound, "There is no avatar.");
    let user_id: Uuid = match &caller {
        Some(caller) if id == "me" => caller.account.id,
        _ => id.parse().map_err(|_| none())?,
    };
    let (account, profile) =
        tokio::try_join!(state.accounts.find(user_id), state.accounts.find_document(user_id, DocumentKind::Profile))?;
    let trusted = caller.is_some_and(|caller| caller.account.id == user_id || caller.account.role == Role::Admin);
    let account = account.filter(|account| trusted || account.is_listed()).ok_or_else(none)?;
    let object = profile.document.text("avatar").ok_or_else(none)?;
    let address = match state.settings.avatar_base_url {
        Some(_) => state.avatars.of(account.id, &object),
        None => state.objects.sign(&object).await?,
    };
    let location = HeaderValue::try_from(address).map_err(|error| Problem::internal(&error))?;
    Ok(NoStore((StatusCode::FOUND, [(header::LOCATION, location)])).into_response())
}
