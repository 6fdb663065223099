use std::collections::BTreeMap;

use axum::{Json, extract::State as Extract, http::StatusCode, response::IntoResponse};
use serde::Deserialize;
use shared::{
    crypto::NOBODY,
    domain::{Act, DisplayName, EmailAddress, Invitation, NewAccount, Plan, Role},
    http::{Caller, Code, Fields, JsonBody, NoStore, Problem, ProblemBody, User, word},
    store::{Created, MadeBy, StoredDocument},
};
use utoipa::ToSchema;

use crate::State;

/// Whom an account is made for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    #[schema(example = "carol@example.com")]
    email: String,
    name: Option<String>,
    /// `USER` or `ADMIN`.
    role: Option<String>,
    /// `basic` or `premium`.
    subscription_tier: Option<String>,
}

/// Makes an account for someone, who is mailed an invitation to choose a password. For admins.
#[utoipa::path(
    post,
    path = "/api/v1/users",
    operation_id = "create_user",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    request_body = NewUser,
    responses(
        (status = 201, description = "The user.", body = User),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`email_taken`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn create_user(
    Extract(state): Extract<State>,
    caller: Caller,
    body: Result<JsonBody<NewUser>, Problem>,
) -> Result<impl IntoResponse, Problem> {
    caller.require_admin()?;
    let JsonBody(new) = body?;
    let mut fields = Fields::default();
    let email = fields.take("email", EmailAddress::parse(&new.email));
    let name = new.name.and_then(|name| fields.take("name", DisplayName::parse(&name)));
    let role = new.role.map(|text| word(&text, Role::of, "USER or ADMIN"));
    let role = role.map_or(Some(Role::User), |role| fields.take("role", role));
    let plan = new.subscription_tier.map(|text| word(&text, Plan::of, "basic or premium"));
    let plan = plan.map_or(Some(Plan::Basic), |plan| fields.take("subscription_tier", plan));
    let (email, (role, plan)) = fields.finish(email.zip(role.zip(plan)))?;

    let (id, now) = (state.clock.new_id(), state.clock.now());
    let account = NewAccount {
        id,
        email,
        username: None,
        name,
        // Nobody has this password; comparing with it takes as long as with any other.
        password_hash: NOBODY.to_owned(),
        session: None,
        device_family: None,
        role,
        plan,
        invitation: Some(Invitation { id: state.clock.new_id(), end: now + Invitation::LIFETIME }),
        created_at: now,
    };
    let changes = [("role", role.as_str()), ("subscription_tier", plan.as_str())];
    let changes: BTreeMap<_, _> = changes.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let entry = state.entry(&caller, id, Act::UserCreated, changes);
    match state.accounts.create(account.clone(), MadeBy::Admin(&entry)).await? {
        Created::Made => {
            let user = state.shown(&caller, &account.into(), &StoredDocument::default());
            Ok((StatusCode::CREATED, NoStore(Json(user))))
        }
        Created::EmailTaken | Created::UsernameTaken => Err(Problem::new(Code::EmailTaken, "Email already registered")),
    }
}
