use axum::http::{HeaderMap, HeaderValue, header};
use data_encoding::BASE64URL_NOPAD;
use serde::{Serialize, de::DeserializeOwned};

use super::Fields;
use crate::domain::Invalid;

/// Rows of a page at the most, and where none were asked for.
const MOST: usize = 200;
const USUAL: usize = 50;

/// How many rows a page is to have.
pub fn page_limit(limit: Option<usize>, fields: &mut Fields) -> usize {
    let limit = limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        fields.refuse("limit", format!("must be between 1 and {MOST}"));
    }
    limit
}

/// Where a page begins, as the last page's `Link` said; opaque to clients.
///
/// # Errors
/// Where no `Link` said so.
pub fn decode_cursor<T: DeserializeOwned>(cursor: &str) -> Result<T, Invalid> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok();
    let position = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    position.ok_or_else(|| Invalid("must be taken from a Link header".into()))
}

/// `Link` to the page that begins at `next` (RFC 8288), where there is one: `path` with these parameters and a cursor.
pub fn link_to_next<T: Serialize>(path: &str, parameters: &[(&str, String)], next: Option<&T>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(position) = next.and_then(|next| serde_json::to_vec(next).ok()) else { return headers };
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        query.append_pair(name, value);
    }
    query.append_pair("cursor", &BASE64URL_NOPAD.encode(&position));
    if let Ok(link) = HeaderValue::try_from(format!("<{path}?{}>; rel=\"next\"", query.finish())) {
        headers.insert(header::LINK, link);
    }
    headers
}
