//! Plays API Gateway's HTTP API: routes by the template's own route lines, payload 2.0, its own refusals.

mod event;
mod routes;

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use lambda_http::{LambdaEvent, request::LambdaRequest};
use lambda_runtime::Context;
use std::net::SocketAddr;
use tokio::{net::TcpListener, time::timeout};
use uuid::Uuid;

use crate::{StartError, clock::MovableClock, functions::HttpFunction, ledger::Ledger, template::Template};
use event::Invocation;
use routes::Routes;

/// API Gateway takes 10 MB, and Lambda an event of 6 MB.
const LARGEST_BODY: usize = 10 * 1024 * 1024;
const LARGEST_EVENT: usize = 6 * 1024 * 1024;
/// How long an integration may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The HTTP API of a stack.
#[derive(Clone)]
pub struct Gateway {
    routes: Arc<Routes>,
    functions: Arc<HashMap<String, HttpFunction>>,
    clock: MovableClock,
    ledger: Ledger,
}

impl Gateway {
    /// The API that the template describes.
    ///
    /// # Errors
    /// Where a route leads nowhere.
    pub fn new(
        template: &Template,
        functions: HashMap<String, HttpFunction>,
        clock: MovableClock,
        ledger: Ledger,
    ) -> Result<Self, StartError> {
        let routes = Routes::new(template.routes())?;
        Ok(Self { routes: Arc::new(routes), functions: Arc::new(functions), clock, ledger })
    }
}

/// Serves the API, and beside it the control surface, which no deployment has.
pub async fn serve(listener: TcpListener, gateway: Gateway, control: Router) {
    let router = Router::new().fallback(handle).with_state(gateway).merge(control);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service).await {
        tracing::error!(%error, "the API stopped");
    }
}

async fn handle(
    State(gateway): State<Gateway>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    if !request.uri().path().starts_with('/') {
        return refusal(StatusCode::BAD_REQUEST, "Bad Request");
    }
    let Some(matched) = gateway.routes.find(request.method(), request.uri().path()) else {
        return refusal(StatusCode::NOT_FOUND, "Not Found");
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    };
    let id = Uuid::new_v4();
    let invocation =
        Invocation { id: &id.to_string(), route: &matched, parts: &parts, body: &body, peer, clock: &gateway.clock };
    let event = invocation.event();
    if event.to_string().len() > LARGEST_EVENT {
        return refusal(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    }
    let sent = parts.headers.get("x-amzn-trace-id").and_then(|value| value.to_str().ok());
    let sent = sent.filter(|trace| trace.starts_with("Root=") && !trace.contains(';')).map(str::to_owned);
    let trace = sent.unwrap_or_else(|| format!("Root=1-00000000-{}", &id.simple().to_string()[..24]));
    gateway.ledger.open(&trace, &id.to_string(), &matched.key);
    let mut context = Context::default();
    context.request_id = Uuid::new_v4().to_string();
    context.xray_trace_id = Some(trace);
    let function = gateway.functions.get(&matched.function).cloned();
    match (function, serde_json::from_value(event)) {
        (Some(function), Ok(payload)) => invoke(function, LambdaEvent::new(payload, context)).await,
        _ => refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
    }
}

/// A function that crashes is 500, one that takes too long 503, in the gateway's own words.
async fn invoke(function: HttpFunction, event: LambdaEvent<LambdaRequest>) -> Response {
    let running = tokio::spawn(function.invoke(event));
    match timeout(PATIENCE, running).await {
        Ok(answer) => {
            let response = answer.ok().flatten().and_then(|answer| event::response(&answer));
            response.unwrap_or_else(|| refusal(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"))
        }
        Err(_) => refusal(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}

fn refusal(status: StatusCode, message: &str) -> Response {
    let body = serde_json::json!({ "message": message }).to_string();
    (status, [("content-type", "application/json")], Body::from(body)).into_response()
}
