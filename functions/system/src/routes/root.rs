use axum::{
    Json,
    extract::State as Extract,
    response::{IntoResponse, Response},
};
use minijinja::context;
use serde::Serialize;
use shared::http::{Accepts, Problem};
use utoipa::ToSchema;

use crate::State;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What this is, and where to look further.
#[derive(Debug, Serialize, ToSchema)]
pub struct Root {
    service: String,
    version: &'static str,
    status: &'static str,
    docs: &'static str,
    health: &'static str,
    endpoints: Vec<&'static str>,
}

/// What this is. A browser gets a page of links.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "root",
    tag = "system",
    responses((status = 200, description = "The service.", body = Root))
)]
pub async fn root(Extract(state): Extract<State>, accepts: Accepts) -> Result<Response, Problem> {
    if accepts.html {
        let links = [
            ("/docs", "API documentation", "every endpoint, to read and to try (Swagger UI)"),
            ("/redoc", "API reference", "the same, to read (ReDoc)"),
            ("/openapi.json", "OpenAPI 3.1", "the same, for programs"),
            ("/health", "Health", "whether the service and its database answer"),
            ("/readyz", "Readiness", "whether tables and keys answer"),
        ];
        let links = links.map(|(href, title, text)| context! { href, title, text });
        let added = state.settings.root_links.iter().map(|(title, href)| context! { href, title, text => "" });
        let links: Vec<_> = links.into_iter().chain(added).collect();
        let page = state.pages.render("root.html", context! { version => VERSION, links })?;
        return Ok(page.into_response());
    }
    let root = Root {
        service: state.settings.app_name.clone(),
        version: VERSION,
        status: "running",
        docs: "/docs",
        health: "/health",
        endpoints: vec!["/api/v1/auth", "/api/v1/users", "/api/v1/attempts", "/openapi.json"],
    };
    Ok(Json(root).into_response())
}
