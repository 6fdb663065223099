use std::collections::BTreeSet;

use local::{TEMPLATE, Template};
use serde_json::Value;
use tests::derived::openapi;

/// Routes of assets that pages load; they are no part of the document.
const ASSETS: [&str; 2] = ["GET /docs/{file}", "GET /redoc/redoc.standalone.js"];

#[test]
fn the_routes_are_the_operations_of_the_document_and_no_others() {
    let document: Value = serde_json::from_str(&openapi()).unwrap();
    let mut operations = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            // A route key cannot end in a slash; a greedy one takes such a path.
            let path = path
                .strip_suffix('/')
                .filter(|prefix| !prefix.is_empty())
                .map_or(path.clone(), |prefix| format!("{prefix}/{{proxy+}}"));
            operations.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let routes = Template::parse(TEMPLATE).unwrap().routes();
    let mut keys: BTreeSet<String> = routes.iter().map(|route| route.key.clone()).collect();
    assert_eq!(keys.len(), routes.len(), "a route stands twice");
    for extra in ASSETS.into_iter().chain(["$default"]) {
        assert!(keys.remove(extra), "{extra} is missing");
    }
    assert_eq!(keys, operations);
}

/// A function that lacks one does not start under `cargo lambda watch`.
#[test]
fn a_function_by_itself_is_told_of_every_table_bucket_and_secret() {
    let told = include_str!("../../infra/local/lambda.env");
    let told: BTreeSet<_> = told.lines().filter_map(|line| line.split_once('=')).collect();
    let mut wanted = BTreeSet::new();
    for function in Template::parse(TEMPLATE).unwrap().functions() {
        let of_the_stack = |name: &String| ["_TABLE", "_BUCKET", "_SECRET"].iter().any(|end| name.ends_with(end));
        wanted.extend(function.environment.into_iter().filter(|(name, value)| of_the_stack(name) && !value.is_empty()));
    }
    for (name, value) in &wanted {
        assert!(told.contains(&(name.as_str(), value.as_str())), "{name}={value}");
    }
}

#[test]
fn every_route_that_takes_credentials_is_throttled_tighter() {
    let routes = Template::parse(TEMPLATE).unwrap().routes();
    let throttled: BTreeSet<String> = TEMPLATE
        .lines()
        .filter(|line| line.contains("ThrottlingRateLimit: !Ref CredentialRequestsPerSecond"))
        .filter_map(|line| line.trim().strip_prefix('"')?.split('"').next().map(str::to_owned))
        .collect();
    let keys: BTreeSet<&str> = routes.iter().map(|route| route.key.as_str()).collect();
    assert!(throttled.iter().all(|key| keys.contains(key.as_str())), "{throttled:?}");
    // API Gateway refuses a stage that has settings for a route which is not there yet.
    let lists = TEMPLATE.lines().filter_map(|line| line.trim().strip_prefix("DependsOn: [")?.strip_suffix(']'));
    let awaited: BTreeSet<&str> = lists.flat_map(|list| list.split(", ")).collect();
    for key in &throttled {
        let line = TEMPLATE.lines().find(|line| line.contains(&format!("RouteKey: \"{key}\""))).unwrap();
        assert!(awaited.contains(line.trim().split(':').next().unwrap()), "the stage does not wait for {key}");
    }
    let document: Value = serde_json::from_str(&openapi()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            // Whatever can answer that a password, a code or a token is wrong, or that there were too many tries.
            let limited = !operation["responses"]["429"].is_null();
            let key = format!("{} {path}", method.to_uppercase());
            assert!(!limited || method != "post" || throttled.contains(&key), "{key}");
        }
    }
}

#[test]
fn a_route_stands_on_one_line() {
    let lines = TEMPLATE.lines().filter(|line| line.contains("AWS::ApiGatewayV2::Route"));
    assert!(lines.clone().all(|line| line.contains("RouteKey:") && line.contains("Target:")));
    assert_eq!(lines.count(), Template::parse(TEMPLATE).unwrap().routes().len());
}

#[test]
fn the_streams_filters_let_through_what_their_functions_handle() {
    let functions = Template::parse(TEMPLATE).unwrap().functions();
    for (binary, handled) in [("mailer", mailer::EVENTS), ("janitor", janitor::EVENTS)] {
        let function = functions.iter().find(|function| function.binary == binary).unwrap();
        let stream = function.streams.iter().find(|stream| stream.table == "UsersTable").unwrap();
        let events = &stream.patterns[0]["dynamodb"]["NewImage"]["ev"]["S"];
        let listed: Vec<&str> = events.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let handled: Vec<&str> = handled.iter().map(|event| event.as_str()).collect();
        assert_eq!(listed, handled, "{binary}");
    }
}

/// What a statement on one line allows.
fn actions(line: &str) -> Vec<&str> {
    let list = line.split(" Action: [").nth(1).and_then(|rest| rest.split(']').next()).unwrap_or_default();
    list.split(", ").filter_map(|action| action.strip_prefix('"')?.strip_suffix('"')).collect()
}

#[test]
fn no_function_may_touch_whatever_there_is() {
    let given = TEMPLATE.lines().filter(|line| line.contains(" Action: ") && !line.contains("Principal"));
    let mut count = 0;
    for line in given {
        let actions = actions(line);
        assert!(!actions.is_empty(), "{line}");
        for action in &actions {
            let (service, name) = action.split_once(':').unwrap();
            assert!([service, name].iter().all(|word| word.chars().all(char::is_alphanumeric)), "{line}");
        }
        let anywhere = line.contains("Resource: \"*\"");
        assert!(!anywhere || actions == ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "{line}");
        let on_the_trail = ["dynamodb:PutItem", "dynamodb:Query", "dynamodb:DescribeTable"];
        let trail = line.contains("AuditTable");
        // A key that has no item tells whether the table answers, and nothing of what is in it.
        let probes = line.contains(r#"{ "ForAllValues:StringEquals": { "dynamodb:LeadingKeys": [PROBE] } }"#);
        let fits = |action: &&str| on_the_trail.contains(action) || (probes && *action == "dynamodb:GetItem");
        assert!(!trail || actions.iter().all(fits), "the trail is only added to: {line}");
        count += 1;
    }
    assert!(count > 50, "{count}");
    // Beside whole resources: identities to write to, tables' streams, rows of an index, objects below a folder, items of a kind; traces know no resources.
    let parts =
        ["identity/*", "/stream/*", "/index/*", "/avatars/*", "/exports/*", "COUNTER#*", "DEAD#*", "MAIL#*", "USER#*"];
    let names = |line: &&str| line.contains("Resource:") || line.trim_start().starts_with("- !Sub \"arn");
    for line in TEMPLATE.lines().filter(names).filter(|line| !line.contains("Resource: \"*\"")) {
        let rest = parts.iter().fold(line.to_owned(), |line, part| line.replace(part, ""));
        assert!(!rest.contains('*'), "{line}");
    }
}
