use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde::Serialize;
use shared::{
    http::{Bearer, NoStore, Problem, ProblemBody, PublicProfile, UrlPath, User},
    store::DocumentKind,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{Ref, RefOr, Schema, schema::AnyOfBuilder},
};

use super::{missing, seen};
use crate::State;

/// What is seen of someone: everything, by themselves and by admins, or what they let others see.
#[derive(Serialize)]
#[serde(untagged)]
pub enum SeenUser {
    Whole(Box<User>),
    Public(Box<PublicProfile>),
}

/// Any of both: a whole user has all that a public profile has.
impl PartialSchema for SeenUser {
    fn schema() -> RefOr<Schema> {
        let either = AnyOfBuilder::new().item(Ref::from_schema_name(User::name()));
        let either = either.item(Ref::from_schema_name(PublicProfile::name()));
        let description =
            "What is seen of someone: everything, by themselves and by admins, or what they let others see.";
        RefOr::T(either.description(Some(description)).build().into())
    }
}

impl ToSchema for SeenUser {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((User::name().into_owned(), User::schema()));
        schemas.push((PublicProfile::name().into_owned(), PublicProfile::schema()));
        User::schemas(schemas);
        PublicProfile::schemas(schemas);
    }
}

/// The public profile of someone. Oneself, and an admin, are shown the whole user.
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}",
    operation_id = "user",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    params(("id" = uuid::Uuid, Path, description = "The user.")),
    responses(
        (status = 200, description = "The public profile, or the whole user.", body = SeenUser),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`premium_required`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn user(
    Extract(state): Extract<State>,
    bearer: Bearer,
    UrlPath(id): UrlPath<String>,
) -> Result<impl IntoResponse, Problem> {
    let own = state.accounts.document(bearer.user_id(), DocumentKind::Profile);
    let (caller, own) = bearer.with_item(own).await?;
    let (account, profile) = seen(&state, &caller, Some(&id), DocumentKind::Profile, own).await?;
    if account.id == caller.account.id || caller.is_admin() {
        return Ok(NoStore(Json(SeenUser::Whole(Box::new(state.shown(&caller, &account, &profile))))));
    }
    let shown = PublicProfile::of(&account, &profile, &state.avatars).ok_or_else(missing)?;
    Ok(NoStore(Json(SeenUser::Public(Box::new(shown)))))
}
