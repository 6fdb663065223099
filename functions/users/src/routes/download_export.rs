use axum::{
    extract::State as Extract,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use shared::{
    crypto::{LinkPurpose, MailedLink},
    http::{Code, NoStore, Problem, ProblemBody, UrlQuery},
};
use utoipa::IntoParams;

use crate::State;

/// The link's token, in the query.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportLink {
    token: Option<String>,
}

/// The link that was mailed: leads to the export, at an address that is signed for a few minutes.
#[utoipa::path(
    get,
    path = "/export",
    operation_id = "download_export",
    tag = "users",
    params(ExportLink),
    responses(
        (status = 302, description = "The export is at `Location`."),
        (status = 404, description = "`not_found`: the link is not valid, or its time is over", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn download_export(
    Extract(state): Extract<State>,
    UrlQuery(ExportLink { token }): UrlQuery<ExportLink>,
) -> Result<Response, Problem> {
    let none = || Problem::new(Code::NotFound, "The link is not valid, or its time is over.");
    let link = MailedLink::decode(&token.unwrap_or_default(), LinkPurpose::Export, &state.derivation.fresh().await?);
    let link = link.ok_or_else(none)?;
    let account = state.accounts.find(link.user_id).await?.filter(|account| account.active).ok_or_else(none)?;
    let ready = account.export.as_ref().filter(|export| export.id == link.id && export.is_ready(state.clock.now()));
    let address = state.exports.sign(&ready.ok_or_else(none)?.object(account.id)).await?;
    let location = HeaderValue::try_from(address).map_err(|error| Problem::internal(&error))?;
    Ok(NoStore((StatusCode::FOUND, [(header::LOCATION, location)])).into_response())
}
