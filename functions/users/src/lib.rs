//! Function `users`: the user: profile, preferences, plan, search, administration.

mod routes;
mod state;

pub use state::State;

use axum::Router;
use shared::{endpoint, http::Endpoints};

use routes::*;

/// Every endpoint of this function: the table of contents.
pub fn endpoints<E: Endpoints<State>>() -> E {
    E::new()
        .endpoint(endpoint!(home::home), &["/home"])
        .endpoint(endpoint!(is_admin::is_admin), &["/api/v1/users/is-admin", "/api/v1/users/users/is-admin"])
        .endpoint(
            endpoint!(update_user::update_user),
            &["/users/me", "/api/v1/users/users/me", "PATCH /api/v1/users/{id}"],
        )
        .endpoint(endpoint!(delete_user::delete_user), &["/users/me", "/api/v1/users/users/me", "/api/v1/users/{id}"])
        .endpoint(endpoint!(profile::profile), &["/api/v1/users/{id}/profile"])
        .endpoint(endpoint!(update_profile::update_profile), &[])
        .endpoint(endpoint!(preferences::preferences), &["/api/v1/users/{id}/preferences"])
        .endpoint(endpoint!(update_preferences::update_preferences), &["PATCH /api/v1/users/{id}/preferences"])
        .endpoint(endpoint!(stats::stats), &[])
        .endpoint(endpoint!(upgrade::upgrade), &[])
        .endpoint(endpoint!(downgrade::downgrade), &[])
        .endpoint(endpoint!(start_export::start_export), &[])
        .endpoint(endpoint!(export::export), &[])
        .endpoint(endpoint!(download_export::download_export), &[])
        .endpoint(endpoint!(search::search), &[])
        .endpoint(endpoint!(user::user), &[])
        .endpoint(endpoint!(list_users::list_users), &[])
        .endpoint(endpoint!(create_user::create_user), &[])
        .endpoint(endpoint!(audit::audit), &[])
}

/// The routes with their state.
pub fn router(state: State) -> Router {
    endpoints::<Router<State>>().with_state(state)
}
