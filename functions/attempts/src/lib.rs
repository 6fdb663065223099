//! Function `attempts`: submitting, counting and showing coding attempts.

mod routes;
mod state;

pub use state::State;

use axum::Router;
use shared::{endpoint, http::Endpoints};

use routes::{activity, attempt, history, questions, submit, summary};

/// Every endpoint of this function: the table of contents.
pub fn endpoints<E: Endpoints<State>>() -> E {
    E::new()
        .endpoint(endpoint!(submit::submit), &["/api/v1/attempts"])
        .endpoint(endpoint!(history::history), &[])
        .endpoint(endpoint!(summary::summary), &[])
        .endpoint(endpoint!(questions::questions), &[])
        .endpoint(endpoint!(activity::activity), &[])
        .endpoint(endpoint!(attempt::attempt), &[])
}

/// The routes with their state.
pub fn router(state: State) -> Router {
    endpoints::<Router<State>>().with_state(state)
}
