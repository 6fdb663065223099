use axum::{
    extract::State as Extract,
    response::{IntoResponse, Response},
};
use minijinja::context;
use shared::http::{Problem, UrlQuery};

use super::verify_email::LinkQuery;
use crate::State;

/// The page behind a mailed reset link: sets a new password.
#[utoipa::path(
    get,
    path = "/reset-password",
    operation_id = "reset_password_page",
    tag = "auth",
    params(LinkQuery),
    responses((status = 200, description = "A page.", body = String, content_type = "text/html"))
)]
pub async fn reset_password_page(
    Extract(state): Extract<State>,
    UrlQuery(LinkQuery { token }): UrlQuery<LinkQuery>,
) -> Result<Response, Problem> {
    let token = token.unwrap_or_default();
    Ok(state.pages.render("reset_password.html", context! { token })?.into_response())
}
