//! Function `attempts`: submitting, counting and showing coding attempts.

mod routes;
mod state;

pub use state::State;

use axum::Router;
use shared::http::Endpoints;
use utoipa_axum::routes;

use routes::{activity, attempt, history, questions, submit, summary};

/// Every endpoint of this function: the table of contents.
pub fn endpoints() -> Endpoints<State> {
    Endpoints::new()
        .endpoint(routes!(submit::submit), &["/api/v1/attempts"])
        .endpoint(routes!(history::history), &[])
        .endpoint(routes!(summary::summary), &[])
        .endpoint(routes!(questions::questions), &[])
        .endpoint(routes!(activity::activity), &[])
        .endpoint(routes!(attempt::attempt), &[])
}

/// The routes with their state.
pub fn router(state: State) -> Router {
    endpoints().router().with_state(state)
}
