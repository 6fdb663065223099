//! Every binary under the Lambda Runtime API, as on AWS: started on its own, given one event, asked for its answer.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderName, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use local::{Function, TEMPLATE, Template};
use serde_json::{Value, json};
use tests::{
    client::{App, PASSWORD},
    derived::root,
};
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    process::Child,
    sync::{Mutex, mpsc},
    task::JoinHandle,
    time::timeout,
};

/// The Runtime API: hands out events, and passes the answers on.
#[derive(Clone)]
struct Runtime {
    events: Arc<Mutex<mpsc::Receiver<String>>>,
    answers: mpsc::Sender<String>,
    handed_out: Arc<AtomicU64>,
}

async fn next(State(runtime): State<Runtime>) -> impl IntoResponse {
    let Some(event) = runtime.events.lock().await.recv().await else { std::future::pending().await };
    let number = runtime.handed_out.fetch_add(1, Ordering::Relaxed);
    // A new one for each, in the shape of Lambda's.
    let trace = format!("Root=1-00000000-{number:024x};Parent={number:016x};Sampled=0;Lineage=1:00000000:0");
    let headers = [
        ("lambda-runtime-aws-request-id", "00000000-0000-4000-8000-000000000000"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:000000000000:function:test"),
        ("lambda-runtime-trace-id", &trace),
    ];
    (StatusCode::OK, headers.map(|(name, value)| (HeaderName::from_static(name), value.to_owned())), event)
}

async fn answered(State(runtime): State<Runtime>, body: String) -> StatusCode {
    runtime.answers.send(body).await.expect("someone waits");
    StatusCode::ACCEPTED
}

/// Builds the functions' binaries beside this test. With the tests among what is asked for, cargo takes the features that it
/// took for them, and has all but the last step already.
async fn binaries() -> PathBuf {
    let mut build = tokio::process::Command::new(env!("CARGO"));
    let built = build.args(["build", "--workspace", "--bins", "--tests"]).current_dir(root()).status().await;
    assert!(built.expect("cargo runs").success());
    let test = std::env::current_exe().expect("this test is a file");
    test.ancestors().nth(2).expect("target/<profile>/deps/<test>").to_owned()
}

/// The function of that name, as the template describes it.
fn function(name: &str) -> Function {
    let functions = Template::parse(TEMPLATE).expect("a template").functions();
    functions.into_iter().find(|function| function.binary == name).expect("a function")
}

/// The text of an example event.
fn event(path: &str) -> String {
    fs::read_to_string(root().join(format!("events/{path}.json"))).expect("an event")
}

/// A function under its Runtime API. Dropping it stops it.
struct Instance {
    function: Child,
    events: mpsc::Sender<String>,
    answers: mpsc::Receiver<String>,
    log: JoinHandle<String>,
}

impl Instance {
    async fn start(binary: &Path, settings: Vec<(String, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (events, waiting) = mpsc::channel(1);
        let (given, answers) = mpsc::channel(1);
        let runtime = Runtime { events: Arc::new(Mutex::new(waiting)), answers: given, handed_out: Arc::default() };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answered))
            .with_state(runtime);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut function = tokio::process::Command::new(binary)
            .env_clear()
            .envs(settings)
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", binary.file_name().expect("a name"))
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let mut output = function.stdout.take().expect("its output");
        let log = tokio::spawn(async move {
            let mut text = String::new();
            output.read_to_string(&mut text).await.expect("text");
            text
        });
        Self { function, events, answers, log }
    }

    async fn answer(&mut self, event: &Value) -> Value {
        self.events.send(event.to_string()).await.expect("the Runtime API runs");
        let answer = timeout(Duration::from_secs(30), self.answers.recv()).await.expect("an answer in time");
        json_of(&answer.expect("an answer"))
    }

    /// Resident memory, in bytes.
    fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.function.id().expect("it runs")));
        let status = status.expect("the kernel knows it");
        let memory =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok());
        memory.map(|kib: u64| kib * 1024).expect("it has memory")
    }

    /// The lines that it wrote.
    async fn stop(mut self) -> Vec<Value> {
        self.function.kill().await.expect("the binary stops");
        self.log.await.expect("its output").lines().map(json_of).collect()
    }
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"))
}

/// What the function answers to the event under the Runtime API, and the lines that it wrote by then.
async fn run(binary: PathBuf, settings: Vec<(String, String)>, event: Value) -> (Value, Vec<Value>) {
    let mut instance = Instance::start(&binary, settings).await;
    let answer = instance.answer(&event).await;
    (answer, instance.stop().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_function_answers_an_event_under_the_runtime_api() {
    let app = App::start().await;
    let folder = binaries().await;
    let cases = [
        ("auth", "register", 201),
        ("users", "is_admin", 401),
        ("attempts", "summary", 401),
        ("avatars", "avatar", 401),
        ("system", "readyz", 200),
    ];
    for function in Template::parse(TEMPLATE).expect("a template").functions() {
        let settings = app.environment_of(&function);
        let waking = match function.binary.as_str() {
            "mailer" => "registered",
            "authorizer" => "http_2_0",
            "rotation" => "first_keys",
            "bounces" => "bounce",
            _ => "every_minute",
        };
        let (name, expected) =
            cases.iter().find(|case| case.0 == function.binary).map_or((waking, 0), |case| (case.1, case.2));
        let event = event(&format!("{}/{name}", function.binary));
        let event = event.replace("127.0.0.1:8081", &app.aws_address().to_string());
        let (answer, log) = run(folder.join(&function.binary), settings, json_of(&event)).await;
        let first = log.iter().find(|line| line["function"] == function.binary.as_str() && line["cold_start"] == true);
        assert_eq!(first.map(|line| &line["env"]), Some(&json!("dev")), "{log:?}");
        if function.binary == "authorizer" {
            assert_eq!(answer, json!({ "isAuthorized": false }));
        } else if ["bounces", "rotation"].contains(&function.binary.as_str()) {
            assert_eq!(answer, Value::Null);
        } else if function.binary == "janitor" {
            assert_eq!(answer["batchItemFailures"], json!([]));
        } else if function.binary == "mailer" {
            assert_eq!(answer["batchItemFailures"], json!([]));
            assert_eq!(app.letters("alice@example.com").await.len(), 2, "one from registering, one from the event");
        } else {
            assert_eq!(answer["statusCode"], expected, "{} {answer}", function.binary);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invocation_logs_one_line_about_itself_and_what_it_measured() {
    let app = App::start().await;
    app.member("alice@example.com").await;
    let folder = binaries().await;
    let auth = function("auth");
    let event = event("auth/login");
    let refused = Some("invalid_credentials");
    for (password, status, code, metric) in [
        (PASSWORD, 200, None, "LoginsSucceeded"),
        ("a wrong one", 401, refused, "LoginsRefused"),
        ("a wrong one", 401, refused, "LoginsRefused"),
        ("a wrong one", 401, refused, "Locks"),
    ] {
        let mut event = json_of(&event);
        event["body"] = json!({ "email": "alice@example.com", "password": password }).to_string().into();
        let (answer, log) = run(folder.join("auth"), app.environment_of(&auth), event.clone()).await;
        assert_eq!(answer["statusCode"], status);
        let [line] = log.as_slice() else { panic!("one line: {log:#?}") };
        assert_eq!((&line["message"], &line["request_id"]), (&json!("request"), &event["requestContext"]["requestId"]));
        assert_eq!(
            (&line["route"], &line["status"], &line["level"]),
            (&json!("/api/v1/auth/login"), &json!(status), &json!("INFO"))
        );
        assert_eq!(line["code"].as_str(), code);
        assert!(line["duration_ms"].as_f64() > Some(0.0) && line["timestamp"].is_string());

        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!((&directive["Namespace"], &directive["Dimensions"]), (&json!("UserService/local"), &json!([[]])));
        assert!(line["_aws"]["Timestamp"].as_i64() > Some(1_700_000_000_000));
        assert_eq!(line[metric], 1.0);
        let told = directive["Metrics"].as_array().expect("metrics");
        for name in [metric, "ReadUnits", "WriteUnits", "HashingWait", "DerivationKeyAge"] {
            let told = told.iter().any(|metric| metric["Name"] == name);
            assert!(told && line[name].is_number(), "{name}: {line}");
        }
        let age = line["DerivationKeyAge"].as_f64().unwrap_or(f64::NAN);
        assert!((-1.0..3600.0).contains(&age), "seconds since the keys were made, with this stack: {age}");
        let text = format!("{log:?}");
        assert!(!text.contains("alice") && !text.contains(password), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_that_keeps_requests_out_of_the_log_leaves_what_they_measured() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let folder = binaries().await;
    let logged = async |name: &str, of: &str| {
        let mut settings = app.environment_of(&function(name));
        settings.retain(|(name, _)| name != "LOG_LEVEL");
        settings.push(("LOG_LEVEL".to_owned(), "WARN".to_owned()));
        let event = event(&format!("{name}/{of}")).replace("paste-an-access-token-here", &alice.access_token);
        run(folder.join(name), settings, json_of(&event)).await
    };
    let (answer, log) = logged("auth", "me").await;
    assert_eq!(answer["statusCode"], 200);
    let [line] = log.as_slice() else { panic!("one line: {log:#?}") };
    assert_eq!((&line["route"], &line["ReadUnits"]), (&json!("/api/v1/auth/me"), &json!(2.0)));
    assert!(line["_aws"].is_object() && line["message"].is_null() && line["user_id"].is_null(), "{line}");

    let (answer, log) = logged("system", "healthz").await;
    assert!(answer["statusCode"] == 200 && log.is_empty(), "{answer} {log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_logged_with_whom_it_is_of_and_why_it_is_refused() {
    // A window of a day: the binaries have the machine's clock, and a minute may end between two calls.
    const LIMIT: (&str, &str) = ("RATE_RESET_PER_DAY", "1");
    let app = App::with(&[LIMIT]).await;
    let alice = app.member("alice@example.com").await;
    let folder = binaries().await;
    let event = |path: &str| json_of(&event(path));
    let bearer = |mut event: Value, token: &str| {
        event["headers"]["authorization"] = format!("Bearer {token}").into();
        event
    };
    let (signed, _) = alice.access_token.rsplit_once('.').expect("a signature");
    let mut reset = event("auth/password_reset_request");
    reset["body"] = json!({ "email": "alice@example.com" }).to_string().into();
    let mut grant = event("auth/token");
    grant["body"] = "grant_type=refresh_token&refresh_token=rt1_nonsense".into();
    grant["isBase64Encoded"] = false.into();
    let bob = app.register("bob@example.com").await;
    let mut wrong = event("auth/login");
    wrong["body"] = json!({ "email": bob.email, "password": "not the password" }).to_string().into();
    let mut exchange = event("auth/refresh");
    exchange["body"] = json!({ "refresh_token": alice.refresh_token }).to_string().into();
    app.post("/auth/forgot-password", json!({ "email": "alice@example.com" })).await;
    for (name, event, status, code, who) in [
        ("users", bearer(event("users/list_users"), &alice.access_token), 403, Some("forbidden"), json!(alice.id)),
        ("auth", bearer(event("auth/me"), &format!("{signed}.AAAA")), 401, Some("invalid_token"), Value::Null),
        ("auth", reset, 429, Some("too_many_requests"), Value::Null),
        ("auth", grant, 400, Some("invalid_refresh_token"), Value::Null),
        ("auth", wrong, 401, Some("invalid_credentials"), json!(bob.id)),
        ("auth", exchange, 200, None, json!(alice.id)),
    ] {
        let mut settings = app.environment_of(&function(name));
        settings.retain(|(name, _)| name != LIMIT.0);
        settings.push((LIMIT.0.to_owned(), LIMIT.1.to_owned()));
        let (answer, log) = run(folder.join(name), settings, event).await;
        assert_eq!(answer["statusCode"], status, "{answer}");
        let lines: Vec<_> = log.iter().filter(|line| line["message"] == "request").collect();
        let [line] = lines.as_slice() else { panic!("one line: {log:#?}") };
        assert_eq!((&line["status"], &line["code"], &line["user_id"]), (&json!(status), &json!(code), &who));
    }
}

/// Most bytes that an instance may keep of an invocation: twice the 160 that were seen. They are its trace id, which the runtime puts
/// into the environment, where glibc forgets no value that was ever there.
const KEPT: u64 = 320;

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_keeps_nothing_of_its_invocations_but_their_trace_ids() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let folder = binaries().await;
    for (name, path, invocations) in [("authorizer", "authorizer/http_2_0", 10_000), ("auth", "auth/me", 5_000)] {
        let event = json_of(&event(path).replace("paste-an-access-token-here", &alice.access_token));
        let mut instance = Instance::start(&folder.join(name), app.environment_of(&function(name))).await;
        let mut memory_after = async |invocations: u64| {
            for _ in 0..invocations {
                let answer = instance.answer(&event).await;
                assert!(answer["isAuthorized"] == true || answer["statusCode"] == 200, "{answer}");
            }
            instance.memory()
        };
        let warm = memory_after(invocations / 5).await;
        let kept = memory_after(invocations).await.saturating_sub(warm) / invocations;
        assert!(kept <= KEPT, "{name} keeps {kept} bytes of each invocation");
    }
}

/// What a binary prints and how it ends, where it does not even ask for an event.
async fn start(binary: PathBuf, settings: Vec<(String, String)>) -> (bool, String) {
    let started = tokio::process::Command::new(binary)
        .env_clear()
        .envs(settings)
        .env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9")
        .kill_on_drop(true)
        .output();
    let output = timeout(Duration::from_secs(30), started).await.expect("it ends").expect("it starts");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_keys_a_function_does_not_start_and_says_why_in_one_line() {
    let folder = binaries().await;
    let app = App::start().await;
    let cases = [
        ("auth", "SigningKeys"),
        ("auth", "DerivationKeys"),
        ("auth", "PublicKeys"),
        ("users", "DerivationKeys"),
        ("attempts", "PublicKeys"),
        ("avatars", "PublicKeys"),
        ("mailer", "DerivationKeys"),
        ("bounces", "DerivationKeys"),
        ("authorizer", "PublicKeys"),
    ];
    for (name, secret) in cases {
        let mut settings = app.environment_of(&function(name));
        settings.iter_mut().filter(|(_, value)| value == secret).for_each(|(_, value)| *value = "missing".to_owned());
        let (started, told) = start(folder.join(name), settings).await;
        assert!(!started && told.contains("the secret missing cannot be read"), "{name} {secret}: {told}");
        assert_eq!(told.lines().count(), 1, "{name} {secret}: {told}");
    }
    let mut elsewhere = app.environment_of(&function("auth"));
    elsewhere.retain(|(name, _)| name != "AWS_REGION");
    elsewhere.push(("AWS_REGION".to_owned(), "eu-north-1".to_owned()));
    let (started, told) = start(folder.join("auth"), elsewhere).await;
    assert!(!started && told.contains("ResourceNotFoundException") && told.lines().count() == 1, "{told}");
    for (secret, key) in
        [("SigningKeys", "/current/private_key"), ("DerivationKeys", "/current/key"), ("PublicKeys", "/keys/0/n")]
    {
        let mut short = app.secret(secret).await;
        let text = short.to_string();
        let Some(Value::String(key)) = short.pointer_mut(key) else { panic!("{secret} has no {key}") };
        key.remove(key.len() / 2);
        let damaged = ["{}", &text[..text.len() / 2], &short.to_string(), r#"{"keys":[{"kty":"oct","k":"AA"}]}"#];
        for (number, text) in damaged.into_iter().enumerate() {
            let token = format!("0193f0de-0000-4000-8000-{number:012}");
            let put = json!({ "SecretId": secret, "SecretString": text, "ClientRequestToken": token });
            app.secrets("PutSecretValue", put).await;
            let (started, told) = start(folder.join("auth"), app.environment_of(&function("auth"))).await;
            assert!(!started && told.contains("is damaged"), "{secret} {number}: {told}");
            assert_eq!(told.lines().count(), 1, "{told}");
            assert!(!told.contains("PRIVATE"), "{told}");
        }
        // Whole again for the next one.
        let put = json!({ "SecretId": secret, "SecretString": text, "ClientRequestToken": "0193f0de-0000-4000-8000-999999999999" });
        app.secrets("PutSecretValue", put).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_table_missing_or_credentials_run_out_callers_get_a_500_and_the_log_one_line_that_says_why() {
    let app = App::start().await;
    let alice = app.member("alice@example.com").await;
    let folder = binaries().await;
    let attempts = function("attempts");
    let mut event = json_of(&event("attempts/summary"));
    event["headers"]["authorization"] = format!("Bearer {}", alice.access_token).into();
    let missing = |(name, value): (String, String)| match name.as_str() {
        "ATTEMPTS_TABLE" => (name, "NoSuchTable".to_owned()),
        _ => (name, value),
    };
    let without_a_table: Vec<_> = app.environment_of(&attempts).into_iter().map(missing).collect();
    for (settings, reason) in
        [(without_a_table, "ResourceNotFoundException"), (app.environment_of(&attempts), "ExpiredTokenException")]
    {
        if reason == "ExpiredTokenException" {
            app.fault(json!({ "service": "dynamodb", "kind": "expired", "count": 1_000_000 })).await;
        }
        let (answer, log) = run(folder.join("attempts"), settings, event.clone()).await;
        assert_eq!(answer["statusCode"], 500);
        assert!(answer["body"].as_str().is_some_and(|body| body.contains("internal_error") && !body.contains(reason)));
        let errors: Vec<_> = log.iter().filter(|line| line["level"] == "ERROR").collect();
        assert!(errors.len() == 1 && errors[0].to_string().contains(reason), "{log:#?}");
    }
}
