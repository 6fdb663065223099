//! Function `auth`: registering, signing in, verifying an address, and the signed-in user.

mod routes;
mod state;

pub use state::State;

use axum::Router;
use shared::http::Endpoints;
use utoipa_axum::routes;

use routes::{follow_verification_link, login, me, register, verify_email, verify_email_request};

/// Every endpoint of this function: the table of contents.
pub fn endpoints() -> Endpoints<State> {
    Endpoints::new()
        .endpoint(routes!(register::register), &["/auth/register", "/api/v1/users/auth/register"])
        .endpoint(routes!(login::login), &["/auth/login", "/api/v1/users/auth/login"])
        .endpoint(routes!(verify_email_request::verify_email_request), &[])
        .endpoint(routes!(verify_email::verify_email), &["/api/v1/users/auth/verify-email"])
        .endpoint(
            routes!(follow_verification_link::follow_verification_link),
            &["/verify-email", "/api/v1/users/auth/verify-email"],
        )
        .endpoint(routes!(me::me), &["/api/v1/users/me", "/users/me", "/user/user", "/api/v1/users/users/me"])
}

/// The routes with their state.
pub fn router(state: State) -> Router {
    endpoints().router().with_state(state)
}
