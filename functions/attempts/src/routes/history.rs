use axum::{
    Json,
    extract::State as Extract,
    http::{HeaderName, HeaderValue},
    response::IntoResponse,
};
use serde::Deserialize;
use shared::{
    domain::Invalid,
    http::{Bearer, Fields, NoStore, Problem, ProblemBody, UrlQuery, decode_cursor, link_to_next, page_limit},
    store::{HistoryPage, PageStart},
};
use utoipa::IntoParams;

use super::{shown::ShownAttempt, submit::LARGEST_NUMBER};
use crate::State;

/// Which page of the history.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<usize>,
    /// Newer rows to skip; not together with `cursor`.
    #[param(default = 0, maximum = 9_007_199_254_740_991_u64)]
    offset: Option<u64>,
    /// Where the last page ended, from its `Link`.
    cursor: Option<String>,
    /// Attempts at this question only.
    #[param(maximum = 9_007_199_254_740_991_u64)]
    question_id: Option<u64>,
}

impl Paging {
    fn parse(&self) -> Result<(usize, PageStart), Problem> {
        let mut fields = Fields::default();
        let limit = page_limit(self.limit, &mut fields);
        for (field, number) in [("offset", self.offset), ("question_id", self.question_id)] {
            if number.is_some_and(|number| number > LARGEST_NUMBER) {
                fields.refuse(field, format!("must be at most {LARGEST_NUMBER}"));
            }
        }
        let start = match (&self.cursor, self.offset) {
            (Some(_), Some(_)) => Err(Invalid("must not be given together with offset".into())),
            (Some(cursor), None) => decode_cursor(cursor).map(PageStart::Before),
            (None, offset) => Ok(PageStart::Offset(offset.unwrap_or(0))),
        };
        let start = fields.take("cursor", start);
        Ok((limit, fields.finish(start)?))
    }
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
    let (_, total) = bearer.with_item(state.attempts.total(user_id, paging.question_id)).await?;
    let page = HistoryPage::new(total, start, limit as u64);
    let rows = state.attempts.find_page(user_id, paging.question_id, &page).await?;

    let mut parameters = vec![("limit", limit.to_string())];
    parameters.extend(paging.question_id.map(|question| ("question_id", question.to_string())));
    let mut headers = link_to_next("/api/v1/attempts/me", &parameters, page.next().as_ref());
    headers.insert(HeaderName::from_static("x-total-count"), HeaderValue::from(total));
    let rows: Vec<_> = rows.into_iter().map(ShownAttempt::from).collect();
    Ok((headers, NoStore(Json(rows))))
}
