//! Plays AWS on one endpoint: DynamoDB by its target header, Secrets Manager by its, SES by its paths, S3 by its signatures.

pub mod faults;
pub mod mailbox;
pub mod partitions;

mod capacity;
pub mod cloudformation;
mod dynamodb;
mod s3;
mod secrets;
mod ses;

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use bounces::Bounces;
use chrono::Utc;
use lambda_runtime::{Context, LambdaEvent};
use rotation::Rotation;
use serde_json::{Value, json};
use shared::clock::TimeSource;
use tokio::{net::TcpListener, sync::Notify, task::JoinSet};

use crate::{
    Data, StartError,
    clock::MovableClock,
    ledger::{Call, Ledger},
    template::Template,
};
use cloudformation::Told;
use dynamodb::DynamoDb;
use faults::Faults;
use mailbox::Mailbox;
use s3::S3;
use secrets::Secrets;

/// The region that everything is in.
pub const REGION: &str = "eu-central-1";
/// Bytes of the largest request: DynamoDB's own bound.
const LARGEST: usize = 16 * 1024 * 1024;

/// The local AWS.
#[derive(Clone)]
pub struct Aws {
    pub dynamodb: DynamoDb,
    pub mailbox: Mailbox,
    pub faults: Faults,
    pub ledger: Ledger,
    pub written: Written,
    s3: S3,
    secrets: Secrets,
    pub told: Told,
    rotation: Arc<OnceLock<Rotation>>,
    bounces: Arc<OnceLock<Bounces>>,
    clock: MovableClock,
}

/// Tells the streams that something may have been written.
#[derive(Clone, Default)]
pub struct Written {
    pub notify: Arc<Notify>,
    pub count: Arc<AtomicU64>,
}

impl Written {
    fn happened(&self) {
        self.count.fetch_add(1, Ordering::SeqCst);
        self.notify.notify_waiters();
    }
}

/// An answer of an AWS service, with what it cost.
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    pub table: Option<String>,
    pub kind: Option<String>,
    pub wru: f64,
    pub rru: f64,
    /// The connection breaks in place of it.
    pub cut: bool,
}

impl Answer {
    fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body, table: None, kind: None, wru: 0.0, rru: 0.0, cut: false }
    }

    fn refused(status: StatusCode, kind: &str, message: &str) -> Self {
        Self::new(status, json!({ "__type": kind, "message": message }))
    }
}

impl Aws {
    /// Opens the data, makes what is missing, and serves.
    ///
    /// # Errors
    /// Where the data cannot be used.
    pub async fn start(
        data: &Data,
        template: &Template,
        clock: &MovableClock,
        listener: TcpListener,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self, StartError> {
        let aws = Self {
            s3: S3::open(data, template)?,
            secrets: Secrets::open(data, template)?,
            told: Told::default(),
            rotation: Arc::default(),
            bounces: Arc::default(),
            mailbox: Mailbox::open(data)?,
            dynamodb: DynamoDb::start(data, template, clock, tasks).await?,
            faults: Faults::default(),
            ledger: Ledger::default(),
            written: Written::default(),
            clock: clock.clone(),
        };
        let router = Router::new().fallback(answer).layer(DefaultBodyLimit::max(LARGEST)).with_state(aws.clone());
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the local AWS endpoints stopped");
            }
        });
        Ok(aws)
    }

    async fn dispatch(&self, service: &str, operation: &str, trace: Option<&str>, body: &Bytes) -> Answer {
        let Ok(request) = serde_json::from_slice::<Value>(body) else {
            return Answer::refused(StatusCode::BAD_REQUEST, "SerializationException", "not JSON");
        };
        let call = async |request: &Value| self.call(service, operation, request).await;
        self.faults.around((service, operation, trace), request, call).await
    }

    /// The service's present moment.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The keys of a bucket's objects, in alphabetical order.
    pub fn objects(&self, bucket: &str) -> Vec<String> {
        self.s3.objects(bucket)
    }

    /// Answers a call of S3, unless a fault strikes it.
    async fn object(&self, began: Instant, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
        let operation = method.as_str().to_owned();
        let trace = headers.get("x-amzn-trace-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut response = None;
        let call = async |_: &Value| {
            let answered = self.s3.call(method, uri, headers, body).await;
            let status = answered.status();
            response = Some(answered);
            Answer::new(status, Value::Null)
        };
        let root = trace.as_deref().map(trace_root);
        let answer = self.faults.around(("s3", &operation, root), Value::Null, call).await;
        let call = Call {
            service: "s3".to_owned(),
            operation,
            table: None,
            kind: None,
            status: answer.status.as_u16(),
            wru: 0.0,
            rru: 0.0,
            began_us: 0,
            ended_us: 0,
        };
        self.ledger.note(root, began, call);
        match response {
            _ if answer.cut => broken(),
            Some(response) if answer.status == response.status() => response,
            _ => s3::failure(answer.status),
        }
    }

    /// Takes the function that rotates secrets.
    pub fn adopt(&self, rotation: Rotation) {
        // A stack has one; a second is never made.
        drop(self.rotation.set(rotation));
    }

    /// Takes the function that is told of bounces and complaints.
    pub fn tell(&self, bounces: Bounces) {
        drop(self.bounces.set(bounces));
    }

    /// The four steps, one after the other. AWS takes its time for them; here the answer says how they went.
    async fn rotate(&self, request: &Value) -> Answer {
        let refused = |reason: &str| Answer::refused(StatusCode::BAD_REQUEST, "InvalidRequestException", reason);
        let Some(rotation) = self.rotation.get() else { return refused("nothing rotates secrets yet") };
        let (secret, token) = (&request["SecretId"], &request["ClientRequestToken"]);
        for step in ["createSecret", "setSecret", "testSecret", "finishSecret"] {
            let event = json!({ "Step": step, "SecretId": secret, "ClientRequestToken": token });
            if let Err(error) = rotation.handle(LambdaEvent::new(event, Context::default())).await {
                return refused(&error.to_string());
            }
        }
        self.secrets.call("RotateSecret", request, self.clock.now())
    }

    /// What became of a mail is told by events, as far as its configuration set says so.
    async fn tell_of_mail(&self, request: &Value) {
        let event = ses::simulated(request).filter(|_| request["ConfigurationSetName"].is_string());
        let (Some(event), Some(bounces)) = (event, self.bounces.get()) else { return };
        if let Err(error) = bounces.handle(LambdaEvent::new(event, Context::default())).await {
            tracing::error!(%error, "a bounce or complaint is not noted");
        }
    }

    async fn call(&self, service: &str, operation: &str, request: &Value) -> Answer {
        match service {
            "dynamodb" => {
                let answer = self.dynamodb.call(operation, request.clone()).await;
                self.written.happened();
                answer
            }
            "secretsmanager" if operation == "RotateSecret" => self.rotate(request).await,
            "secretsmanager" => self.secrets.call(operation, request, self.clock.now()),
            "ses" => {
                let answer = ses::call(&self.mailbox, operation, request, self.clock.now());
                self.tell_of_mail(request).await;
                answer
            }
            _ => Answer::refused(StatusCode::BAD_REQUEST, "UnknownOperationException", "not played here"),
        }
    }
}

async fn answer(State(aws): State<Aws>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let began = Instant::now();
    if uri.path() == cloudformation::PATH {
        aws.told.note(&body);
        return StatusCode::OK.into_response();
    }
    if s3::is_for(&uri, &headers) {
        return aws.object(began, method, uri, headers, body).await;
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (service, operation) = named(text("x-amz-target"), &uri);
    let trace = text("x-amzn-trace-id").map(trace_root);
    let answer = if elsewhere(service, text("authorization")) {
        Answer::refused(StatusCode::BAD_REQUEST, "ResourceNotFoundException", "not in this region")
    } else {
        aws.dispatch(service, &operation, trace, &body).await
    };
    let call = Call {
        service: service.to_owned(),
        operation,
        table: answer.table.clone(),
        kind: answer.kind.clone(),
        status: answer.status.as_u16(),
        wru: answer.wru,
        rru: answer.rru,
        began_us: 0,
        ended_us: 0,
    };
    aws.ledger.note(trace, began, call);
    if answer.cut {
        return broken();
    }
    let content_type = if service == "dynamodb" { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" };
    let mut response = (answer.status, [(header::CONTENT_TYPE, content_type)], answer.body.to_string()).into_response();
    let kind = answer.body["__type"].as_str().and_then(|kind| kind.rsplit('#').next()?.parse().ok());
    if let Some(kind) = kind.filter(|_| service == "ses") {
        response.headers_mut().insert("x-amzn-errortype", kind);
    }
    response
}

/// Whether a call is signed for another region (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>):
/// a DynamoDB and a Secrets Manager that hold nothing of ours.
fn elsewhere(service: &str, authorization: Option<&str>) -> bool {
    let scope = authorization.and_then(|text| text.split_once("Credential=")).map(|(_, scope)| scope);
    let region = scope.and_then(|scope| scope.split('/').nth(2));
    matches!(service, "dynamodb" | "secretsmanager") && region.is_some_and(|region| region != REGION)
}

/// The beginning of an answer, and then an end of the connection.
fn broken() -> Response {
    let cut = futures_util::stream::once(async { Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset)) });
    Response::new(Body::from_stream(cut))
}

/// `Root=1-…;Parent=…;Sampled=…` without what differs from call to call.
fn trace_root(trace: &str) -> &str {
    trace.split(';').next().unwrap_or(trace)
}

fn named<'a>(target: Option<&'a str>, uri: &Uri) -> (&'a str, String) {
    match target.and_then(|target| target.split_once('.')) {
        Some((prefix, operation)) if prefix.starts_with("DynamoDB_") => ("dynamodb", operation.to_owned()),
        Some(("secretsmanager", operation)) => ("secretsmanager", operation.to_owned()),
        _ if uri.path() == "/v2/email/outbound-emails" => ("ses", "SendEmail".to_owned()),
        _ => ("unknown", uri.path().to_owned()),
    }
}

/// The present moment of a request to SES is the service's.
pub(crate) type Moment = chrono::DateTime<Utc>;
