use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use super::{Code, Problem};

/// The query string, of the shape `T`. What does not fit is 422.
pub struct UrlQuery<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for UrlQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::try_from_uri(&parts.uri);
        let refused = |_| Problem::new(Code::ValidationFailed, "The query has a parameter that is not valid.");
        query.map(|Query(value)| Self(value)).map_err(refused)
    }
}
