//! The whole service on one machine, with real parts: `cargo run`, and under every test.
//!
//! One listener plays API Gateway and hands payload 2.0 events to the functions' own Lambda adapters. A second one plays
//! AWS: DynamoDB (dynoxide), Secrets Manager and SES. The functions hold no code for any of this.

mod aws;
mod clock;
mod control;
mod files;
mod functions;
mod gateway;
mod ledger;
mod load;
mod schedule;
mod streams;
mod template;

pub use aws::{mailbox::Letter, partitions::Taken};
pub use ledger::{Call, Entry, total};
pub use load::Loaded;
pub use template::{Function, Template};

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use chrono::TimeDelta;
use shared::{clock::Clock, config::Settings};
use thiserror::Error;
use tokio::{net::TcpListener, task::JoinSet};

use clock::MovableClock;

/// The template that is deployed: routes, tables, settings and stream filters come from it.
pub const TEMPLATE: &str = include_str!("../../../template.yaml");

/// Where a stack keeps its data.
#[derive(Clone, Debug)]
pub enum Data {
    Memory,
    Folder(PathBuf),
}

/// How a stack is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Port of the API; 0 takes any that is free.
    pub port: u16,
    /// Port of the AWS endpoints; 0 takes any that is free.
    pub aws_port: u16,
    pub data: Data,
    /// Settings that go before the template's.
    pub settings: BTreeMap<String, String>,
}

/// Why a stack does not start: one clear line each.
#[derive(Debug, Error)]
pub enum StartError {
    #[error("port {port} cannot be used: {reason}")]
    Port { port: u16, reason: String },
    #[error("{path} cannot be used: {reason}")]
    Data { path: String, reason: String },
    #[error("template.yaml: {0}")]
    Template(String),
    #[error("function {function} does not start: {reason}")]
    Function { function: String, reason: String },
    #[error("the local AWS endpoints do not start: {0}")]
    Aws(String),
}

/// A running stack. Dropping it stops everything.
pub struct Stack {
    pub address: SocketAddr,
    pub aws_address: SocketAddr,
    functions: functions::Functions,
    aws: aws::Aws,
    tasks: JoinSet<()>,
}

impl Stack {
    /// Starts the stack; when this returns, it answers.
    ///
    /// # Errors
    /// Where a port, the data folder, the template or a function cannot be used.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let template = Template::parse(TEMPLATE)?;
        let (listener, address) = listen(options.port).await?;
        let (aws_listener, aws_address) = listen(options.aws_port).await?;
        let clock = MovableClock::open(&options.data)?;
        let mut tasks = JoinSet::new();
        let aws = aws::Aws::start(&options.data, &template, &clock, aws_listener, &mut tasks).await?;
        let settings = Overrides::new(&options, address, aws_address);
        let clock_of_functions = Clock::new(clock.clone());
        let rotation = functions::rotation(&template, &settings, &clock_of_functions)?;
        aws.adopt(rotation.clone());
        aws.told.deploy(&template, &rotation, aws_address).await?;
        let functions = functions::start(&template, &settings, &clock_of_functions, rotation).await?;
        aws.tell(functions.bounces.clone());
        let streams = streams::start(&aws, &functions, &template, &options.data, &mut tasks)?;
        let schedule = schedule::Schedule::new(&aws, &template, &clock, functions.janitor.clone());
        schedule.start(&mut tasks);
        let control = control::Control { aws: aws.clone(), clock: clock.clone(), streams, schedule };
        let gateway = gateway::Gateway::new(&template, functions.http.clone(), clock, aws.ledger.clone())?;
        tasks.spawn(gateway::serve(listener, gateway, control::router(control)));
        Ok(Self { address, aws_address, functions, aws, tasks })
    }

    /// Invokes the function of that binary with an event, as `cargo lambda invoke` would; nothing where it fails.
    pub async fn invoke(&self, binary: &str, event: serde_json::Value) -> Option<serde_json::Value> {
        self.functions.invoke(binary, event).await
    }

    /// The address that tokens are issued at.
    pub fn issuer(&self) -> String {
        issuer(self.address)
    }

    /// Opens an entry of the ledger for an invocation that does not come through the gateway; its calls carry the root of its
    /// trace, `Root=<root>`.
    pub fn open_entry(&self, trace: &str, request_id: &str) {
        self.aws.ledger.open(trace, request_id, "invocation");
    }

    /// The ledger's entry of a request.
    pub fn entry(&self, request_id: &str) -> Option<Entry> {
        self.aws.ledger.entries(Some(request_id)).into_iter().next()
    }

    /// The keys of a bucket's objects, in alphabetical order.
    pub fn objects(&self, bucket: &str) -> Vec<String> {
        self.aws.objects(bucket)
    }

    /// Adds people with the hash of one password, numbered from `first`.
    ///
    /// # Errors
    /// Where the database refuses them.
    pub fn load_people(&self, first: u64, count: u64, password_hash: &str) -> Result<(), StartError> {
        load::people(&self.aws.dynamodb.database, first..first + count, password_hash, self.aws.now(), |_| {})
    }

    /// Adds attempts of someone who has none yet, so far apart.
    ///
    /// # Errors
    /// Where the database refuses them.
    pub fn load_attempts(&self, user_id: uuid::Uuid, count: u32, apart: TimeDelta) -> Result<(), StartError> {
        load::attempts(&self.aws.dynamodb.database, user_id, count, apart, self.aws.now(), || {})
    }

    /// Adds people, who can sign in, and attempts of the first of them. `done` is called for each.
    ///
    /// # Errors
    /// Where the database refuses them.
    pub async fn load(&self, people: u64, attempts: u32, done: impl FnMut()) -> Result<Loaded, StartError> {
        load::all(&self.aws.dynamodb.database, people, attempts, self.aws.now(), done).await
    }

    /// Runs until a part of it stops, which none does by itself.
    pub async fn run(mut self) {
        self.tasks.join_next().await;
    }
}

fn issuer(address: SocketAddr) -> String {
    format!("http://localhost:{}", address.port())
}

async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let refused = |error: std::io::Error| StartError::Port { port, reason: error.to_string() };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok((listener, address))
}

/// Settings of a function: the caller's, then what being local means, then the template's.
pub(crate) struct Overrides {
    given: BTreeMap<String, String>,
    local: BTreeMap<&'static str, String>,
}

impl Overrides {
    fn new(options: &Options, address: SocketAddr, aws_address: SocketAddr) -> Self {
        let local = BTreeMap::from([
            ("ISSUER", issuer(address)),
            ("ROOT_LINKS", "Mailbox=/_local/mailbox".to_owned()),
            // Every client of a local stack has the same address.
            ("RATE_IP_PER_MINUTE", "0".to_owned()),
            // Between the lines of the log, metrics are hard to read past.
            ("METRICS_NAMESPACE", String::new()),
            ("AWS_REGION", aws::REGION.to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{aws_address}")),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ]);
        Self { given: options.settings.clone(), local }
    }

    /// The settings of the function that the template describes so.
    pub(crate) fn settings(&self, function: &template::Function) -> Result<Settings, StartError> {
        let lookup = |name: &str| {
            // A shell's own AWS settings are not for this stack.
            let given = if name.starts_with("AWS_") { None } else { self.given.get(name) };
            let given = given.or_else(|| self.local.get(name)).cloned();
            let named = (name == "AWS_LAMBDA_FUNCTION_NAME").then(|| function.binary.clone());
            given.or(named).or_else(|| function.environment.get(name).cloned())
        };
        Settings::parse(lookup)
            .map_err(|error| StartError::Function { function: function.binary.clone(), reason: error.to_string() })
    }
}
