//! The service as a process that can be killed, and the way to it.

use std::{
    collections::BTreeMap,
    env,
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use local::{Data, Letter, Options, Stack};
use reqwest::{Client, Method};
use serde_json::{Value, json};

/// Limits so wide that none is met, and logs for nobody.
const SETTINGS: [(&str, &str); 6] = [
    ("RATE_IP_PER_MINUTE", "1000000"),
    ("RATE_LOGIN_PER_MINUTE", "1000000"),
    ("RATE_REGISTER_PER_HOUR", "1000000"),
    ("RATE_RESET_PER_HOUR", "1000000"),
    ("RATE_RESET_PER_DAY", "1000000"),
    ("LOG_LEVEL", "off"),
];
/// How long a killed service may take until it answers again.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the model takes for wrong.
pub type Wrong = String;

/// Runs the service until it is killed.
pub async fn serve(folder: PathBuf, port: u16, aws_port: u16) -> ExitCode {
    let settings: BTreeMap<_, _> = SETTINGS.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    match Stack::start(Options { port, aws_port, data: Data::Folder(folder), settings }).await {
        Ok(stack) => {
            stack.run().await;
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// A process of the service on a folder of its own.
pub struct Service {
    child: Child,
    folder: tempfile::TempDir,
    ports: (u16, u16),
    client: Client,
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer that came.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// A request of a person.
pub struct Request<'a> {
    pub method: Method,
    pub path: &'a str,
    pub body: Value,
    pub token: Option<&'a str>,
    pub key: Option<String>,
    pub trace: String,
}

impl Service {
    pub async fn start() -> Result<Self, Wrong> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let ports = (free_port()?, free_port()?);
        let client = Client::builder().timeout(Duration::from_secs(40)).build().map_err(|error| error.to_string())?;
        let service = Self { child: spawn(&folder, ports)?, folder, ports, client };
        service.ready().await?;
        Ok(service)
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`, beside whatever goes on.
    pub fn strike(&self) {
        // It cannot be dead yet; if it were, the story would go on all the same.
        let _ = Command::new("kill").args(["-9", &self.id().to_string()]).status();
    }

    /// A new process on the folder of the one that was killed.
    pub async fn revive(&mut self) -> Result<(), Wrong> {
        self.child.wait().map_err(|error| error.to_string())?;
        self.child = spawn(&self.folder, self.ports)?;
        self.ready().await
    }

    async fn ready(&self) -> Result<(), Wrong> {
        let began = Instant::now();
        while self.client.get(format!("http://127.0.0.1:{}/healthz", self.ports.0)).send().await.is_err() {
            if began.elapsed() > PATIENCE {
                return Err("the service does not come back".into());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// The answer, or nothing where none came.
    pub async fn ask(&self, request: Request<'_>) -> Option<Answer> {
        let Request { method, path, body, token, key, trace } = request;
        let mut sent = self.client.request(method, format!("http://127.0.0.1:{}{path}", self.ports.0));
        sent = sent.header("x-amzn-trace-id", format!("Root={trace}"));
        if !body.is_null() {
            sent = sent.json(&body);
        }
        if let Some(token) = token {
            sent = sent.bearer_auth(token);
        }
        if let Some(key) = key {
            sent = sent.header("idempotency-key", key);
        }
        let response = sent.send().await.ok()?;
        let status = response.status().as_u16();
        let text = response.text().await.ok()?;
        Some(Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::Null) })
    }

    async fn control(&self, path: &str, body: Value) -> Result<Value, Wrong> {
        let failed = |error: reqwest::Error| format!("{path}: {error}");
        let sent = self.client.post(format!("http://127.0.0.1:{}{path}", self.ports.0)).json(&body).send().await;
        sent.and_then(reqwest::Response::error_for_status).map_err(failed)?.json().await.map_err(failed)
    }

    /// Draws faults from now on; answers with how many were drawn before.
    pub async fn plan(&self, seed: u64, per_mille: u64) -> Result<u64, Wrong> {
        let struck = self.control("/_local/faults/plan", json!({ "seed": seed, "per_mille": per_mille })).await?;
        Ok(struck["struck"].as_u64().unwrap_or_default())
    }

    pub async fn advance(&self, seconds: u32) -> Result<(), Wrong> {
        self.control("/_local/clock", json!({ "advance_seconds": seconds })).await.map(drop)
    }

    /// Every mail, newest first, once the streams have caught up.
    pub async fn letters(&self) -> Result<Vec<Letter>, Wrong> {
        let failed = |error: reqwest::Error| format!("mailbox: {error}");
        let sent = self.client.get(format!("http://127.0.0.1:{}/_local/mailbox", self.ports.0));
        sent.header("accept", "application/json").send().await.map_err(failed)?.json().await.map_err(failed)
    }

    /// All items of a table, past the service.
    pub async fn items(&self, table: &str) -> Result<Vec<Value>, Wrong> {
        let failed = |error: reqwest::Error| format!("{table}: {error}");
        let mut items = Vec::new();
        let mut request = json!({ "TableName": table });
        loop {
            let sent = self.client.post(format!("http://127.0.0.1:{}", self.ports.1));
            let sent = sent.header("content-type", "application/x-amz-json-1.0");
            let sent = sent.header("x-amz-target", "DynamoDB_20120810.Scan").body(request.to_string());
            let mut page: Value = sent.send().await.map_err(failed)?.json().await.map_err(failed)?;
            let found = page["Items"].as_array_mut().ok_or_else(|| format!("{table} cannot be read"))?;
            items.append(found);
            if page["LastEvaluatedKey"].is_null() {
                return Ok(items);
            }
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"].take();
        }
    }
}

fn spawn(folder: &tempfile::TempDir, (port, aws_port): (u16, u16)) -> Result<Child, Wrong> {
    let own = env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(own);
    command.arg("serve").arg(folder.path()).args([port.to_string(), aws_port.to_string()]).stdout(Stdio::null());
    command.spawn().map_err(|error| error.to_string())
}

fn free_port() -> Result<u16, Wrong> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    listener.local_addr().map(|address| address.port()).map_err(|error| error.to_string())
}
