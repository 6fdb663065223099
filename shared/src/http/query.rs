use axum::{extract::FromRequestParts, http::request::Parts};
use serde::de::DeserializeOwned;

use super::{Problem, body::field_error};

/// The query string, of the shape `T`. What does not fit is 422 and named.
pub struct UrlQuery<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for UrlQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parse(parts.uri.query().unwrap_or_default())
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<UrlQuery<T>, Problem> {
    let deserializer = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(deserializer).map(UrlQuery).map_err(
        |error: serde_path_to_error::Error<serde_urlencoded::de::Error>| {
            Problem::invalid(vec![field_error(error.path().to_string(), &error.inner().to_string())])
        },
    )
}
