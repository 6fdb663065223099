//! The layers around every router: request id, trace, one log line, panics, CORS, security headers.

use std::{cell::RefCell, panic, sync::OnceLock, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use lambda_http::{RequestExt, request::RequestContext};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, CorsLayer},
};
use uuid::Uuid;

use super::{
    Problem,
    edge::Edge,
    problem::{Failure, method_not_allowed, not_found},
};
use crate::{
    Platform, aws,
    config::Settings,
    store::Limit,
    telemetry::{self, Done, Meter, Work},
};

/// Response headers that a browser's script may read.
const EXPOSED: [&str; 7] =
    ["link", "x-total-count", "x-request-id", "retry-after", "ratelimit", "ratelimit-policy", "www-authenticate"];
/// Seconds for which a browser may keep a preflight's answer.
const PREFLIGHT_SECONDS: u64 = 600;

/// Headers of every response that does not set its own (ASVS 3.4.1–3.4.6).
const SECURITY: [(HeaderName, &str); 4] = [
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

tokio::task_local! {
    static REQUEST_ID: String;
    static NOTES: RefCell<Notes>;
}

/// What comes up while a request is served, and is told when it is answered.
#[derive(Default)]
struct Notes {
    /// Policy and state of each window that it was counted in.
    rate_limits: Vec<(String, String)>,
    user_id: Option<Uuid>,
}

thread_local! {
    static PANIC_PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The id of the request: API Gateway's own, which its access log has too.
pub(super) struct RequestId;

impl RequestId {
    /// The id of the request that this task serves; empty outside of one.
    pub fn current() -> String {
        REQUEST_ID.try_with(String::clone).unwrap_or_default()
    }
}

/// Notes a window that the request was counted in, for the `RateLimit` headers (draft-ietf-httpapi-ratelimit-headers).
pub(super) fn note_rate_limit(limit: &Limit, remaining: u32, rest: TimeDelta) {
    let scope = limit.scope;
    let policy = format!("\"{scope}\";q={};w={}", limit.calls, limit.window.num_seconds());
    let state = format!("\"{scope}\";r={remaining};t={}", rest.num_seconds().max(0));
    // Outside of a request nobody reads it.
    let _ = NOTES.try_with(|notes| notes.borrow_mut().rate_limits.push((policy, state)));
}

/// Notes whom the request is of, for its log line: whose token or link it brought, or whom it would sign in.
pub fn note_user(user_id: Uuid) {
    let _ = NOTES.try_with(|notes| notes.borrow_mut().user_id = Some(user_id));
}

/// Puts the fallbacks and all layers around a function's router.
pub fn finish(router: Router, platform: &Platform) -> Router {
    let router = router.fallback(not_found).method_not_allowed_fallback(method_not_allowed);
    observed(router, platform)
}

/// Puts the layers alone around a router that has fallbacks of its own.
pub fn observed(router: Router, platform: &Platform) -> Router {
    remember_panics();
    let (meter, edge) = (Meter::new(&platform.settings, &platform.clock), Edge::new(platform));
    // One layer of several, outermost first: the router boxes each of its own, and copies it for every request.
    router.layer(
        ServiceBuilder::new()
            .layer(middleware::from_fn(move |request, next| observe(meter.clone(), edge.clone(), request, next)))
            .map_response(secure)
            .layer(cors(&platform.settings))
            .layer(CatchPanicLayer::custom(|_| {
                Problem::panicked(PANIC_PLACE.take().unwrap_or_default()).into_response()
            })),
    )
}

fn cors(settings: &Settings) -> CorsLayer {
    let origins = &settings.cors_allow_origins;
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, HeaderName::from_static("idempotency-key")])
        .expose_headers(EXPOSED.map(HeaderName::from_static))
        .max_age(std::time::Duration::from_secs(PREFLIGHT_SECONDS))
}

fn secure<B>(mut response: Response<B>) -> Response<B> {
    for (name, value) in SECURITY {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    // axum would serve HEAD wherever it serves GET; API Gateway's routes do not.
    if let Some(allowed) = response.headers().get(header::ALLOW).and_then(|allowed| allowed.to_str().ok()) {
        let methods: Vec<_> = allowed.split(',').map(str::trim).filter(|method| *method != "HEAD").collect();
        if let Ok(methods) = HeaderValue::try_from(methods.join(", ")) {
            response.headers_mut().insert(header::ALLOW, methods);
        }
    }
    response
}

async fn observe(meter: Meter, edge: Edge, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(&request);
    let trace = request.lambda_context_ref().and_then(|context| context.xray_trace_id.clone());
    let route =
        request.extensions().get::<MatchedPath>().map_or_else(|| "-".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().clone();

    // Boxed, since each of the scopes around it takes it by value.
    let serving = Box::pin(async {
        edge.note(&mut request).await;
        let response = next.run(request).await;
        (response, NOTES.with(RefCell::take))
    });
    let serving = NOTES.scope(RefCell::default(), aws::traced(trace.as_deref(), serving));
    let serving = REQUEST_ID.scope(id.clone(), telemetry::measured(serving));
    let ((mut response, notes), measures) = serving.await;
    let (policies, states): (Vec<String>, Vec<String>) = notes.rate_limits.into_iter().unzip();
    if !policies.is_empty() {
        set(response.headers_mut(), HeaderName::from_static("ratelimit-policy"), &policies.join(", "));
        set(response.headers_mut(), HeaderName::from_static("ratelimit"), &states.join(", "));
    }

    set(response.headers_mut(), HeaderName::from_static("x-request-id"), &id);
    let failure = response.extensions_mut().remove::<Failure>();
    let told = Work {
        request_id: &id,
        route: Some(&route),
        duration: started.elapsed(),
        done: Done::Request {
            method: method.as_str(),
            status: response.status().as_u16(),
            user_id: notes.user_id,
            code: failure.as_ref().map(|failure| failure.code.as_str()),
            reason: failure.as_ref().and_then(|failure| failure.source.as_deref()),
        },
    };
    meter.tell(&told, &measures);
    response
}

fn request_id(request: &Request) -> String {
    let gateway = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    let invocation = || request.lambda_context_ref().map(|context| context.request_id.clone());
    gateway.or_else(invocation).filter(|id| !id.is_empty()).unwrap_or_else(|| Uuid::new_v4().to_string())
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// A panic while a request is served is remembered by its place, for that request's log line; its words could hold what
/// no log may. Any other panic is told as usual.
fn remember_panics() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            if RequestId::current().is_empty() {
                return usual(panicked);
            }
            PANIC_PLACE.set(panicked.location().map(ToString::to_string));
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use axum::{body::Body, http::StatusCode, routing::get};
    use tower::ServiceExt;

    async fn panicking() -> &'static str {
        panic!("a secret")
    }

    #[tokio::test]
    async fn a_panic_is_a_500_problem_and_the_next_request_works() {
        let settings = Settings::parse(|name| match name {
            "ISSUER" => Some("http://localhost".into()),
            "AWS_REGION" => Some("eu-central-1".into()),
            _ => None,
        });
        let router = Router::new().route("/panic", get(panicking)).route("/fine", get(async || "fine"));
        let router = finish(router, &Platform::new(settings.unwrap(), Clock::system()));
        let call =
            async |path: &str| router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();

        let failed = call("/panic").await;
        assert_eq!(failed.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(failed.headers()[header::CONTENT_TYPE], "application/problem+json");
        let body = axum::body::to_bytes(failed.into_body(), 10_000).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains(r#""code":"internal_error""#) && !text.contains("secret"), "{text}");

        assert_eq!(call("/fine").await.status(), StatusCode::OK);
        assert_eq!(call("/nothing").await.status(), StatusCode::NOT_FOUND);
    }
}
