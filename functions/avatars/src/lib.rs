//! Function `avatars`: pictures of people, re-encoded before anyone sees them.

mod picture;
mod routes;
mod state;
mod upload;

pub use state::State;

use axum::Router;
use shared::http::Endpoints;
use utoipa_axum::routes;

use routes::*;

/// Every endpoint of this function: the table of contents.
pub fn endpoints() -> Endpoints<State> {
    Endpoints::new()
        .endpoint(routes!(upload_avatar::upload_avatar), &[])
        .endpoint(routes!(avatar::avatar), &[])
        .endpoint(routes!(delete_avatar::delete_avatar), &[])
}

/// The routes with their state.
pub fn router(state: State) -> Router {
    endpoints().router().with_state(state)
}
