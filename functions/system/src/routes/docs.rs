use std::sync::Arc;

use axum::{
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use shared::http::{Code, Problem, UrlPath};
use utoipa_swagger_ui::{Config, SwaggerFile};

/// Swagger UI runs its own scripts and no others, and sets styles from them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Swagger UI, to read about every endpoint and to try it.
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "docs",
    tag = "system",
    responses((status = 200, description = "A page.", body = String, content_type = "text/html"))
)]
pub async fn docs() -> Result<Response, Problem> {
    let index = asset("index.html")?;
    let html =
        String::from_utf8_lossy(&index.bytes).replace("href=\"", "href=\"/docs/").replace("src=\"", "src=\"/docs/");
    Ok(([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(html)).into_response())
}

/// An asset of Swagger UI.
pub async fn file(UrlPath(name): UrlPath<String>) -> Result<Response, Problem> {
    let file = asset(&name)?;
    let content_type = HeaderValue::try_from(&file.content_type).map_err(|error| Problem::internal(&error))?;
    let mut response = file.bytes.into_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    if file.gzpipped {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}

fn asset(name: &str) -> Result<SwaggerFile<'static>, Problem> {
    let config = Arc::new(Config::from("/openapi.json").persist_authorization(false).try_it_out_enabled(true));
    match utoipa_swagger_ui::serve(name, config) {
        Ok(Some(file)) => Ok(file),
        Ok(None) => Err(Problem::new(Code::NotFound, "There is nothing at this path.")),
        Err(error) => Err(Problem::internal(&*error)),
    }
}
