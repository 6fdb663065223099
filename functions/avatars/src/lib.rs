//! Function `avatars`: pictures of people, re-encoded before anyone sees them.

mod picture;
mod routes;
mod state;
mod upload;

pub use state::State;

use axum::Router;
use shared::{endpoint, http::Endpoints};

use routes::*;

/// Every endpoint of this function: the table of contents.
pub fn endpoints<E: Endpoints<State>>() -> E {
    E::new()
        .endpoint(endpoint!(upload_avatar::upload_avatar), &[])
        .endpoint(endpoint!(avatar::avatar), &[])
        .endpoint(endpoint!(delete_avatar::delete_avatar), &[])
}

/// The routes with their state.
pub fn router(state: State) -> Router {
    endpoints::<Router<State>>().with_state(state)
}
