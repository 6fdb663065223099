use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde::Deserialize;
use shared::{
    domain::Role,
    http::{
        Caller, Fields, NoStore, Problem, ProblemBody, UrlQuery, User, decode_cursor, link_to_next, page_limit, word,
    },
    store::{DirectoryFilter, DirectoryPosition, DocumentKind},
};
use utoipa::IntoParams;

use crate::State;

/// Which accounts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    is_active: Option<bool>,
    /// `USER` or `ADMIN`.
    role: Option<String>,
    /// Accounts on a page, which may have fewer.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// Where the last page ended, from its `Link`.
    cursor: Option<String>,
}

/// Every account, newest first. For admins.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    operation_id = "list_users",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    params(Directory),
    responses(
        (status = 200, description = "A page; `Link` leads to the next.", body = [User]),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn list_users(
    Extract(state): Extract<State>,
    caller: Caller,
    directory: Result<UrlQuery<Directory>, Problem>,
) -> Result<impl IntoResponse, Problem> {
    caller.require_admin()?;
    let UrlQuery(directory) = directory?;
    let mut fields = Fields::default();
    let limit = page_limit(directory.limit, &mut fields);
    let role = directory.role.as_deref().map(|text| word(text, Role::of, "USER or ADMIN"));
    let role = role.and_then(|role| fields.take("role", role));
    let position: Option<DirectoryPosition> = match &directory.cursor {
        Some(cursor) => fields.take("cursor", decode_cursor(cursor)),
        None => None,
    };
    fields.check()?;
    let filter = DirectoryFilter { active: directory.is_active, role };
    let (accounts, next) = state.accounts.directory_page(filter, position, limit, state.clock.now()).await?;
    let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
    let profiles = state.accounts.find_documents(&ids, DocumentKind::Profile).await?;
    let shown: Vec<_> =
        accounts.iter().zip(&profiles).map(|(account, profile)| state.shown(&caller, account, profile)).collect();

    let mut parameters = vec![("limit", limit.to_string())];
    parameters.extend(directory.is_active.map(|active| ("is_active", active.to_string())));
    parameters.extend(role.map(|role| ("role", role.as_str().to_owned())));
    Ok((link_to_next("/api/v1/users", &parameters, next.as_ref()), NoStore(Json(shown))))
}
