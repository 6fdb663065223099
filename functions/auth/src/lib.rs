//! Function `auth`: registering, signing in and out, sessions, passwords, verifying an address, and the signed-in user.

mod routes;
mod state;

pub use state::State;

use axum::Router;
use shared::http::Endpoints;
use utoipa_axum::routes;

use routes::*;

/// Every endpoint of this function: the table of contents.
pub fn endpoints() -> Endpoints<State> {
    Endpoints::new()
        .endpoint(routes!(register::register), &["/auth/register", "/api/v1/users/auth/register"])
        .endpoint(routes!(login::login), &["/auth/login", "/api/v1/users/auth/login"])
        .endpoint(routes!(token::token), &["/user/token"])
        .endpoint(routes!(refresh::refresh), &["/auth/refresh", "/api/v1/users/auth/refresh"])
        .endpoint(routes!(introspect::introspect), &[])
        .endpoint(routes!(revoke::revoke), &[])
        .endpoint(routes!(logout::logout), &["/auth/logout", "/api/v1/users/auth/logout"])
        .endpoint(routes!(logout_all::logout_all), &["/auth/logout-all"])
        .endpoint(
            routes!(password_reset_request::password_reset_request),
            &["/auth/forgot-password", "/api/v1/users/auth/forgot-password"],
        )
        .endpoint(
            routes!(verify_reset_code::verify_reset_code),
            &["/auth/verify-reset-code", "/api/v1/users/auth/verify-reset-code"],
        )
        .endpoint(
            routes!(password_reset_confirm::password_reset_confirm),
            &["/auth/reset-password", "/api/v1/users/auth/reset-password"],
        )
        .endpoint(routes!(reset_password_page::reset_password_page), &[])
        .endpoint(routes!(accept_invitation_page::accept_invitation_page), &[])
        .endpoint(
            routes!(verify_password::verify_password),
            &["/auth/verify-password", "/api/v1/users/auth/verify-password"],
        )
        .endpoint(routes!(change_password::change_password), &[])
        .endpoint(routes!(verify_email_request::verify_email_request), &[])
        .endpoint(routes!(verify_email::verify_email), &["/api/v1/users/auth/verify-email"])
        .endpoint(
            routes!(follow_verification_link::follow_verification_link),
            &["/verify-email", "/api/v1/users/auth/verify-email"],
        )
        .endpoint(routes!(change_email::change_email), &[])
        .endpoint(routes!(undo_email_change::undo_email_change), &[])
        .endpoint(routes!(undo_email_change_page::undo_email_change_page), &[])
        .endpoint(routes!(me::me), &["/api/v1/users/me", "/users/me", "/user/user", "/api/v1/users/users/me"])
        .endpoint(routes!(sessions::sessions), &["/api/v1/users/{id}/sessions"])
        .endpoint(routes!(end_session::end_session), &["/api/v1/users/{id}/sessions/{session_id}"])
}

/// The routes with their state.
pub fn router(state: State) -> Router {
    endpoints().router().with_state(state)
}
