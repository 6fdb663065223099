//! Starts every function of the template in this process, behind the adapter that Lambda would call.

use std::collections::HashMap;

use authorizer::Authorizer;
use aws_lambda_events::streams::DynamoDbEventResponse;
use axum::Router;
use bounces::Bounces;
use janitor::Janitor;
use lambda_http::{Adapter, Context, LambdaEvent, Service, request::LambdaRequest};
use mailer::Mailer;
use rotation::Rotation;
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
    pub janitor: Janitor,
    authorizer: Authorizer,
    rotation: Rotation,
    pub bounces: Bounces,
}

impl Functions {
    /// Invokes the function of that binary with an event; nothing where it fails. Boxed, since the futures of all functions
    /// at once take much of a thread's stack.
    pub async fn invoke(&self, binary: &str, event: Value) -> Option<Value> {
        let context = Context::default();
        if binary == "authorizer" {
            return Box::pin(self.authorizer.handle(LambdaEvent::new(event, context))).await.ok();
        }
        if binary == "rotation" {
            return Box::pin(self.rotation.handle(LambdaEvent::new(event, context))).await.ok().map(Value::from);
        }
        if binary == "bounces" {
            return Box::pin(self.bounces.handle(LambdaEvent::new(event, context))).await.ok().map(Value::from);
        }
        if let Some(consumer) = self.consumer(binary) {
            return serde_json::to_value(Box::pin(consumer.invoke(LambdaEvent::new(event, context))).await.ok()?).ok();
        }
        let (_, function) = self.http.iter().find(|(_, function)| function.binary == binary)?;
        Box::pin(function.clone().invoke(LambdaEvent::new(serde_json::from_value(event).ok()?, context))).await
    }

    /// The function of that binary, where streams wake it.
    pub fn consumer(&self, binary: &str) -> Option<Consumer> {
        match binary {
            "mailer" => Some(Consumer::Mailer(self.mailer.clone())),
            "janitor" => Some(Consumer::Janitor(self.janitor.clone())),
            _ => None,
        }
    }
}

/// A function that streams wake.
#[derive(Clone)]
pub enum Consumer {
    Mailer(Mailer),
    Janitor(Janitor),
}

impl Consumer {
    /// Invokes it with an event.
    ///
    /// # Errors
    /// Where it cannot read the event, or fails.
    pub async fn invoke(&self, event: LambdaEvent<Value>) -> Result<DynamoDbEventResponse, lambda_http::Error> {
        match self {
            Self::Mailer(mailer) => {
                let LambdaEvent { payload, context } = event;
                mailer.handle(LambdaEvent::new(serde_json::from_value(payload)?, context)).await
            }
            Self::Janitor(janitor) => janitor.handle(event).await,
        }
    }
}

/// Starts the function that makes the keys of the others, before them.
///
/// # Errors
/// Where it does not start, or `template` has none.
pub fn rotation(template: &Template, overrides: &Overrides, clock: &Clock) -> Result<Rotation, StartError> {
    let function = template.functions().into_iter().find(|function| function.binary == "rotation");
    let function = function.ok_or_else(|| StartError::Template("it has no function rotation".into()))?;
    let platform = Platform::new(overrides.settings(&function)?, clock.clone());
    Rotation::load(&platform)
        .map_err(|error| StartError::Function { function: function.binary, reason: error.to_string() })
}

/// Starts the functions of `template`.
///
/// # Errors
/// Where one does not start, or is not known here.
pub async fn start(
    template: &Template,
    overrides: &Overrides,
    clock: &Clock,
    rotation: Rotation,
) -> Result<Functions, StartError> {
    let mut routers = HashMap::new();
    let (mut mailer, mut janitor, mut authorizer, mut bounces) = (None, None, None, None);
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
        if name == "rotation" {
            continue;
        }
        if name == "authorizer" {
            authorizer = Some(Authorizer::load(&platform).await.map_err(failed)?);
            continue;
        }
        if name == "bounces" {
            bounces = Some(Bounces::load(&platform).await.map_err(failed)?);
            continue;
        }
        if name == "janitor" {
            janitor = Some(Janitor::load(&platform).map_err(failed)?);
            continue;
        }
        let router = router(name, &platform).await.map_err(failed)?;
        routers.insert(function.logical_id.clone(), HttpFunction { binary: name.to_owned(), router });
    }
    let missing = |name: &str| StartError::Template(format!("it has no function {name}"));
    let mailer = mailer.ok_or_else(|| missing("mailer"))?;
    let janitor = janitor.ok_or_else(|| missing("janitor"))?;
    let authorizer = authorizer.ok_or_else(|| missing("authorizer"))?;
    let bounces = bounces.ok_or_else(|| missing("bounces"))?;
    Ok(Functions { http: routers, mailer, janitor, authorizer, rotation, bounces })
}

async fn router(name: &str, platform: &Platform) -> Result<Router, lambda_http::Error> {
    Ok(match name {
        "attempts" => http::finish(attempts::router(attempts::State::load(platform).await?), platform),
        "avatars" => http::finish(avatars::router(avatars::State::load(platform).await?), platform),
        "auth" => http::finish(auth::router(auth::State::load(platform).await?), platform),
        "system" => http::observed(system::router(system::State::load(platform)?), platform),
        "users" => http::finish(users::router(users::State::load(platform).await?), platform),
        unknown => return Err(format!("the local stack does not know the function {unknown}").into()),
    })
}
