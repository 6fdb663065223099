use serde_json::Value;

/// Names of the query parameter that a WebSocket's token comes in, since a browser cannot send headers there.
const PARAMETERS: [&str; 2] = ["token", "access_token"];

/// What is asked, whichever kind of API asks.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    pub form: Form,
    pub token: Option<String>,
}

/// How the answer has to look.
#[derive(Debug, PartialEq, Eq)]
pub enum Form {
    /// HTTP API, payload 2.0: yes or no.
    Simple,
    /// HTTP API, payload 1.0: a policy, of which a refusal makes 403.
    Policy(Api),
    /// REST and WebSocket APIs: a policy, or the word of which API Gateway makes 401.
    PolicyOrWord(Api),
}

/// The part of an ARN that names an API and its stage. Policies are for all of it: API Gateway keeps a policy for a token,
/// and would hold one route's against the next.
#[derive(Debug, PartialEq, Eq)]
pub struct Api(pub String);

impl Request {
    /// Reads an event; nothing where it is of no form that is known here.
    pub fn read(event: &Value) -> Option<Self> {
        let kind = event["type"].as_str()?;
        if event["version"] == "2.0" {
            let token = header(&event["headers"], "authorization").and_then(bearer);
            return Some(Self { form: Form::Simple, token });
        }
        let arn = event["methodArn"].as_str().or_else(|| event["routeArn"].as_str());
        let api = Api::of(arn?)?;
        match kind {
            "TOKEN" => {
                let token = event["authorizationToken"].as_str().and_then(bearer);
                Some(Self { form: Form::PolicyOrWord(api), token })
            }
            "REQUEST" => {
                let headers = &event["headers"];
                let token = header(headers, "authorization").and_then(bearer);
                if event["version"] == "1.0" {
                    return Some(Self { form: Form::Policy(api), token });
                }
                let connecting = event["requestContext"]["eventType"] == "CONNECT";
                let token = token.or_else(|| connecting.then(|| of_handshake(event)).flatten());
                Some(Self { form: Form::PolicyOrWord(api), token })
            }
            _ => None,
        }
    }
}

impl Api {
    /// `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>` without method and path.
    fn of(arn: &str) -> Option<Self> {
        let mut parts = arn.split('/');
        let (api, stage) = (parts.next()?, parts.next()?);
        api.contains(":execute-api:").then(|| Self(format!("{api}/{stage}")))
    }
}

/// A header, whatever the case of its name.
fn header<'a>(headers: &'a Value, name: &str) -> Option<&'a str> {
    headers.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?.1.as_str()
}

/// The token of `Bearer <token>` (RFC 6750 §2.1).
fn bearer(value: &str) -> Option<String> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// The token of a WebSocket's handshake: of the query string, or the subprotocol that follows `bearer`.
fn of_handshake(event: &Value) -> Option<String> {
    let parameters = &event["queryStringParameters"];
    let in_query = PARAMETERS.iter().find_map(|name| parameters[name].as_str());
    in_query.map(str::to_owned).or_else(|| {
        let mut protocols = header(&event["headers"], "sec-websocket-protocol")?.split(',').map(str::trim);
        protocols.find(|protocol| protocol.eq_ignore_ascii_case("bearer"))?;
        protocols.next().map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ARN: &str = "arn:aws:execute-api:eu-central-1:123456789012:abc/prod/GET/a/b";

    fn token(event: Value) -> Option<String> {
        Request::read(&event).unwrap().token
    }

    #[test]
    fn a_token_in_the_query_counts_for_a_handshake_alone() {
        let handshake = |kind: &str, query: Value, headers: Value| {
            json!({
                "type": "REQUEST", "methodArn": ARN, "headers": headers, "queryStringParameters": query,
                "requestContext": { "eventType": kind },
            })
        };
        let (query, none) = (json!({ "token": "t" }), json!({}));
        assert_eq!(token(handshake("CONNECT", query.clone(), none.clone())).as_deref(), Some("t"));
        assert_eq!(token(handshake("GET", query, none.clone())), None);
        for (protocols, expected) in
            [("bearer, t", Some("t")), ("v1,Bearer,t", Some("t")), ("bearer", None), ("t, bearer", None), ("t", None)]
        {
            let headers = json!({ "Sec-WebSocket-Protocol": protocols });
            assert_eq!(token(handshake("CONNECT", none.clone(), headers)).as_deref(), expected, "{protocols}");
        }
    }

    #[test]
    fn a_policy_is_for_the_whole_api() {
        let event = json!({ "type": "TOKEN", "methodArn": ARN, "authorizationToken": "bearer  t" });
        let api = Api("arn:aws:execute-api:eu-central-1:123456789012:abc/prod".to_owned());
        assert_eq!(Request::read(&event), Some(Request { form: Form::PolicyOrWord(api), token: Some("t".into()) }));
    }

    #[test]
    fn what_is_no_authorizers_event_is_refused() {
        for event in [json!({}), json!([]), json!({ "type": "TOKEN" }), json!({ "type": "TOKEN", "methodArn": "a/b" })]
        {
            assert_eq!(Request::read(&event), None, "{event}");
        }
    }
}
