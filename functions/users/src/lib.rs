//! Function `users`: what a signed-in user is and may see.

mod routes;
mod state;

pub use state::State;

use axum::Router;
use shared::http::Endpoints;
use utoipa_axum::routes;

use routes::{home, is_admin};

/// Every endpoint of this function: the table of contents.
pub fn endpoints() -> Endpoints<State> {
    Endpoints::new()
        .endpoint(routes!(home::home), &["/home"])
        .endpoint(routes!(is_admin::is_admin), &["/api/v1/users/is-admin", "/api/v1/users/users/is-admin"])
}

/// The routes with their state.
pub fn router(state: State) -> Router {
    endpoints().router().with_state(state)
}
