//! Function `system`: health, documentation, and every path and method that no other function serves.

mod documented;
mod routes;
mod state;

pub use state::State;

use axum::{Router, routing::get};
use shared::http::Endpoints;
use utoipa_axum::routes;

use routes::{
    db_status, docs, health, healthz, jwks, metrics, openapi, openid_configuration, readyz, redoc, root, unserved,
};

/// Every endpoint of this function: the table of contents.
pub fn endpoints() -> Endpoints<State> {
    Endpoints::new()
        .endpoint(routes!(root::root), &[])
        .endpoint(routes!(healthz::healthz), &[])
        .endpoint(routes!(readyz::readyz), &[])
        .endpoint(routes!(health::health), &[])
        .endpoint(routes!(db_status::db_status), &[])
        .endpoint(routes!(metrics::metrics), &[])
        .endpoint(routes!(jwks::jwks), &[])
        .endpoint(routes!(openid_configuration::openid_configuration), &["/.well-known/oauth-authorization-server"])
        .endpoint(routes!(openapi::openapi), &[])
        .endpoint(routes!(docs::docs), &[])
        .endpoint(routes!(redoc::redoc), &[])
        .page("/docs/{file}", get(docs::file))
        .page("/redoc/redoc.standalone.js", get(redoc::script))
}

/// The routes with their state; what is left answers 404 or 405.
pub fn router(state: State) -> Router {
    let router = endpoints().router().fallback(unserved::unserved).method_not_allowed_fallback(unserved::unserved);
    router.with_state(state)
}
