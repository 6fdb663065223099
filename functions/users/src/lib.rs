//! Function `users`: the user: profile, preferences, plan, search, administration.

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
        .endpoint(routes!(home::home), &["/home"])
        .endpoint(routes!(is_admin::is_admin), &["/api/v1/users/is-admin", "/api/v1/users/users/is-admin"])
        .endpoint(routes!(update_user::update_user), &["/users/me", "PATCH /api/v1/users/{id}"])
        .endpoint(routes!(delete_user::delete_user), &["/users/me", "/api/v1/users/{id}"])
        .endpoint(routes!(profile::profile), &["/api/v1/users/{id}/profile"])
        .endpoint(routes!(update_profile::update_profile), &[])
        .endpoint(routes!(preferences::preferences), &["/api/v1/users/{id}/preferences"])
        .endpoint(routes!(update_preferences::update_preferences), &["PATCH /api/v1/users/{id}/preferences"])
        .endpoint(routes!(stats::stats), &[])
        .endpoint(routes!(upgrade::upgrade), &[])
        .endpoint(routes!(downgrade::downgrade), &[])
        .endpoint(routes!(start_export::start_export), &[])
        .endpoint(routes!(export::export), &[])
        .endpoint(routes!(download_export::download_export), &[])
        .endpoint(routes!(search::search), &[])
        .endpoint(routes!(user::user), &[])
        .endpoint(routes!(list_users::list_users), &[])
        .endpoint(routes!(create_user::create_user), &[])
        .endpoint(routes!(audit::audit), &[])
}

/// The routes with their state.
pub fn router(state: State) -> Router {
    endpoints().router().with_state(state)
}
