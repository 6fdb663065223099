use axum::{
    Form, Json,
    extract::{FromRequest, Request, State as Extract},
    http::header,
    response::{IntoResponse, Response},
};
use minijinja::context;
use serde::Deserialize;
use shared::{
    crypto::{LinkPurpose, MailedLink, ResetSecret},
    domain::{Account, EmailAddress, Invalid, Invitation, NewPassword, PasswordRules, Plaintext, Reset},
    http::{Accepts, Code, FieldError, Fields, JsonBody, Limited, NoStore, Origin, Problem, ProblemBody, note_user},
    store::{PasswordSet, Proof},
    telemetry::{self, Metric},
};
use utoipa::ToSchema;

use super::{
    Done,
    verify_reset_code::{invalid, right_code},
};
use crate::{State, hold};

/// A new password, with the code or the token that was mailed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPasswordByMail {
    /// With `code`.
    email: Option<String>,
    /// Six digits.
    code: Option<String>,
    /// The link's token, in place of `email` and `code`.
    token: Option<String>,
    new_password: String,
    /// The same as `new_password`, where it is given.
    confirm_password: Option<String>,
}

/// What our own page sends.
#[derive(Deserialize)]
struct PageForm {
    token: String,
    new_password: String,
    confirm_password: String,
}

impl From<PageForm> for NewPasswordByMail {
    fn from(form: PageForm) -> Self {
        let PageForm { token, new_password, confirm_password } = form;
        Self { email: None, code: None, token: Some(token), new_password, confirm_password: Some(confirm_password) }
    }
}

/// The request, from a JSON body or from the form of our own page.
pub struct Submitted(NewPasswordByMail);

impl FromRequest<State> for Submitted {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|essence| essence.starts_with("application/x-www-form-urlencoded")) {
            let form = Form::<PageForm>::from_request(request, state).await;
            let malformed = |_| Problem::new(Code::MalformedBody, "The form is not complete.");
            return form.map(|Form(form)| Self(form.into())).map_err(malformed);
        }
        JsonBody::from_request(request, state).await.map(|JsonBody(body)| Self(body))
    }
}

/// Sets a new password by a mailed code or link, or by an invitation, which is used up. Ends every session, lifts a lock, verifies the
/// address, and mails a notice.
#[utoipa::path(
    post,
    path = "/api/v1/auth/password-reset-confirm",
    operation_id = "password_reset_confirm",
    tag = "auth",
    request_body = NewPasswordByMail,
    responses(
        (status = 200, description = "The password is set.", body = Done),
        (status = 401, description = "`invalid_reset_code`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_requests`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn password_reset_confirm(
    Extract(state): Extract<State>,
    origin: Origin,
    accepts: Accepts,
    Submitted(request): Submitted,
) -> Result<Response, Problem> {
    state.limiter.admit(Limited::Credential, &origin, None).await?;
    let token = request.token.clone().unwrap_or_default();
    let outcome = hold::refusal(reset(&state, request)).await;
    if !accepts.html {
        return outcome.map(|done| NoStore(Json(done)).into_response());
    }
    match outcome {
        Ok(_) => {
            let (title, text) = ("Password changed", "You can close this page and sign in with your new password.");
            Ok(state.pages.render("message.html", context! { title, text })?.into_response())
        }
        Err(problem) if problem.code() == Code::ValidationFailed => {
            let errors: Vec<_> = problem.errors().iter().map(in_words).collect();
            Ok(problem.shown_as(state.pages.render("reset_password.html", context! { token, errors })?))
        }
        Err(problem) if problem.code() == Code::InvalidResetCode => {
            let (title, text) = ("This link does not work", "It was used, or its time is over. Ask for a new one.");
            Ok(problem.shown_as(state.pages.render("message.html", context! { title, text })?))
        }
        Err(problem) => Err(problem),
    }
}

/// What is wrong with the form, as the page says it.
fn in_words(error: &FieldError) -> String {
    match error.field.as_str() {
        "confirm_password" => "The two passwords are not the same.".to_owned(),
        _ => format!("The password {}.", error.message),
    }
}

async fn reset(state: &State, request: NewPasswordByMail) -> Result<Done, Problem> {
    let NewPasswordByMail { email, code, token, new_password, confirm_password } = request;
    let mut fields = Fields::default();
    if confirm_password.is_some_and(|confirmation| confirmation != new_password) {
        fields.refuse("confirm_password", "must be the same as the password");
    }
    // What can be said of the password without knowing whose it is, is said before a try is spent.
    let rules =
        PasswordRules { require_mixed: state.settings.password_require_mixed, email: None, name: None, username: None };
    fields.take("new_password", NewPassword::parse(new_password.clone(), &rules));
    let required = || Invalid("is required".into());
    let address = match (&token, &email) {
        (Some(_), _) => None,
        (None, Some(email)) => fields.take("email", EmailAddress::parse(email)),
        (None, None) => fields.take("email", Err(required())),
    };
    let code = if token.is_some() { None } else { fields.take("code", code.ok_or_else(required)) };
    fields.check()?;

    let now = state.clock.now();
    let (account, proof, password) = match (token, address.zip(code)) {
        (Some(token), _) => {
            let (account, proof) = match LinkPurpose::of(&token) {
                Some(_) => by_invitation(state, &token).await?,
                None => by_link(state, &token).await?,
            };
            note_user(account.id);
            let password = own_rules(state, &account, new_password)?;
            (account, proof, password)
        }
        (None, Some((address, code))) => {
            let tried = right_code(state, &address, &code).await?;
            note_user(tried.account.id);
            let password = match own_rules(state, &tried.account, new_password) {
                Ok(password) => password,
                Err(problem) => {
                    state.accounts.give_reset_try_back(&tried).await?;
                    return Err(problem);
                }
            };
            (tried.account, Proof::ResetCode(tried.reset), password)
        }
        (None, None) => return Err(invalid()),
    };
    let hash = state.hasher.place().await?.hash(password).await?;
    match state.accounts.set_password(&account, &proof, &hash, &state.settings.admin_emails, now).await? {
        PasswordSet::Yes => {
            telemetry::count(Metric::ResetsCompleted);
            Ok(Done::saying("Password changed"))
        }
        PasswordSet::No => Err(invalid()),
    }
}

/// The account and the reset of a link, which lives and dies with the code.
async fn by_link(state: &State, token: &str) -> Result<(Box<Account>, Proof), Problem> {
    let secret = ResetSecret::decode(token, &state.derivation.fresh().await?).ok_or_else(invalid)?;
    let account = state.accounts.find(secret.user_id).await?.ok_or_else(invalid)?;
    let now = state.clock.now();
    let same = |reset: &Reset| reset.id == secret.id && reset.is_live(now);
    let reset = account.reset.clone().filter(same).ok_or_else(invalid)?;
    Ok((Box::new(account), Proof::ResetLink(reset)))
}

/// The account and the invitation of a link.
async fn by_invitation(state: &State, token: &str) -> Result<(Box<Account>, Proof), Problem> {
    let link =
        MailedLink::decode(token, LinkPurpose::Invitation, &state.derivation.fresh().await?).ok_or_else(invalid)?;
    let account = state.accounts.find(link.user_id).await?.ok_or_else(invalid)?;
    let now = state.clock.now();
    let same = |invitation: &Invitation| invitation.id == link.id && invitation.is_live(now);
    let invitation = account.invitation.clone().filter(same).ok_or_else(invalid)?;
    Ok((Box::new(account), Proof::Invitation(invitation)))
}

/// The new password, held against whose it will be.
pub(super) fn own_rules(state: &State, account: &Account, new_password: String) -> Result<Plaintext, Problem> {
    let rules = PasswordRules {
        require_mixed: state.settings.password_require_mixed,
        email: Some(&account.email),
        name: account.name.as_ref(),
        username: account.username.as_ref(),
    };
    let mut fields = Fields::default();
    let password = fields.take("new_password", NewPassword::parse(new_password, &rules));
    fields.finish(password).map(NewPassword::into_plaintext)
}
