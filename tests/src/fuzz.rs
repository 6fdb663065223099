//! What reads bytes from outside, each as a function that takes any. libFuzzer calls them (`tests/fuzz`), and the ordinary tests
//! do, with every input that is kept there.

use std::{str, sync::LazyLock};

use data_encoding::BASE64;
use serde_json::{Value, json};
use shared::domain::{Device, EmailAddress, Identifier};
use tokio::runtime::{Builder, Runtime};

use crate::client::{App, Member};

/// Limits so wide that none is met.
const SETTINGS: [(&str, &str); 5] = [
    ("RATE_IP_PER_MINUTE", "1000000"),
    ("RATE_LOGIN_PER_MINUTE", "1000000"),
    ("RATE_REGISTER_PER_HOUR", "1000000"),
    ("RATE_RESET_PER_HOUR", "1000000"),
    ("RATE_RESET_PER_DAY", "1000000"),
];

/// What takes any bytes.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its folder of inputs.
pub const TARGETS: [(&str, Target); 8] = [
    ("body", body),
    ("cursor", cursor),
    ("email", email),
    ("event", event),
    ("image", image),
    ("multipart", multipart),
    ("token", token),
    ("user_agent", user_agent),
];

/// Every path that takes a cursor.
const WITH_CURSOR: [&str; 5] = [
    "attempts /api/v1/attempts/me",
    "attempts /api/v1/attempts/me/questions",
    "users /api/v1/users",
    "users /api/v1/admin/audit",
    "users /api/v1/users/search?q=anna",
];

/// What takes a JSON body, but for what hashes passwords: thousands of inputs a second would become fifty.
const WITH_BODY: [&str; 8] = [
    "attempts POST /api/v1/attempts/",
    "auth POST /api/v1/auth/verify-email",
    "auth POST /api/v1/auth/verify-reset-code",
    "users PATCH /api/v1/users/me",
    "users PATCH /api/v1/users/me/profile",
    "users PATCH /api/v1/users/me/preferences",
    "users POST /api/v1/users/me/upgrade",
    "users POST /api/v1/users",
];

/// Gives `bytes` to the target of that name.
///
/// # Panics
/// Where there is none, or where what reads them does not do as it should.
pub fn call(name: &str, bytes: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target of that name");
    target(bytes);
}

/// Headers of an event that name the address, and that no client can write.
const OF_THE_GATEWAY: [&str; 2] = ["host", "x-forwarded-proto"];

/// A stack that is fed, and someone who may do everything in it.
struct Fed {
    runtime: Runtime,
    app: App,
    admin: Member,
}

static FED: LazyLock<Fed> = LazyLock::new(|| {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let (app, admin) = runtime.block_on(App::with_admin(&SETTINGS));
    Fed { runtime, app, admin }
});

impl Fed {
    /// What the function answers; nothing where it cannot read the event. Whatever it was sent, it is not the service's fault.
    fn invoke(&self, function: &str, event: Value) -> Option<Value> {
        let answer = self.runtime.block_on(self.app.invoke(function, event.clone()));
        let status = answer.as_ref().and_then(|answer| answer["statusCode"].as_u64()).unwrap_or_default();
        assert!(status < 500, "{function} answered {answer:?} to {event}");
        answer
    }

    /// A request of the admin's.
    fn ask(&self, function: &str, method: &str, path: &str, query: &str, content: (&str, &[u8])) -> Option<Value> {
        let authorization = format!("Bearer {}", self.admin.access_token);
        self.invoke(function, request(method, path, query, &authorization, content))
    }
}

/// Payload 2.0 of an HTTP API.
fn request(method: &str, path: &str, query: &str, authorization: &str, (kind, body): (&str, &[u8])) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": { "authorization": authorization, "content-type": kind, "user-agent": "fuzz" },
        "requestContext": {
            "accountId": "000000000000", "apiId": "fuzz", "domainName": "localhost", "domainPrefix": "localhost",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "fuzz" },
            "requestId": "fuzz", "routeKey": "$default", "stage": "$default",
            "time": "21/Nov/2026:09:00:00 +0000", "timeEpoch": 1_795_251_600_000_u64,
        },
        "body": BASE64.encode(body), "isBase64Encoded": true,
    })
}

/// One of `all`, by the first byte, and the bytes behind it.
fn chosen<'a, T: Copy>(all: &[T], bytes: &'a [u8]) -> Option<(T, &'a [u8])> {
    let (first, rest) = bytes.split_first()?;
    all.get(usize::from(*first) % all.len()).map(|one| (*one, rest))
}

fn status(answer: &Option<Value>) -> u64 {
    answer.as_ref().and_then(|answer| answer["statusCode"].as_u64()).unwrap_or_default()
}

/// A JSON body; the first byte chooses whose.
fn body(bytes: &[u8]) {
    let Some((route, body)) = chosen(&WITH_BODY, bytes) else { return };
    let mut words = route.split(' ');
    let (Some(function), Some(method), Some(path)) = (words.next(), words.next(), words.next()) else { return };
    FED.ask(function, method, path, "", ("application/json", body));
}

/// Where a page begins; the first byte chooses of what.
fn cursor(bytes: &[u8]) {
    let Some((route, cursor)) = chosen(&WITH_CURSOR, bytes) else { return };
    let Some((function, path)) = route.split_once(' ') else { return };
    let position = data_encoding::BASE64URL_NOPAD.encode(cursor);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    FED.ask(function, "GET", path, &format!("{query}&cursor={position}"), ("", b""));
}

/// An address has one spelling, and finds whom it belongs to.
fn email(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(email) = EmailAddress::parse(text) {
        assert_eq!(EmailAddress::parse(email.as_str()).as_ref().map(EmailAddress::as_str), Ok(email.as_str()));
        let identifier = Identifier::parse(text).map(|identifier| identifier.as_str().to_owned());
        assert_eq!(identifier.as_deref(), Ok(email.as_str()));
    } else if let Ok(identifier) = Identifier::parse(text) {
        let again = Identifier::parse(identifier.as_str()).map(|identifier| identifier.as_str().to_owned());
        assert_eq!(again.as_deref(), Ok(identifier.as_str()));
    }
}

/// An event, as API Gateway hands it to a function of the API or to the authorizer, which lets nobody in for it. What API Gateway
/// writes itself, whatever a client sends, is as it writes it: lambda_http panics at an address that is none, and at what is no base64.
fn event(bytes: &[u8]) {
    let Ok(mut event) = serde_json::from_slice::<Value>(bytes) else { return };
    if let Some(headers) = event.get_mut("headers").and_then(Value::as_object_mut) {
        headers.retain(|name, _| !OF_THE_GATEWAY.iter().any(|own| name.eq_ignore_ascii_case(own)));
        headers.extend(
            OF_THE_GATEWAY.map(|own| (own.to_owned(), json!(if own == "host" { "localhost" } else { "https" }))),
        );
    }
    if let Some(name) = event.pointer_mut("/requestContext/domainName").filter(|name| name.is_string()) {
        *name = "localhost".into();
    }
    let body = event["body"].as_str().filter(|_| event["isBase64Encoded"] == true);
    if let Some(body) = body.filter(|body| BASE64.decode(body.as_bytes()).is_err()) {
        event["body"] = BASE64.encode(body.as_bytes()).into();
    }
    if event["rawPath"].as_str().is_some_and(|path| !path.starts_with('/')) {
        return;
    }
    for function in ["attempts", "auth", "avatars", "system", "users"] {
        FED.invoke(function, event.clone());
    }
    if let Some(answer) = FED.invoke("authorizer", event) {
        assert!(answer["isAuthorized"] != true && !answer.to_string().contains("\"Allow\""), "{answer}");
    }
}

/// A picture.
fn image(bytes: &[u8]) {
    FED.ask("avatars", "POST", "/api/v1/users/me/avatar", "", ("image/png", bytes));
}

/// A form around a file.
fn multipart(bytes: &[u8]) {
    FED.ask("avatars", "POST", "/api/v1/users/me/avatar", "", ("multipart/form-data; boundary=b", bytes));
}

/// A token that nobody gave out opens nothing, wherever it is shown.
fn token(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let me = request("GET", "/api/v1/auth/me", "", &format!("Bearer {text}"), ("", b""));
    // What can be no header never comes this far.
    let answer = FED.invoke("auth", me);
    assert!(answer.is_none() || status(&answer) == 401, "{text:?}: {answer:?}");
    for (path, field) in [("refresh", "refresh_token"), ("verify-email", "token"), ("undo-email-change", "token")] {
        let body = json!({ field: text }).to_string();
        let answer =
            FED.ask("auth", "POST", &format!("/api/v1/auth/{path}"), "", ("application/json", body.as_bytes()));
        assert!(matches!(status(&answer), 400 | 401 | 422), "{path} {text:?}: {answer:?}");
    }
    let mut bare = request("GET", "/", "", &format!("Bearer {text}"), ("", b""));
    bare["type"] = json!("REQUEST");
    let answer = FED.invoke("authorizer", bare).unwrap_or_default();
    assert!(answer["isAuthorized"] != true, "{text:?}: {answer}");
}

/// Any browser has a kind and a name.
fn user_agent(bytes: &[u8]) {
    let device = Device { ip_address: None, user_agent: Some(String::from_utf8_lossy(bytes).into_owned()) };
    assert!(!device.name().is_empty() && !device.kind().is_empty());
    assert!(device.browser().is_none_or(|browser| device.name().contains(&browser)));
}
