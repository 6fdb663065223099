//! Function `system`: health, documentation, and every path and method that no other function serves.

mod documented;
mod routes;
mod state;

pub use state::State;

use axum::{Router, routing::get};
use shared::{endpoint, http::Endpoints};

use routes::{
    db_status, docs, health, healthz, jwks, metrics, openapi, openid_configuration, readyz, redoc, root, unserved,
};

/// Every endpoint of this function: the table of contents.
pub fn endpoints<E: Endpoints<State>>() -> E {
    E::new()
        .endpoint(endpoint!(root::root), &[])
        .endpoint(endpoint!(healthz::healthz), &[])
        .endpoint(endpoint!(readyz::readyz), &[])
        .endpoint(endpoint!(health::health), &[])
        .endpoint(endpoint!(db_status::db_status), &[])
        .endpoint(endpoint!(metrics::metrics), &[])
        .endpoint(endpoint!(jwks::jwks), &[])
        .endpoint(endpoint!(openid_configuration::openid_configuration), &["/.well-known/oauth-authorization-server"])
        .endpoint(endpoint!(openapi::openapi), &[])
        .endpoint(endpoint!(docs::docs), &[])
        .endpoint(endpoint!(redoc::redoc), &[])
        .page("/docs/{file}", get(docs::file))
        .page("/redoc/redoc.standalone.js", get(redoc::script))
}

/// The routes with their state; what is left answers 404 or 405.
pub fn router(state: State) -> Router {
    let router =
        endpoints::<Router<State>>().fallback(unserved::unserved).method_not_allowed_fallback(unserved::unserved);
    router.with_state(state)
}
