use axum::{
    extract::State as Extract,
    http::{HeaderValue, Method, Uri, header},
    response::{IntoResponse, Response},
};
use shared::http::{Code, Problem};

use crate::State;

/// What no route takes (the gateway's `$default`): 405 where the path is known, else 404.
pub async fn unserved(Extract(state): Extract<State>, uri: Uri) -> Response {
    let Some(methods) = state.documented.methods(uri.path()) else {
        return Problem::new(Code::NotFound, "There is nothing at this path.").into_response();
    };
    let mut response = Problem::new(Code::MethodNotAllowed, "This path does not take this method.").into_response();
    let allowed = methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    if let Ok(allowed) = HeaderValue::try_from(allowed) {
        response.headers_mut().insert(header::ALLOW, allowed);
    }
    response
}
