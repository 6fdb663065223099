use std::collections::HashMap;

use axum::{Json, extract::State as Extract, response::IntoResponse};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use shared::{
    domain::{Account, Field, JOB_MATCHING, LANGUAGE, SETTINGS, TIMEZONE},
    http::{Bearer, Code, NoStore, Problem, ProblemBody, UrlPath, document},
    store::{DocumentKind, StoredDocument},
};

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, RefOr, Schema, SchemaFormat,
        schema::{AllOfBuilder, AnyOfBuilder, ObjectBuilder, Type},
    },
};

use super::seen;
use crate::State;

/// The preferences.
pub struct Preferences;

impl PartialSchema for Preferences {
    fn schema() -> RefOr<Schema> {
        let settings = document::schema(&[SETTINGS], "How the service behaves. Others never see this part.", false);
        let moment = |description| {
            let text = ObjectBuilder::new().schema_type(Type::String).description(Some(description));
            text.format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        };
        let moments = ObjectBuilder::new()
            .property("created_at", moment("The first edit; before that, when the account was made."))
            .property("updated_at", moment("The last edit."))
            .required("created_at")
            .required("updated_at");
        let matching = document::schema(&[JOB_MATCHING], "What job matching goes by.", false);
        let seen_by_others = AllOfBuilder::new().item(matching).item(moments).build();
        let seen_by_others = Schema::from(seen_by_others);
        let whole = Schema::from(AllOfBuilder::new().item(settings).item(seen_by_others.clone()).build());
        RefOr::T(AnyOfBuilder::new().item(whole).item(seen_by_others).build().into())
    }
}

impl ToSchema for Preferences {}

/// The preferences of the caller; of someone else what job matching goes by, where its owner shows that to others.
#[utoipa::path(
    get,
    path = "/api/v1/users/me/preferences",
    operation_id = "preferences",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "The preferences.", body = Preferences),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, `premium_required`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn preferences(
    Extract(state): Extract<State>,
    bearer: Bearer,
    UrlPath(path): UrlPath<HashMap<String, String>>,
) -> Result<impl IntoResponse, Problem> {
    let own = state.accounts.document(bearer.user_id(), DocumentKind::Preferences);
    let (caller, own) = bearer.with_item(own).await?;
    let (account, stored) =
        seen(&state, &caller, path.get("id").map(String::as_str), DocumentKind::Preferences, own).await?;
    if account.id == caller.account.id || caller.is_admin() {
        return Ok(NoStore(Json(shown(&account, &stored, &[SETTINGS, JOB_MATCHING]))));
    }
    if !account.contact_public {
        return Err(Problem::new(Code::Forbidden, "They keep this to themselves."));
    }
    Ok(NoStore(Json(shown(&account, &stored, &[JOB_MATCHING]))))
}

/// Parts of the document, with what the account holds of it.
pub(super) fn shown(account: &Account, stored: &StoredDocument, parts: &[&[Field]]) -> Map<String, Value> {
    let mut shown = document::shown(&stored.document, parts);
    let held = [(LANGUAGE, &account.language), (TIMEZONE, &account.timezone)];
    for (field, value) in held {
        if let (Some(place), Some(value)) = (shown.get_mut(field.name), value) {
            *place = Value::from(value.as_str());
        }
    }
    let moment = |moment: Option<DateTime<Utc>>, before: DateTime<Utc>| serde_json::json!(moment.unwrap_or(before));
    shown.insert("created_at".to_owned(), moment(stored.created_at, account.created_at));
    shown.insert("updated_at".to_owned(), moment(stored.updated_at, account.created_at));
    shown
}
