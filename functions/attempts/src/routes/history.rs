use axum::{
    Json,
    extract::State as Extract,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::IntoResponse,
};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use shared::{
    domain::Invalid,
    http::{Bearer, Fields, NoStore, Problem, ProblemBody, UrlQuery},
    store::{HistoryPage, PageStart},
};
use utoipa::IntoParams;

use super::shown::ShownAttempt;
use crate::State;

const MOST: u64 = 200;
const USUAL: u64 = 50;

/// Which page of the history.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u64>,
    /// Newer rows to skip; not together with `cursor`.
    #[param(default = 0)]
    offset: Option<u64>,
    /// Where the last page ended, from its `Link`.
    cursor: Option<String>,
    /// Attempts at this question only.
    question_id: Option<u64>,
}

impl Paging {
    fn parse(&self) -> Result<(u64, PageStart), Problem> {
        let mut fields = Fields::default();
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            fields.refuse("limit", format!("must be between 1 and {MOST}"));
        }
        let start = match (&self.cursor, self.offset) {
            (Some(_), Some(_)) => Err(Invalid("must not be given together with offset".into())),
            (Some(cursor), None) => decode(cursor).map(PageStart::Before),
            (None, offset) => Ok(PageStart::Offset(offset.unwrap_or(0))),
        };
        let start = fields.take("cursor", start);
        Ok((limit, fields.finish(start)?))
    }

    /// The address of the page that begins at `next`, relative to this one.
    fn link(&self, limit: u64, next: u64) -> String {
        let question = self.question_id.map(|question| format!("&question_id={question}")).unwrap_or_default();
        format!("</api/v1/attempts/me?limit={limit}{question}&cursor={}>; rel=\"next\"", encode(next))
    }
}

fn encode(number: u64) -> String {
    BASE64URL_NOPAD.encode(&number.to_be_bytes())
}

fn decode(cursor: &str) -> Result<u64, Invalid> {
    let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(u64::from_be_bytes).ok_or_else(|| Invalid("must be taken from a Link header".into()))
}

/// The caller's attempts, newest first, without their code. A page deep in a long history costs no more than the first.
#[utoipa::path(
    get,
    path = "/api/v1/attempts/me",
    operation_id = "history",
    tag = "attempts",
    security(("bearer" = []), ("password" = [])),
    params(Paging),
    responses(
        (status = 200, description = "A page; `Link` leads to the next, `X-Total-Count` counts all.", body = [ShownAttempt]),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation_failed`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn history(
    Extract(state): Extract<State>,
    bearer: Bearer,
    paging: Result<UrlQuery<Paging>, Problem>,
) -> Result<impl IntoResponse, Problem> {
    let parsed = paging.and_then(|UrlQuery(paging)| paging.parse().map(|(limit, start)| (paging, limit, start)));
    let (paging, limit, start) = match parsed {
        Ok(parsed) => parsed,
        Err(problem) => return Err(bearer.refuse(problem).await),
    };
    let user_id = bearer.user_id();
    let (_, total) = bearer.with(state.attempts.find_total(user_id, paging.question_id)).await?;
    let page = HistoryPage::new(total, start, limit);
    let rows = state.attempts.find_page(user_id, paging.question_id, &page).await?;

    let mut headers = HeaderMap::new();
    headers.insert(HeaderName::from_static("x-total-count"), HeaderValue::from(total));
    if let Some(link) = page.next().and_then(|next| HeaderValue::try_from(paging.link(limit, next)).ok()) {
        headers.insert(header::LINK, link);
    }
    let rows: Vec<_> = rows.into_iter().map(ShownAttempt::from).collect();
    Ok((headers, NoStore(Json(rows))))
}
