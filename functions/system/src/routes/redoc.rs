use axum::{
    http::header,
    response::{Html, IntoResponse, Response},
};

/// ReDoc runs its own script, a worker that it makes itself, and sets styles from them.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src blob:; style-src 'self' 'unsafe-inline'; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API reference</title>
</head>
<body>
<redoc spec-url="/openapi.json" hide-download-button="true" native-scrollbars="true"></redoc>
<script src="/redoc/redoc.standalone.js"></script>
</body>
</html>
"#;

/// ReDoc 2.5.3 as its package ships it; licences stand beside it.
const SCRIPT: &str = include_str!("../../assets/redoc.standalone.js");

/// ReDoc, to read about every endpoint.
#[utoipa::path(
    get,
    path = "/redoc",
    operation_id = "redoc",
    tag = "system",
    responses((status = 200, description = "A page.", body = String, content_type = "text/html"))
)]
pub async fn redoc() -> Response {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE)).into_response()
}

/// ReDoc's script.
pub async fn script() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=3600")];
    (headers, SCRIPT).into_response()
}
