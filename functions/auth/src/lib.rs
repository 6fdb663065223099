//! Function `auth`: registering, signing in and out, sessions, passwords, verifying an address, and the signed-in user.

mod hold;
mod routes;
mod state;

pub use state::State;

use axum::Router;
use shared::{endpoint, http::Endpoints};

use routes::*;

/// Every endpoint of this function: the table of contents.
pub fn endpoints<E: Endpoints<State>>() -> E {
    E::new()
        .endpoint(endpoint!(register::register), &["/auth/register", "/api/v1/users/auth/register"])
        .endpoint(endpoint!(login::login), &["/auth/login", "/api/v1/users/auth/login"])
        .endpoint(endpoint!(token::token), &["/user/token"])
        .endpoint(endpoint!(refresh::refresh), &["/auth/refresh", "/api/v1/users/auth/refresh"])
        .endpoint(endpoint!(introspect::introspect), &[])
        .endpoint(endpoint!(revoke::revoke), &[])
        .endpoint(endpoint!(logout::logout), &["/auth/logout", "/api/v1/users/auth/logout"])
        .endpoint(endpoint!(logout_all::logout_all), &["/auth/logout-all"])
        .endpoint(
            endpoint!(password_reset_request::password_reset_request),
            &["/auth/forgot-password", "/api/v1/users/auth/forgot-password"],
        )
        .endpoint(
            endpoint!(verify_reset_code::verify_reset_code),
            &["/auth/verify-reset-code", "/api/v1/users/auth/verify-reset-code"],
        )
        .endpoint(
            endpoint!(password_reset_confirm::password_reset_confirm),
            &["/auth/reset-password", "/api/v1/users/auth/reset-password"],
        )
        .endpoint(endpoint!(reset_password_page::reset_password_page), &[])
        .endpoint(endpoint!(accept_invitation_page::accept_invitation_page), &[])
        .endpoint(
            endpoint!(verify_password::verify_password),
            &["/auth/verify-password", "/api/v1/users/auth/verify-password"],
        )
        .endpoint(endpoint!(change_password::change_password), &[])
        .endpoint(endpoint!(verify_email_request::verify_email_request), &[])
        .endpoint(endpoint!(verify_email::verify_email), &["/api/v1/users/auth/verify-email"])
        .endpoint(
            endpoint!(follow_verification_link::follow_verification_link),
            &["/verify-email", "/api/v1/users/auth/verify-email"],
        )
        .endpoint(endpoint!(change_email::change_email), &[])
        .endpoint(endpoint!(undo_email_change::undo_email_change), &[])
        .endpoint(endpoint!(undo_email_change_page::undo_email_change_page), &[])
        .endpoint(endpoint!(me::me), &["/api/v1/users/me", "/users/me", "/user/user", "/api/v1/users/users/me"])
        .endpoint(endpoint!(sessions::sessions), &["/api/v1/users/{id}/sessions"])
        .endpoint(endpoint!(end_session::end_session), &["/api/v1/users/{id}/sessions/{session_id}"])
}

/// The routes with their state.
pub fn router(state: State) -> Router {
    endpoints::<Router<State>>().with_state(state)
}
