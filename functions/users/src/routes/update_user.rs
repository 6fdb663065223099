use std::collections::{BTreeMap, HashMap};

use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde_json::{Map, Value};
use shared::{
    document_schema,
    domain::{
        Account, AccountEdit, Act, DisplayName, Edit, Edits, Field, Kind, NewPassword, PROFILE, PasswordRules,
        Plaintext, Plan, Role, TIMEZONE, Username,
    },
    http::{
        Bearer, Caller, Code, Guess, JsonBody, NoStore, Patch, Problem, ProblemBody, RightGuess, UrlPath, User, word,
    },
    store::{DocumentKind, GuessKey, PasswordSet, UserEdit},
};
use uuid::Uuid;

use super::{edited, subject};
use crate::State;

/// The fields of the user that the account itself holds.
const ACCOUNT: &[Field] = &[
    Field::new("name", Kind::Line(255)),
    Field::new("full_name", Kind::Line(255)),
    Field::new("display_name", Kind::Line(255)),
    Field::new("username", Kind::Line(50)),
    TIMEZONE,
    Field::new("old_password", Kind::Line(128)),
    Field::new("new_password", Kind::Line(128)),
];

/// The fields that only admins decide about.
const DECIDED: &[Field] = &[
    Field::new("role", Kind::Choice(&["USER", "ADMIN"])),
    Field::new("subscription_tier", Kind::Choice(&["basic", "premium"])),
    Field::new("is_active", Kind::Flag),
    Field::new("is_verified", Kind::Flag),
    Field::new("unlock", Kind::Flag),
];

/// The body of an edit.
pub struct UserPatch;

document_schema!(
    UserPatch, "UserPatch", &[ACCOUNT, PROFILE, DECIDED],
    "What is absent stays as it is; `null` clears a field. `full_name` and `display_name` are other words for `name`; \
     `new_password` needs `old_password`. `role`, `subscription_tier`, `is_active`, `is_verified` and `unlock` are for admins.",
    editing: true
);

/// A change of password that goes with an edit.
struct PasswordChange {
    old: Plaintext,
    new: Plaintext,
}

struct Parsed {
    account: AccountEdit,
    profile: Edits,
    password: Option<PasswordChange>,
}

/// Edits a user: one's own, or any where the caller is an admin. A field that is absent stays as it is, `null` clears it.
#[utoipa::path(
    method(put, patch),
    path = "/api/v1/users/me",
    operation_id = "update_user",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    request_body = UserPatch,
    responses(
        (status = 200, description = "The user as they are now.", body = User),
        (status = 401, description = "`invalid_credentials`, `authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`, `account_locked`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`username_taken`, `last_admin`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn update_user(
    Extract(state): Extract<State>,
    bearer: Bearer,
    UrlPath(path): UrlPath<HashMap<String, String>>,
    body: Result<JsonBody<Map<String, Value>>, Problem>,
) -> Result<impl IntoResponse, Problem> {
    let own = state.accounts.document(bearer.user_id(), DocumentKind::Profile);
    let (caller, own) = bearer.with_item(own).await?;
    let (account, stored) =
        subject(&state, &caller, path.get("id").map(String::as_str), DocumentKind::Profile, own).await?;
    let JsonBody(values) = body?;
    let Parsed { account: edit, profile, password } = parse(&state, &caller, &account, values)?;

    let right = match &password {
        Some(change) => Some(compare(&state, account.id, change.old.clone()).await?),
        None => None,
    };
    let edit = UserEdit {
        audit: (account.id != caller.account.id || decides(&edit))
            .then(|| state.entry(&caller, account.id, Act::UserUpdated, changes(&edit, &profile))),
        document: (!profile.is_empty()).then_some((DocumentKind::Profile, profile)),
        account: edit,
        other_plan: false,
    };
    let outcome = state.accounts.edit(account, stored, &edit, state.clock.now()).await;
    let (account, stored) = match outcome.map_err(Problem::from).and_then(edited) {
        Ok(edited) => edited,
        Err(problem) => {
            if let Some(right) = right {
                state.accounts.settle_right(&right.reservation, state.clock.now()).await?;
            }
            return Err(problem);
        }
    };
    if let (Some(change), Some(right)) = (password, right) {
        set_password(&state, &caller, change.new, &right).await?;
    }
    Ok(NoStore(Json(state.shown(&caller, &account, &stored))))
}

fn parse(state: &State, caller: &Caller, account: &Account, values: Map<String, Value>) -> Result<Parsed, Problem> {
    let mut patch = Patch::new(values);
    let mut edit = AccountEdit {
        name: patch.text(&["display_name", "full_name", "name"], DisplayName::parse),
        username: patch.text(&["username"], Username::parse),
        timezone: patch
            .text(&["timezone"], |zone| Ok(TIMEZONE.parse(zone.into())?.as_str().unwrap_or_default().to_owned())),
        ..AccountEdit::default()
    };
    let profile = patch.document(PROFILE);
    if caller.is_admin() {
        edit.role = patch.required_text("role", |text| word(text, Role::of, "USER or ADMIN"));
        edit.plan = patch.required_text("subscription_tier", |text| word(text, Plan::of, "basic or premium"));
        edit.active = patch.flag("is_active");
        edit.verified = patch.flag("is_verified");
        edit.unlock = patch.flag("unlock").unwrap_or(false);
    }
    let password = password(state, caller, account, &edit, &mut patch);
    patch.finish()?;
    Ok(Parsed { account: edit, profile, password })
}

/// A new password needs the old one, and its owner.
fn password(
    state: &State,
    caller: &Caller,
    account: &Account,
    edit: &AccountEdit,
    patch: &mut Patch,
) -> Option<PasswordChange> {
    let together = patch.has("old_password") == patch.has("new_password");
    let old = patch.required_text("old_password", |text| Plaintext::parse(text.to_owned()));
    let next = edit.applied(account);
    let rules = PasswordRules {
        require_mixed: state.settings.password_require_mixed,
        email: Some(&account.email),
        name: next.name.as_ref(),
        username: next.username.as_ref(),
    };
    let new = patch.required_text("new_password", |text| NewPassword::parse(text.to_owned(), &rules));
    let new = new.map(NewPassword::into_plaintext);
    if new.is_some() && account.id != caller.account.id {
        patch.refuse("new_password", "can be changed by its owner alone");
    }
    if new.is_some() && edit.ends_sessions() {
        patch.refuse("new_password", "cannot be given together with is_active: false");
    }
    if !together {
        patch.refuse("old_password", "must be given together with new_password");
    }
    Some(PasswordChange { old: old?, new: new? })
}

async fn compare(state: &State, user_id: Uuid, password: Plaintext) -> Result<Box<RightGuess>, Problem> {
    match state.door.compare(GuessKey::Account(user_id), password).await? {
        Guess::Right(right) => Ok(right),
        Guess::Wrong | Guess::Gone => Err(wrong()),
    }
}

async fn set_password(state: &State, caller: &Caller, new: Plaintext, right: &RightGuess) -> Result<(), Problem> {
    let hash = state.hasher.place().await?.hash(new).await?;
    let (session, now) = (caller.session_id, state.clock.now());
    match state.accounts.change_password(&right.reservation, &right.account, session, &hash, now).await? {
        PasswordSet::Yes => Ok(()),
        PasswordSet::No => {
            // The account is another one by now, and the guess was right all the same.
            state.accounts.settle_right(&right.reservation, now).await?;
            Err(wrong())
        }
    }
}

fn wrong() -> Problem {
    Problem::new(Code::InvalidCredentials, "Invalid credentials")
}

/// Whether it decides what only admins decide.
fn decides(edit: &AccountEdit) -> bool {
    edit.unlock || edit.role.is_some() || edit.plan.is_some() || edit.active.is_some() || edit.verified.is_some()
}

/// What the trail says of an edit: what was decided, and of what people write about themselves no more than that it was
/// edited.
fn changes(edit: &AccountEdit, profile: &Edits) -> BTreeMap<String, String> {
    let decided = [
        ("role", edit.role.map(|role| role.as_str().to_owned())),
        ("subscription_tier", edit.plan.map(|plan| plan.as_str().to_owned())),
        ("is_active", edit.active.map(|flag| flag.to_string())),
        ("is_verified", edit.verified.map(|flag| flag.to_string())),
        ("unlock", edit.unlock.then(|| "true".to_owned())),
    ];
    let own = [
        ("name", edit.name.is_unchanged()),
        ("username", edit.username.is_unchanged()),
        ("timezone", edit.timezone.is_unchanged()),
    ];
    let own = own.into_iter().filter(|(_, unchanged)| !unchanged).map(|(name, _)| name);
    let edited = own.chain(profile.iter().filter(|(_, edit)| !matches!(edit, Edit::Unchanged)).map(|(name, _)| *name));
    let decided = decided.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    decided.chain(edited.map(|name| (name.to_owned(), "edited".to_owned()))).collect()
}
