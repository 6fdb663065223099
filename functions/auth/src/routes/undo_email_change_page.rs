use axum::{
    extract::State as Extract,
    response::{IntoResponse, Response},
};
use minijinja::context;
use shared::http::{Problem, UrlQuery};

use super::verify_email::LinkQuery;
use crate::State;

/// The page behind an undo link: one button, because mail scanners follow links.
#[utoipa::path(
    get,
    path = "/undo-email-change",
    operation_id = "undo_email_change_page",
    tag = "auth",
    params(LinkQuery),
    responses((status = 200, description = "A page.", body = String, content_type = "text/html"))
)]
pub async fn undo_email_change_page(
    Extract(state): Extract<State>,
    UrlQuery(LinkQuery { token }): UrlQuery<LinkQuery>,
) -> Result<Response, Problem> {
    let token = token.unwrap_or_default();
    Ok(state.pages.render("undo_email_change.html", context! { token })?.into_response())
}
