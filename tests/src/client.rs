//! A stack in memory, or a deployment, and the people who call it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    ops::Deref,
    path::Path,
    time::{Duration, Instant},
};

use chrono::{DateTime, FixedOffset, TimeDelta};
use local::{Data, Entry, Function, Letter, Options, Stack};
use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use shared::crypto::NOBODY;

use crate::deployed::{Deployed, NEEDS_LOCAL};

/// A password that the rules accept.
pub const PASSWORD: &str = "correct-horse-battery";

/// Who is an admin, where a test has one.
const ADMIN: &str = "root@example.com";

/// A moment of an answer, to be compared: as text, that of a whole second comes after those that follow it.
///
/// # Panics
/// Where it is none (RFC 3339).
pub fn moment(text: &Value) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(text.as_str().unwrap_or_default()).unwrap_or_else(|_| panic!("no moment: {text}"))
}

/// A stack of a test's own.
pub struct App {
    place: Place,
    client: Client,
}

enum Place {
    Local(Box<Stack>),
    Deployed(Deployed),
}

/// A response, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

/// What a request cost.
#[derive(Debug)]
pub struct Cost(Entry);

impl Deref for Cost {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        &self.0
    }
}

impl Cost {
    /// Fails where the request took more round trips or capacity than its budget. Calls to the limiter come first and
    /// are not counted.
    pub fn within(&self, round_trips: usize, wru: f64, rru: f64) {
        let cost = (self.round_trips(), self.wru(), self.rru());
        assert!(cost.0 <= round_trips && cost.1 <= wru && cost.2 <= rru, "{cost:?} is over the budget: {self:#?}");
        let free = self.calls.iter().find(|call| call.wru + call.rru < 0.5);
        assert!(!self.calls.is_empty() && free.is_none(), "the ledger does not know what {self:#?} cost");
    }
}

/// Someone who is signed in.
#[derive(Clone, Debug)]
pub struct Member {
    pub email: String,
    pub access_token: String,
    pub refresh_token: String,
    pub id: String,
}

impl Answer {
    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// The problem's code.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The fields that a problem names.
    pub fn refused_fields(&self) -> Vec<String> {
        let errors = self.json()["errors"].clone();
        let fields = errors.as_array().into_iter().flatten().filter_map(|error| error["field"].as_str());
        fields.map(str::to_owned).collect()
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl App {
    /// A stack with the settings that a deployment would have.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A stack with settings of its own.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::on(Data::Memory, settings).await
    }

    /// A stack whose data are in a folder, where the next one finds them.
    pub async fn in_folder(folder: &Path, settings: &[(&str, &str)]) -> Self {
        Self::on(Data::Folder(folder.to_owned()), settings).await
    }

    async fn on(data: Data, settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings: BTreeMap<_, _> = settings.chain([("LOG_LEVEL".to_owned(), "off".to_owned())]).collect();
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let with_admin = settings.get("ADMIN_EMAILS").is_some_and(|admins| admins == ADMIN);
        if let Some(deployed) = Deployed::of_environment(with_admin) {
            let own = matches!(data, Data::Folder(_)) || settings.len() > 1 + usize::from(with_admin);
            assert!(!own, "{NEEDS_LOCAL}settings or data of its own");
            return Self { place: Place::Deployed(deployed), client };
        }
        let options = Options { port: 0, aws_port: 0, data, settings };
        // Boxed: the futures of all that it starts are nested deeper than the compiler follows.
        let stack = Box::pin(Stack::start(options)).await.expect("the stack starts");
        Self { place: Place::Local(Box::new(stack)), client }
    }

    /// The local stack, for what a deployment does not let anyone do.
    fn stack(&self, need: &str) -> &Stack {
        match &self.place {
            Place::Local(stack) => stack,
            Place::Deployed(_) => panic!("{NEEDS_LOCAL}{need}"),
        }
    }

    /// Where the AWS endpoints are.
    pub fn aws_address(&self) -> SocketAddr {
        self.stack("the AWS endpoints").aws_address
    }

    /// A request to a path of the API, to be sent with [`App::send`].
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.address(path))
    }

    /// The address of a path of the API.
    pub fn address(&self, path: &str) -> String {
        match &self.place {
            Place::Local(stack) => format!("http://{}{path}", stack.address),
            Place::Deployed(_) if path.starts_with("/_local") => panic!("{NEEDS_LOCAL}{path}"),
            Place::Deployed(deployed) => deployed.address(path),
        }
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        let mut request = request.build().expect("a request");
        if let Place::Deployed(deployed) = &self.place {
            request = deployed.own(request);
        }
        let response = self.client.execute(request).await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.expect("a body");
        match &self.place {
            Place::Local(_) => Answer { status, headers, text },
            Place::Deployed(deployed) => Answer { status, headers, text: deployed.incoming(&text) },
        }
    }

    /// GET by nobody in particular.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// POST of JSON by nobody in particular.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    /// GET by a member.
    pub async fn get_as(&self, member: &Member, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).bearer_auth(&member.access_token)).await
    }

    /// A stack with an admin, who is signed in.
    pub async fn with_admin(settings: &[(&str, &str)]) -> (Self, Member) {
        let settings: Vec<_> = settings.iter().copied().chain([("ADMIN_EMAILS", ADMIN)]).collect();
        let app = Self::with(&settings).await;
        let admin = app.member(ADMIN).await;
        (app, admin)
    }

    /// PATCH of JSON by a member.
    pub async fn patch_as(&self, member: &Member, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).bearer_auth(&member.access_token).json(&body)).await
    }

    /// DELETE by a member.
    pub async fn delete_as(&self, member: &Member, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path).bearer_auth(&member.access_token)).await
    }

    /// The token behind `mark` in the newest mail to an address that has one.
    pub async fn mailed_token(&self, email: &str, mark: &str) -> String {
        self.further_token(email, mark, "").await
    }

    /// The same, of a mail that has another one than `known`.
    pub async fn further_token(&self, email: &str, mark: &str, known: &str) -> String {
        let token = |letter: &Letter| {
            let rest = letter.text.split(mark).nth(1).filter(|_| letter.to == email)?;
            rest.split_whitespace().next().filter(|token| *token != known).map(str::to_owned)
        };
        let found = match &self.place {
            Place::Local(_) => self.all_letters().await.iter().find_map(token),
            Place::Deployed(deployed) => deployed.await_letter(token).await,
        };
        found.expect("a mail with a link")
    }

    /// The tables of the stack, each dumped whole.
    pub async fn dump(&self) -> String {
        let mut dump = String::new();
        for table in ["UsersTable", "TokensTable", "AttemptsTable", "AuditTable"] {
            let mut start = Value::Null;
            loop {
                let mut request = json!({ "TableName": table });
                if !start.is_null() {
                    request["ExclusiveStartKey"] = start;
                }
                let page = self.dynamodb("Scan", request).await;
                dump += &page["Items"].to_string();
                start = page["LastEvaluatedKey"].clone();
                if start.is_null() {
                    break;
                }
            }
        }
        dump
    }

    /// Adds people, numbered from `first`, past the service. None of them can sign in.
    pub fn load_people(&self, first: u64, count: u64) {
        self.stack("many people").load_people(first, count, NOBODY).expect("people");
    }

    /// Adds people as [`App::load_people`] does, with the hash of a password.
    pub fn load_members(&self, first: u64, count: u64, password_hash: &str) {
        self.stack("many people").load_people(first, count, password_hash).expect("people");
    }

    /// Adds people, and attempts of the first of them, who signs in.
    pub async fn load(&self, people: u64, attempts: u32) -> Member {
        let first = self.stack("many people").load(people, attempts, || {}).await.expect("people and attempts");
        Member::new(&first.email, &self.login(&first.email, &first.password).await)
    }

    /// Gives a member attempts, past the service, one a minute.
    pub fn load_attempts(&self, member: &Member, count: u32) {
        self.load_attempts_apart(member, count, TimeDelta::minutes(1));
    }

    /// The same, so far apart.
    pub fn load_attempts_apart(&self, member: &Member, count: u32, apart: TimeDelta) {
        self.stack("many attempts").load_attempts(member.id.parse().expect("an id"), count, apart).expect("attempts");
    }

    /// The environment of a function's process that takes this stack's AWS endpoints and speaks for its API.
    pub fn environment_of(&self, function: &Function) -> Vec<(String, String)> {
        let endpoint = format!("http://{}", self.aws_address());
        let local = [
            ("ISSUER", self.stack("the issuer").issuer()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ];
        let local = local.map(|(name, value)| (name.to_owned(), value));
        function.environment.clone().into_iter().chain(local).collect()
    }

    /// Opens an entry of the ledger for an invocation past the API.
    pub fn open_entry(&self, trace: &str, request_id: &str) {
        self.stack("the ledger").open_entry(trace, request_id);
    }

    /// What an invocation past the API asked of AWS.
    pub fn entry(&self, request_id: &str) -> Option<Entry> {
        self.stack("the ledger").entry(request_id)
    }

    /// The keys of a bucket's objects, past the service.
    pub fn objects(&self, bucket: &str) -> Vec<String> {
        self.stack("the buckets").objects(bucket)
    }

    /// POST of JSON by a member.
    pub async fn post_as(&self, member: &Member, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).bearer_auth(&member.access_token).json(&body)).await
    }

    /// Registers, without verifying.
    pub async fn register(&self, email: &str) -> Member {
        self.register_with(email, PASSWORD).await
    }

    async fn register_with(&self, email: &str, password: &str) -> Member {
        let answer = self.post("/api/v1/auth/register", json!({ "email": email, "password": password })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        Member::new(email, &answer)
    }

    /// Registers, verifies and logs in.
    pub async fn member(&self, email: &str) -> Member {
        self.member_with(email, PASSWORD).await
    }

    /// Registers with a password, verifies and logs in.
    pub async fn member_with(&self, email: &str, password: &str) -> Member {
        self.register_with(email, password).await;
        let token = self.verification_token(email).await;
        let verified = self.post("/api/v1/auth/verify-email", json!({ "token": token })).await;
        assert_eq!(verified.status, StatusCode::OK, "{}", verified.text);
        let answer = self.login(email, password).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        Member::new(email, &answer)
    }

    /// Logs in.
    pub async fn login(&self, email: &str, password: &str) -> Answer {
        self.post("/api/v1/auth/login", json!({ "email": email, "password": password })).await
    }

    /// Logs in once more.
    pub async fn sign_in(&self, email: &str) -> Member {
        let answer = self.login(email, PASSWORD).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        Member::new(email, &answer)
    }

    /// Makes every DynamoDB call so slow that calls which go out together are seen to overlap.
    pub async fn slow_aws(&self) {
        self.fault(json!({ "service": "dynamodb", "kind": "slow", "milliseconds": 150, "count": 1_000_000 })).await;
    }

    /// Invokes a function with an event, past the API.
    pub async fn invoke(&self, function: &str, event: Value) -> Option<Value> {
        self.stack("functions past the API").invoke(function, event).await
    }

    /// The mails to an address, newest first, once the streams have caught up.
    pub async fn letters(&self, email: &str) -> Vec<Letter> {
        self.all_letters().await.into_iter().filter(|letter| letter.to == email).collect()
    }

    /// Every mail, newest first, once the streams have caught up.
    pub async fn all_letters(&self) -> Vec<Letter> {
        self.stack("all mails, and no more to come");
        let request = self.request(Method::GET, "/_local/mailbox").header("accept", "application/json");
        serde_json::from_str(&self.send(request).await.text).expect("the mailbox")
    }

    /// The token of the newest verification link mailed to an address.
    pub async fn verification_token(&self, email: &str) -> String {
        self.mailed_token(email, "/verify-email?token=").await
    }

    /// A call to DynamoDB, past the service.
    pub async fn dynamodb(&self, operation: &str, body: Value) -> Value {
        let answer = self.aws(&format!("DynamoDB_20120810.{operation}"), body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    }

    /// A call to Secrets Manager, past the service.
    pub async fn secrets(&self, operation: &str, body: Value) -> Answer {
        self.aws(&format!("secretsmanager.{operation}"), body).await
    }

    /// What a secret holds.
    pub async fn secret(&self, name: &str) -> Value {
        let answer = self.secrets("GetSecretValue", json!({ "SecretId": name })).await.json();
        serde_json::from_str(answer["SecretString"].as_str().expect("a text")).expect("JSON")
    }

    async fn aws(&self, target: &str, body: Value) -> Answer {
        let request = self.client.post(format!("http://{}", self.aws_address()));
        let request = request.header("content-type", "application/x-amz-json-1.0").header("x-amz-target", target);
        self.send(request.body(body.to_string())).await
    }

    /// A dump of a table, past the service.
    pub async fn scan(&self, table: &str) -> Value {
        self.dynamodb("Scan", json!({ "TableName": table })).await
    }

    /// The newest reset code mailed to an address, and the token of its link.
    pub async fn reset_secrets(&self, email: &str) -> (String, String) {
        (self.mailed_token(email, "your code is ").await, self.mailed_token(email, "/reset-password?token=").await)
    }

    /// Six digits that are not `code`.
    pub fn other_code(code: &str) -> String {
        format!("{:06}", (code.parse::<u32>().expect("digits") + 1) % 1_000_000)
    }

    /// Moves the service's clock.
    pub async fn advance(&self, seconds: u32) {
        self.set_clock(json!({ "advance_seconds": seconds })).await;
    }

    /// Stops the service's clock: from here on it is only moved.
    pub async fn stop_clock(&self) {
        self.set_clock(json!({ "advance_seconds": 0, "stop": true })).await;
    }

    /// Moves the service's clock into a new day of UTC and stops it: every window of a limit begins, and none is over before the
    /// clock is moved.
    pub async fn begin_day(&self) {
        let now = self.set_clock(json!({ "advance_seconds": 0, "stop": true })).await;
        let day = TimeDelta::days(1).num_seconds();
        let rest = day - now.timestamp().rem_euclid(day);
        self.set_clock(json!({ "advance_seconds": rest })).await;
    }

    async fn set_clock(&self, change: Value) -> DateTime<FixedOffset> {
        self.stack("the clock");
        let moved = self.post("/_local/clock", change).await;
        assert_eq!(moved.status, StatusCode::OK, "{}", moved.text);
        moment(&moved.json()["now"])
    }

    /// Injects a fault, once the streams have caught up: it is meant for what the test does next.
    pub async fn fault(&self, fault: Value) {
        self.stack("faults");
        if fault["count"] != 0 {
            self.all_letters().await;
        }
        let injected = self.post("/_local/faults", fault).await;
        assert_eq!(injected.status, StatusCode::NO_CONTENT, "{}", injected.text);
    }

    /// Has the next transaction wait for longer than it takes to change what it was planned for, once it has [`Self::struck`].
    pub async fn hold_up_a_transaction(&self) {
        self.fault(json!({
            "service": "dynamodb", "operation": "TransactWriteItems", "kind": "slow", "milliseconds": 500, "count": 1,
        }))
        .await;
    }

    /// Waits until every fault that was injected has struck.
    pub async fn struck(&self) {
        let began = Instant::now();
        while self.get("/_local/faults").await.json() != json!([]) {
            assert!(began.elapsed() < Duration::from_secs(20), "a fault has struck nothing");
            tokio::task::yield_now().await;
        }
    }

    /// What the request that was answered so has cost, the limiter's calls apart.
    pub async fn cost(&self, answer: &Answer) -> Cost {
        self.stack("the ledger");
        let path = format!("/_local/ledger?request_id={}", answer.header("x-request-id"));
        let entries: Vec<Entry> = serde_json::from_str(&self.get(&path).await.text).expect("the ledger");
        let mut entry = entries.into_iter().next().expect("an entry of the request");
        entry.calls.retain(|call| call.kind.as_deref() != Some("RATE"));
        Cost(entry)
    }
}

impl Member {
    pub(crate) fn new(email: &str, answer: &Answer) -> Self {
        let body = answer.json();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Self {
            email: email.to_owned(),
            access_token: text(&body["access_token"]),
            refresh_token: text(&body["refresh_token"]),
            id: text(&body["user"]["id"]),
        }
    }
}
