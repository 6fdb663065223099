use std::collections::HashMap;

use axum::{Json, extract::State as Extract, response::IntoResponse};
use chrono::{DateTime, Utc};
use serde::Serialize;
use shared::{
    domain::{Account, Device, SessionId},
    http::{Caller, Code, NoStore, Problem, ProblemBody, UrlPath},
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::State;

/// A session, as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShownSession {
    id: Uuid,
    /// `desktop`, `mobile`, `other` or `unknown`.
    device_type: &'static str,
    device_name: String,
    os: Option<String>,
    browser: Option<String>,
    ip_address: Option<String>,
    user_agent: Option<String>,
    is_active: bool,
    /// Whether it is the one that asks.
    is_current: bool,
    created_at: DateTime<Utc>,
    /// The last sign-in or refresh.
    last_activity_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// The sessions that are alive, the one used last first.
#[utoipa::path(
    get,
    path = "/api/v1/auth/sessions",
    operation_id = "sessions",
    tag = "auth",
    security(("bearer" = []), ("password" = [])),
    responses(
        (status = 200, description = "The sessions.", body = [ShownSession]),
        (status = 401, description = "`authentication_required`, `invalid_token`, `token_expired`, `session_ended`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`email_not_verified`, `forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`not_found`", body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn sessions(
    Extract(state): Extract<State>,
    caller: Caller,
    UrlPath(path): UrlPath<HashMap<String, String>>,
) -> Result<impl IntoResponse, Problem> {
    let subject = caller.subject(path.get("id").map(String::as_str))?;
    let (account, current) = if subject == caller.account.id {
        (caller.account, Some(caller.session_id))
    } else {
        let other = state.accounts.find(subject).await?;
        (other.ok_or_else(|| Problem::new(Code::NotFound, "There is no such user."))?, None)
    };
    let devices = state.accounts.find_devices(&account).await?;
    Ok(NoStore(Json(shown(&state, &account, current, devices))))
}

fn shown(
    state: &State,
    account: &Account,
    current: Option<SessionId>,
    mut devices: HashMap<SessionId, (DateTime<Utc>, Device)>,
) -> Vec<ShownSession> {
    let now = state.clock.now();
    let alive = account.sessions.iter().rev().filter(|session| session.is_live(now));
    let shown = alive.map(|session| {
        let (created_at, device) = devices.remove(&session.id).unwrap_or((session.times.used_at, Device::default()));
        ShownSession {
            id: session.id,
            device_type: device.kind(),
            device_name: device.name(),
            os: device.os(),
            browser: device.browser(),
            ip_address: device.ip_address,
            user_agent: device.user_agent,
            is_active: true,
            is_current: Some(session.id) == current,
            created_at,
            last_activity_at: session.times.used_at,
            expires_at: session.times.end(),
        }
    });
    shown.collect()
}
