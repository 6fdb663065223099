//! Starts every function of the template in this process, behind the adapter that Lambda would call.

use std::collections::HashMap;

use axum::Router;
use lambda_http::{Adapter, Context, LambdaEvent, Service, request::LambdaRequest};
use mailer::Mailer;
use serde_json::Value;
use shared::{Platform, clock::Clock, http};

use crate::{Overrides, StartError, template::Template};

/// A function of the API.
#[derive(Clone)]
pub struct HttpFunction {
    binary: String,
    router: Router,
}

impl HttpFunction {
    /// Invokes it through the same adapter as under Lambda; the answer is the JSON that Lambda would be given.
    pub async fn invoke(self, event: LambdaEvent<LambdaRequest>) -> Option<Value> {
        // The adapter itself cannot cross threads, the future that it makes can. A router is always ready.
        let answered = Adapter::from(self.router).call(event);
        serde_json::to_value(answered.await.ok()?).ok()
    }
}

/// The running functions, those behind the API by their logical id.
#[derive(Clone)]
pub struct Functions {
    pub http: HashMap<String, HttpFunction>,
    pub mailer: Mailer,
}

impl Functions {
    /// Invokes the function of that binary with an event; nothing where it fails.
    pub async fn invoke(&self, binary: &str, event: Value) -> Option<Value> {
        if binary == "mailer" {
            let event = LambdaEvent::new(serde_json::from_value(event).ok()?, Context::default());
            return serde_json::to_value(self.mailer.handle(event).await.ok()?).ok();
        }
        let (_, function) = self.http.iter().find(|(_, function)| function.binary == binary)?;
        function.clone().invoke(LambdaEvent::new(serde_json::from_value(event).ok()?, Context::default())).await
    }
}

/// Starts the functions of `template`.
///
/// # Errors
/// Where one does not start, or is not known here.
pub async fn start(template: &Template, overrides: &Overrides, clock: &Clock) -> Result<Functions, StartError> {
    let mut routers = HashMap::new();
    let mut mailer = None;
    for function in template.functions() {
        let settings = overrides.settings(&function)?;
        shared::telemetry::start(&settings);
        let platform = Platform::new(settings, clock.clone());
        let name = function.binary.as_str();
        let failed =
            |error: lambda_http::Error| StartError::Function { function: name.to_owned(), reason: error.to_string() };
        if name == "mailer" {
            mailer = Some(Mailer::load(&platform).await.map_err(failed)?);
            continue;
        }
        let router = router(name, &platform).await.map_err(failed)?;
        routers.insert(function.logical_id.clone(), HttpFunction { binary: name.to_owned(), router });
    }
    let mailer = mailer.ok_or_else(|| StartError::Template("it has no function mailer".into()))?;
    Ok(Functions { http: routers, mailer })
}

async fn router(name: &str, platform: &Platform) -> Result<Router, lambda_http::Error> {
    let settings = &platform.settings;
    Ok(match name {
        "attempts" => http::finish(attempts::router(attempts::State::load(platform).await?), settings),
        "auth" => http::finish(auth::router(auth::State::load(platform).await?), settings),
        "system" => http::observed(system::router(system::State::load(platform)?), settings),
        "users" => http::finish(users::router(users::State::load(platform).await?), settings),
        unknown => return Err(format!("the local stack does not know the function {unknown}").into()),
    })
}
