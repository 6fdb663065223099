//! Payload 2.0 of an HTTP API's Lambda proxy integration, there and back.

use std::{collections::BTreeMap, net::SocketAddr};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use data_encoding::BASE64;
use serde_json::{Value, json};
use shared::clock::TimeSource;

use super::routes::Matched;
use crate::clock::MovableClock;

/// What an event is made of.
pub struct Invocation<'a> {
    pub id: &'a str,
    pub route: &'a Matched,
    pub parts: &'a Parts,
    pub body: &'a Bytes,
    pub peer: SocketAddr,
    pub clock: &'a MovableClock,
}

impl Invocation<'_> {
    /// The event.
    pub fn event(&self) -> Value {
        let Self { id, route, parts, .. } = self;
        let now = self.clock.now();
        let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut event = json!({
            "version": "2.0",
            "routeKey": route.key,
            "rawPath": parts.uri.path(),
            "rawQueryString": parts.uri.query().unwrap_or_default(),
            "headers": self.headers(),
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "local",
                "domainName": "localhost",
                "domainPrefix": "localhost",
                "http": {
                    "method": parts.method.as_str(),
                    "path": parts.uri.path(),
                    "protocol": "HTTP/1.1",
                    "sourceIp": self.peer.ip().to_string(),
                    "userAgent": agent,
                },
                "requestId": id,
                "routeKey": route.key,
                "stage": "$default",
                "time": now.format("%d/%b/%Y:%H:%M:%S %z").to_string(),
                "timeEpoch": now.timestamp_millis(),
            },
            "isBase64Encoded": false,
        });
        if !route.parameters.is_empty() {
            event["pathParameters"] =
                route.parameters.iter().cloned().collect::<BTreeMap<_, _>>().into_iter().collect();
        }
        let cookies: Vec<&str> = self.values(&header::COOKIE).flat_map(|value| value.split("; ")).collect();
        if !cookies.is_empty() {
            event["cookies"] = json!(cookies);
        }
        if !self.body.is_empty() {
            let (body, encoded) = self.encoded_body();
            (event["body"], event["isBase64Encoded"]) = (json!(body), json!(encoded));
        }
        event
    }

    fn values<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
        self.parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok())
    }

    /// Names in lower case, several values joined by commas; cookies stand apart. Like API Gateway, which answers for its
    /// own domain only, it writes these four itself, the client's address behind what the client says of it.
    fn headers(&self) -> BTreeMap<String, String> {
        let names = self.parts.headers.keys().filter(|name| **name != header::COOKIE);
        let sent = names.map(|name| (name.as_str().to_owned(), self.values(name).collect::<Vec<_>>().join(",")));
        let (forwarded, peer) = (HeaderName::from_static("x-forwarded-for"), self.peer.ip().to_string());
        let said = self.values(&forwarded);
        let own = [
            ("host", "localhost".to_owned()),
            ("x-forwarded-for", said.chain([peer.as_str()]).collect::<Vec<_>>().join(", ")),
            ("x-forwarded-port", self.peer.port().to_string()),
            ("x-forwarded-proto", "http".to_owned()),
        ];
        sent.chain(own.map(|(name, value)| (name.to_owned(), value))).collect()
    }

    /// Text travels as it is, everything else in base64.
    fn encoded_body(&self) -> (String, bool) {
        let content_type = self.values(&header::CONTENT_TYPE).next().unwrap_or_default();
        let textual =
            content_type.starts_with("text/") || content_type.contains("json") || content_type.contains("xml");
        match std::str::from_utf8(self.body) {
            Ok(text) if textual => (text.to_owned(), false),
            _ => (BASE64.encode(self.body), true),
        }
    }
}

/// The response that a function's answer describes; nothing where it describes none.
pub fn response(answer: &Value) -> Option<Response> {
    let status = StatusCode::from_u16(answer["statusCode"].as_u64()?.try_into().ok()?).ok()?;
    let text = answer["body"].as_str().unwrap_or_default();
    let body =
        if answer["isBase64Encoded"] == true { BASE64.decode(text.as_bytes()).ok()? } else { text.as_bytes().to_vec() };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let name: HeaderName = name.parse().ok()?;
        response.headers_mut().insert(name, HeaderValue::from_str(value.as_str()?).ok()?);
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        response.headers_mut().append(header::SET_COOKIE, HeaderValue::from_str(cookie.as_str()?).ok()?);
    }
    Some(response)
}
