use axum::{Json, extract::State as Extract, response::IntoResponse};
use serde::Deserialize;
use shared::{
    domain::{Invalid, words_of},
    http::{
        Caller, Fields, FoundUser, NoStore, Problem, ProblemBody, UrlQuery, decode_cursor, link_to_next, page_limit,
    },
    store::SearchPosition,
};
use utoipa::IntoParams;

use super::admit_to_directory;
use crate::State;

/// Characters that a search has at the most.
const LONGEST: usize = 100;

/// Who is looked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Words; at least two characters, and one word of at least two.
    q: Option<String>,
    /// The same as `q`.
    query: Option<String>,
    /// People on a page, which may have fewer.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// Where the last page ended, from its `Link`.
    cursor: Option<String>,
}

/// People of whose name, username or title every word of `q` begins some word. Case and accents make no difference;
/// those who have the word itself come first. A page may be short: `Link` goes on.
#[utoipa::path(
    get,
    path = "/api/v1/users/search",
    operation_id = "search",
    tag = "users",
    security(("bearer" = []), ("password" = [])),
    params(Search),
    responses(
        (status = 200, description = "A page.", body = [FoundUser]),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`premium_required`, `email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn search(
    Extract(state): Extract<State>,
    caller: Caller,
    search: Result<UrlQuery<Search>, Problem>,
) -> Result<impl IntoResponse, Problem> {
    admit_to_directory(&state, &caller)?;
    let UrlQuery(search) = search?;
    let mut fields = Fields::default();
    let limit = page_limit(search.limit, &mut fields);
    let query = search.q.or(search.query).unwrap_or_default();
    let words = fields.take("q", words(&query));
    let after: Option<SearchPosition> = match &search.cursor {
        Some(cursor) => fields.take("cursor", decode_cursor(cursor)),
        None => None,
    };
    let words = fields.finish(words)?;
    let (hits, next) = state.accounts.search(&words, after, limit).await?;
    let parameters = [("q", query), ("limit", limit.to_string())];
    let headers = link_to_next("/api/v1/users/search", &parameters, next.as_ref());
    let found: Vec<_> = hits.into_iter().map(|hit| FoundUser::of(hit, &state.avatars)).collect();
    Ok((headers, NoStore(Json(found))))
}

/// The words of a search, of which one has to be long enough to narrow it down.
fn words(query: &str) -> Result<Vec<String>, Invalid> {
    let length = query.trim().chars().count();
    let words = words_of(query);
    if (2..=LONGEST).contains(&length) && words.iter().any(|word| word.chars().count() >= 2) {
        return Ok(words);
    }
    Err(Invalid(format!("must have 2 to {LONGEST} characters, and a word of at least two letters or digits")))
}
