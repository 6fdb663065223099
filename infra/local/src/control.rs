//! The control surface of the local stack, under `/_local`. No deployed function has any of it.

use axum::{
    Json, Router,
    extract::{Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};
use shared::{clock::TimeSource, markup};

use crate::{
    aws::{
        Aws,
        faults::{Fault, Plan},
        mailbox::Letter,
        partitions::{Asked, Bound, Taken},
    },
    clock::MovableClock,
    ledger::Entry,
    schedule::Schedule,
    streams::Streams,
};

/// What the control surface works on.
#[derive(Clone)]
pub struct Control {
    pub aws: Aws,
    pub clock: MovableClock,
    pub streams: Streams,
    pub schedule: Schedule,
}

/// Its routes.
pub fn router(control: Control) -> Router {
    Router::new()
        .route("/_local/mailbox", get(mailbox))
        .route("/_local/clock", post(clock))
        .route("/_local/ledger", get(ledger))
        .route("/_local/faults", get(waiting).post(faults))
        .route("/_local/faults/plan", post(plan))
        .route("/_local/partitions", get(taken).post(bound))
        .with_state(control)
}

/// The mails, newest first, once the streams have caught up: an array for programs, a page for people.
async fn mailbox(State(control): State<Control>, headers: HeaderMap) -> Response {
    control.streams.settle().await;
    let letters = control.aws.mailbox.letters();
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("application/json") {
        return Json(letters).into_response();
    }
    let shown: Vec<Value> = letters.iter().map(shown).collect();
    let mut environment = markup::environment();
    let rendered = environment
        .add_template("mailbox.html", include_str!("mailbox.html"))
        .and_then(|()| environment.get_template("mailbox.html")?.render(context! { letters => shown }));
    match rendered {
        Ok(html) => Html(html).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn shown(letter: &Letter) -> Value {
    let Letter { to, subject, html, sent_at, .. } = letter;
    context! { to, subject, html, sent_at => sent_at.format("%Y-%m-%d %H:%M:%S UTC").to_string() }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    advance_seconds: u32,
    #[serde(default)]
    stop: bool,
}

#[derive(Serialize)]
struct Moved {
    now: chrono::DateTime<chrono::Utc>,
}

/// Moves the service's clock forward, once the streams have caught up, and does what is due by then: TTL takes what has
/// expired, and what a schedule wakes runs once. The clock stops first where that is asked for.
async fn clock(State(control): State<Control>, Json(Move { advance_seconds, stop }): Json<Move>) -> Response {
    control.streams.settle().await;
    if stop {
        control.clock.stop();
    }
    if let Err(error) = control.clock.advance(advance_seconds) {
        return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response();
    }
    control.schedule.run().await;
    control.streams.settle().await;
    Json(Moved { now: control.clock.now() }).into_response()
}

#[derive(Deserialize)]
struct Which {
    request_id: Option<String>,
}

/// What each request cost, newest first.
async fn ledger(State(control): State<Control>, Query(which): Query<Which>) -> Json<Vec<Entry>> {
    Json(control.aws.ledger.entries(which.request_id.as_deref()))
}

/// The faults that are still to strike.
async fn waiting(State(control): State<Control>) -> Json<Vec<Fault>> {
    Json(control.aws.faults.waiting())
}

/// Injects a fault into the next calls that match.
async fn faults(State(control): State<Control>, Json(fault): Json<Fault>) -> StatusCode {
    control.aws.faults.inject(fault);
    StatusCode::NO_CONTENT
}

#[derive(Serialize)]
struct Struck {
    /// Faults of the plan before.
    struck: u64,
}

/// Draws faults by a plan from now on.
async fn plan(State(control): State<Control>, Json(plan): Json<Plan>) -> Json<Struck> {
    Json(Struck { struck: control.aws.faults.plan(plan) })
}

/// Bounds what one key takes from now on.
async fn bound(State(control): State<Control>, Json(bound): Json<Bound>) -> StatusCode {
    control.aws.dynamodb.partitions.set(bound);
    StatusCode::NO_CONTENT
}

/// What keys have taken since then.
async fn taken(State(control): State<Control>, Query(asked): Query<Asked>) -> Json<Vec<Taken>> {
    Json(control.aws.dynamodb.partitions.taken(&asked))
}
