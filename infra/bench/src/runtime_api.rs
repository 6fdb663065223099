//! Functions as Lambda runs them: spawned under a Runtime API, given an event at a time.

use std::{
    path::Path,
    process::Stdio,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{HeaderName, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::Value;
use tokio::{
    io::AsyncReadExt,
    net::TcpListener,
    process::{Child, ChildStdout, Command},
    sync::{Mutex as AsyncMutex, mpsc},
    task::JoinHandle,
    time::timeout,
};

use crate::{Failure, Result, proc};

/// How long an answer may take before the bench gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// An instance of a function. Dropping it stops it.
pub struct Instance {
    name: String,
    child: Child,
    spawned: Instant,
    first_next: Arc<Mutex<Option<Instant>>>,
    events: mpsc::Sender<(String, String)>,
    answers: mpsc::Receiver<(Instant, bool, String)>,
    server: JoinHandle<()>,
    logged: Arc<AtomicU64>,
}

#[derive(Clone)]
struct RuntimeApi {
    first_next: Arc<Mutex<Option<Instant>>>,
    events: Arc<AsyncMutex<mpsc::Receiver<(String, String)>>>,
    answers: mpsc::Sender<(Instant, bool, String)>,
}

impl Instance {
    /// Spawns the binary with these settings, on the given processor where one is given.
    pub async fn spawn(binary: &Path, settings: &[(String, String)], processor: Option<usize>) -> Result<Self> {
        let name = binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (events, waiting) = mpsc::channel(1);
        let (answered, answers) = mpsc::channel(1);
        let first_next = Arc::default();
        let state = RuntimeApi {
            first_next: Arc::clone(&first_next),
            events: Arc::new(AsyncMutex::new(waiting)),
            answers: answered,
        };
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(answer))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(failure))
            .layer(DefaultBodyLimit::disable())
            .with_state(state);
        let server = tokio::spawn(async move {
            // It ends with the instance, and with nothing else.
            let _ = axum::serve(listener, router).await;
        });
        let mut command = match processor {
            Some(processor) => {
                let mut command = Command::new("taskset");
                command.arg("-c").arg(processor.to_string()).arg(binary);
                command
            }
            None => Command::new(binary),
        };
        command
            .env_clear()
            .envs(settings.iter().cloned())
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", &name)
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let spawned = Instant::now();
        let mut child = command.spawn().map_err(|error| Failure(format!("{name} does not start: {error}")))?;
        let logged: Arc<AtomicU64> = Arc::default();
        if let Some(output) = child.stdout.take() {
            tokio::spawn(count(output, Arc::clone(&logged)));
        }
        Ok(Self { name, child, spawned, first_next, events, answers, server, logged })
    }

    /// Hands out an event. Answers with how long that took, and with what the function said.
    pub async fn invoke(&mut self, event: &Value, trace: &str) -> Result<(Duration, Value)> {
        let failed = |reason: String| Failure(format!("{}: {reason}", self.name));
        let text = event.to_string();
        let handed = Instant::now();
        self.events.send((text, trace.to_owned())).await.map_err(|error| failed(error.to_string()))?;
        let answered = timeout(PATIENCE, self.answers.recv()).await.map_err(|_| failed("no answer in time".into()))?;
        let (at, succeeded, body) = answered.ok_or_else(|| failed("it is gone".into()))?;
        if !succeeded {
            return Err(failed(body));
        }
        Ok((at.duration_since(handed), serde_json::from_str(&body)?))
    }

    /// From its spawning to its first request for an event, once there was an answer.
    pub fn to_next(&self) -> Result<Duration> {
        let next = self.first_next.lock().unwrap_or_else(PoisonError::into_inner);
        let next = next.ok_or_else(|| Failure(format!("{} asked for no event", self.name)))?;
        Ok(next.duration_since(self.spawned))
    }

    /// Bytes that it has logged.
    pub fn logged(&self) -> u64 {
        self.logged.load(Ordering::Relaxed)
    }

    /// Since its spawning.
    pub fn age(&self) -> Duration {
        self.spawned.elapsed()
    }

    /// Processor time that it has used, user and system.
    pub fn processor_time(&self) -> Result<Duration> {
        proc::processor_time(self.id()?)
    }

    /// The most memory that it has had, in KiB.
    pub fn peak_rss_kib(&self) -> Result<u64> {
        proc::peak_rss_kib(self.id()?)
    }

    fn id(&self) -> Result<u32> {
        self.child.id().ok_or_else(|| Failure(format!("{} is gone", self.name)))
    }
}

async fn count(mut output: ChildStdout, logged: Arc<AtomicU64>) {
    let mut buffer = vec![0; 65_536];
    while let Ok(bytes @ 1..) = output.read(&mut buffer).await {
        logged.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(State(api): State<RuntimeApi>) -> impl IntoResponse {
    api.first_next.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
    let Some((event, trace)) = api.events.lock().await.recv().await else { std::future::pending().await };
    let headers = [
        ("lambda-runtime-aws-request-id", "00000000-0000-4000-8000-000000000000".to_owned()),
        ("lambda-runtime-deadline-ms", "4102444800000".to_owned()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:000000000000:function:bench".to_owned()),
        ("lambda-runtime-trace-id", trace),
    ];
    (StatusCode::OK, headers.map(|(name, value)| (HeaderName::from_static(name), value)), event)
}

async fn answer(State(api): State<RuntimeApi>, body: String) -> StatusCode {
    told(&api, true, body).await
}

async fn failure(State(api): State<RuntimeApi>, body: String) -> StatusCode {
    told(&api, false, body).await
}

async fn told(api: &RuntimeApi, succeeded: bool, body: String) -> StatusCode {
    // Nobody hears it where the bench has gone on.
    let _ = api.answers.send((Instant::now(), succeeded, body)).await;
    StatusCode::ACCEPTED
}
