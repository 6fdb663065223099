//! Every binary under the Lambda Runtime API, as on AWS: started on its own, given one event, asked for its answer.

use std::{fs, path::PathBuf, process::Command, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::State,
    http::{HeaderName, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use local::{TEMPLATE, Template};
use serde_json::Value;
use tests::{client::App, derived::root};
use tokio::{net::TcpListener, sync::Mutex, sync::mpsc, time::timeout};

/// The Runtime API: hands out one event, and passes the answer on.
#[derive(Clone)]
struct Runtime {
    events: Arc<Mutex<Vec<String>>>,
    answers: mpsc::Sender<String>,
}

async fn next(State(runtime): State<Runtime>) -> impl IntoResponse {
    let Some(event) = runtime.events.lock().await.pop() else { std::future::pending().await };
    let headers = [
        ("lambda-runtime-aws-request-id", "00000000-0000-4000-8000-000000000000"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:000000000000:function:test"),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000"),
    ];
    (StatusCode::OK, headers.map(|(name, value)| (HeaderName::from_static(name), value)), event)
}

async fn answered(State(runtime): State<Runtime>, body: String) -> StatusCode {
    runtime.answers.send(body).await.expect("someone waits");
    StatusCode::ACCEPTED
}

/// Builds the functions' binaries beside this test; cargo has all of them but the last step already.
fn binaries() -> PathBuf {
    let built = Command::new(env!("CARGO")).args(["build", "--workspace", "--bins"]).current_dir(root()).status();
    assert!(built.expect("cargo runs").success());
    let test = std::env::current_exe().expect("this test is a file");
    test.ancestors().nth(2).expect("target/<profile>/deps/<test>").to_owned()
}

/// What the function answers to the event under the Runtime API.
async fn run(binary: PathBuf, settings: Vec<(String, String)>, event: Value) -> Value {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let (answers, mut receiver) = mpsc::channel(1);
    let runtime = Runtime { events: Arc::new(Mutex::new(vec![event.to_string()])), answers };
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
        .with_state(runtime);
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut function = tokio::process::Command::new(&binary)
        .env_clear()
        .envs(settings)
        .env("AWS_LAMBDA_RUNTIME_API", address)
        .env("AWS_LAMBDA_FUNCTION_NAME", binary.file_name().expect("a name"))
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .kill_on_drop(true)
        .spawn()
        .expect("the binary starts");
    let answer =
        timeout(Duration::from_secs(30), receiver.recv()).await.expect("an answer in time").expect("an answer");
    function.kill().await.expect("the binary stops");
    serde_json::from_str(&answer).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_answers_an_event_under_the_runtime_api() {
    let app = App::start().await;
    let folder = tokio::task::spawn_blocking(binaries).await.expect("the build ends");
    let cases = [
        ("auth", "register", 201),
        ("users", "is_admin", 401),
        ("attempts", "summary", 401),
        ("avatars", "avatar", 401),
        ("system", "readyz", 200),
    ];
    for function in Template::parse(TEMPLATE).expect("a template").functions() {
        let mut settings: Vec<(String, String)> = function.environment.into_iter().collect();
        let endpoint = format!("http://{}", app.aws_address());
        let local = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ENDPOINT_URL", &endpoint),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
        ];
        settings.extend(local.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let waking = if function.binary == "mailer" { "registered" } else { "every_minute" };
        let (name, expected) =
            cases.iter().find(|case| case.0 == function.binary).map_or((waking, 0), |case| (case.1, case.2));
        let event =
            fs::read_to_string(root().join(format!("events/{}/{name}.json", function.binary))).expect("an event");
        let answer = run(folder.join(&function.binary), settings, serde_json::from_str(&event).expect("JSON")).await;
        if function.binary == "janitor" {
            assert_eq!(answer["batchItemFailures"], serde_json::json!([]));
        } else if function.binary == "mailer" {
            assert_eq!(answer["batchItemFailures"], serde_json::json!([]));
            assert_eq!(app.letters("alice@example.com").await.len(), 2, "one from registering, one from the event");
        } else {
            assert_eq!(answer["statusCode"], expected, "{} {answer}", function.binary);
        }
    }
}
