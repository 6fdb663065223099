//! One file an endpoint: its request, its answer, its handler. Here is what several of them do.

pub mod audit;
pub mod create_user;
pub mod delete_user;
pub mod downgrade;
pub mod download_export;
pub mod export;
pub mod home;
pub mod is_admin;
pub mod list_users;
pub mod preferences;
pub mod profile;
pub mod search;
pub mod start_export;
pub mod stats;
pub mod update_preferences;
pub mod update_profile;
pub mod update_user;
pub mod upgrade;
pub mod user;

use std::collections::BTreeMap;

use shared::{
    config::DirectoryAccess,
    domain::{Account, AccountEdit, Act, Plan},
    http::{Caller, Code, FieldError, Problem, User, email_not_verified, session_ended},
    store::{DocumentKind, Edited, StoredDocument, UserEdit},
};
use uuid::Uuid;

use crate::State;

fn missing() -> Problem {
    Problem::new(Code::NotFound, "There is no such user.")
}

fn last_admin() -> Problem {
    Problem::new(Code::LastAdmin, "There would be no admin left.")
}

/// Whom the caller may change: themselves, or as an admin anyone; with a document of theirs, of which their `own` is at
/// hand.
async fn subject(
    state: &State,
    caller: &Caller,
    id: Option<&str>,
    kind: DocumentKind,
    own: StoredDocument,
) -> Result<(Account, StoredDocument), Problem> {
    let subject = caller.subject(id)?;
    if subject == caller.account.id {
        return Ok((caller.account.clone(), own));
    }
    find(state, subject, kind).await
}

/// Whom the caller may see: themselves, as an admin anyone, and with access to the directory whoever is listed.
async fn seen(
    state: &State,
    caller: &Caller,
    id: Option<&str>,
    kind: DocumentKind,
    own: StoredDocument,
) -> Result<(Account, StoredDocument), Problem> {
    let own_id = caller.account.id;
    let id = match id {
        None | Some("me") => own_id,
        Some(id) => id.parse().map_err(|_| missing())?,
    };
    if id == own_id {
        return Ok((caller.account.clone(), own));
    }
    if !caller.is_admin() {
        admit_to_directory(state, caller)?;
    }
    let (account, document) = find(state, id, kind).await?;
    if caller.is_admin() || account.is_listed() { Ok((account, document)) } else { Err(missing()) }
}

async fn find(state: &State, id: Uuid, kind: DocumentKind) -> Result<(Account, StoredDocument), Problem> {
    state.accounts.find_with_document(id, kind).await?.ok_or_else(missing)
}

/// Searching and public profiles are for premium accounts, or for every verified member where the operator says so.
fn admit_to_directory(state: &State, caller: &Caller) -> Result<(), Problem> {
    let admitted = match state.settings.directory_access {
        DirectoryAccess::Members => caller.account.verified,
        DirectoryAccess::Premium => caller.account.is_premium(),
    };
    if admitted { Ok(()) } else { Err(Problem::new(Code::PremiumRequired, "This is for premium accounts.")) }
}

/// What an edit made of the user.
fn edited(outcome: Edited) -> Result<(Account, StoredDocument), Problem> {
    match outcome {
        Edited::Yes { account, document, .. } => Ok((*account, document)),
        Edited::UsernameTaken => Err(Problem::new(Code::UsernameTaken, "Username already taken")),
        Edited::LastAdmin => Err(last_admin()),
        Edited::PlanUnchanged => Err(Problem::new(Code::PlanUnchanged, "The account has this plan already.")),
        Edited::Disagrees(field, invalid) => {
            Err(Problem::invalid(vec![FieldError { field: field.to_owned(), message: invalid.to_string() }]))
        }
        Edited::Disabled => Err(session_ended()),
        Edited::Unverified => Err(email_not_verified()),
        Edited::Gone => Err(missing()),
    }
}

async fn change_plan(state: &State, caller: Caller, profile: StoredDocument, plan: Plan) -> Result<User, Problem> {
    if !state.settings.self_service_plan && !caller.is_admin() {
        return Err(Problem::new(Code::Forbidden, "Plans are changed by admins."));
    }
    let account = AccountEdit { plan: Some(plan), ..AccountEdit::default() };
    // Where plans are the admins' to change, this is an act of theirs.
    let audit = (!state.settings.self_service_plan).then(|| {
        let decided = BTreeMap::from([("subscription_tier".to_owned(), plan.as_str().to_owned())]);
        state.entry(&caller, caller.account.id, Act::UserUpdated, decided)
    });
    let edit = UserEdit { account, audit, other_plan: true, ..UserEdit::default() };
    let outcome = state.accounts.edit(caller.account.clone(), profile.clone(), &edit, state.clock.now()).await?;
    let (account, _) = edited(outcome)?;
    Ok(state.shown(&caller, &account, &profile))
}
