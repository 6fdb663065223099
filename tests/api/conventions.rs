//! What holds for every path.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::client::App;

const REGISTER: &str = "/api/v1/auth/register";

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let app = App::start().await;
    for path in ["/nothing", "/api/v1/nothing", "/api/v1/attempts/a/b", "/auth/login/", "/api/v1/auth"] {
        let answer = app.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    for (method, path, allowed) in
        [(Method::GET, "/auth/login", "POST"), (Method::DELETE, REGISTER, "POST"), (Method::PUT, "/healthz", "GET")]
    {
        let answer = app.send(app.request(method, path)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            "{path}"
        );
        assert_eq!(answer.header("allow"), allowed);
    }
}

#[tokio::test]
async fn a_problem_has_every_field_and_the_id_of_its_request() {
    let app = App::start().await;
    let answer = app.get("/users/me").await;
    let body = answer.json();
    assert_eq!(
        (&body["type"], &body["title"], &body["status"]),
        (&json!("about:blank"), &json!("Unauthorized"), &json!(401))
    );
    assert!(body["detail"].is_string() && body.get("errors").is_none());
    assert_eq!(body["request_id"], answer.header("x-request-id"));
    assert!(!answer.header("x-request-id").is_empty());
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_told_in_its_own_words() {
    let app = App::start().await;
    let send = async |content_type: &str, body: String| {
        app.send(app.request(Method::POST, REGISTER).header("content-type", content_type).body(body)).await
    };
    let cases = [
        ("application/json", "{\"email\":".to_owned(), StatusCode::BAD_REQUEST, "malformed_body"),
        ("application/json", String::new(), StatusCode::BAD_REQUEST, "malformed_body"),
        ("application/json", "[1,2".to_owned(), StatusCode::BAD_REQUEST, "malformed_body"),
        ("application/json", "\"text\"".to_owned(), StatusCode::UNPROCESSABLE_ENTITY, "validation_failed"),
        ("application/json", "[".repeat(100_000), StatusCode::BAD_REQUEST, "malformed_body"),
        ("text/plain", "{}".to_owned(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
        (
            "application/x-www-form-urlencoded",
            "email=a".to_owned(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
        ),
        ("application/json; charset=utf-8", "{}".to_owned(), StatusCode::UNPROCESSABLE_ENTITY, "validation_failed"),
        (
            "application/json",
            format!("{{\"email\":\"{}\"}}", "a".repeat(3 << 20)),
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
        ),
    ];
    for (content_type, body, status, code) in cases {
        let start: String = body.chars().take(40).collect();
        let answer = send(content_type, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{content_type} {start}");
    }
}

#[tokio::test]
async fn ten_megabytes_are_refused_by_the_gateway_in_its_own_words() {
    let app = App::start().await;
    for bytes in [7 << 20, 11 << 20] {
        let request =
            app.request(Method::POST, REGISTER).header("content-type", "application/json").body("a".repeat(bytes));
        let answer = app.send(request).await;
        assert_eq!(
            (answer.status, answer.json()),
            (StatusCode::PAYLOAD_TOO_LARGE, json!({ "message": "Request Entity Too Large" }))
        );
    }
    assert_eq!(app.get("/healthz").await.status, StatusCode::OK, "and the next request works");
}

#[tokio::test]
async fn every_response_has_the_headers_that_browsers_heed() {
    let app = App::start().await;
    for path in ["/healthz", "/nothing", "/users/me", "/", "/docs"] {
        let answer = app.get(path).await;
        assert!(answer.header("strict-transport-security").contains("max-age=31536000"), "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
    }
}

#[tokio::test]
async fn browsers_of_listed_origins_may_call_and_no_others() {
    let app = App::with(&[("CORS_ALLOW_ORIGINS", "https://app.example.com")]).await;
    let preflight = async |origin: &str| {
        let request = app.request(Method::OPTIONS, "/auth/login").header("origin", origin);
        app.send(
            request
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "content-type"),
        )
        .await
    };
    let listed = preflight("https://app.example.com").await;
    assert_eq!(listed.status, StatusCode::OK);
    assert_eq!(listed.header("access-control-allow-origin"), "https://app.example.com");
    assert!(listed.header("access-control-allow-methods").contains("POST"));
    assert_eq!(listed.header("access-control-allow-credentials"), "");
    assert_eq!(preflight("https://evil.example.com").await.header("access-control-allow-origin"), "");

    let answer = app.send(app.request(Method::GET, "/healthz").header("origin", "https://app.example.com")).await;
    for header in ["link", "x-total-count", "x-request-id", "retry-after", "www-authenticate"] {
        assert!(answer.header("access-control-expose-headers").contains(header), "{header}");
    }
}

#[tokio::test]
async fn nothing_of_a_mail_comes_from_the_request() {
    let app = App::start().await;
    let request = app
        .request(Method::POST, REGISTER)
        .header("host", "evil.example.com")
        .header("x-forwarded-host", "evil.example.com");
    let answer =
        app.send(request.json(&json!({ "email": "a@example.com", "password": "correct-horse-battery" }))).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    let request = app
        .request(Method::POST, "/auth/forgot-password")
        .header("host", "evil.example.com")
        .header("forwarded", "host=evil.example.com;proto=https")
        .header("x-forwarded-proto", "evil");
    assert_eq!(app.send(request.json(&json!({ "email": "a@example.com" }))).await.status, StatusCode::OK);
    let letters = app.letters("a@example.com").await;
    assert_eq!(letters.len(), 2);
    for letter in letters {
        assert!(!letter.text.contains("evil") && !letter.html.contains("evil"));
        assert!(letter.text.contains("http://localhost:"));
    }
}

#[tokio::test]
async fn nothing_that_is_one_line_takes_a_line_break() {
    const BROKEN: &str = "Ab\r\nBcc: evil@example.com\r\n\r\n{\"level\":\"forged\"}";
    let app = App::with(&[("RATE_REGISTER_PER_HOUR", "100"), ("RATE_IP_PER_MINUTE", "1000")]).await;
    for field in ["email", "username", "name", "full_name", "display_name"] {
        let mut body = json!({ "email": "a@example.com", "password": "correct-horse-battery" });
        body[field] = BROKEN.into();
        let refused = app.post(REGISTER, body).await;
        assert_eq!((refused.status, refused.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "validation_failed"));
        assert!(!refused.text.contains("evil"), "{}", refused.text);
    }
    let alice = app.member("alice@example.com").await;
    let document = app.get("/openapi.json").await.json();
    let mut count = 0;
    for path in ["/api/v1/users/me", "/api/v1/users/me/profile", "/api/v1/users/me/preferences"] {
        let schema = &document["paths"][path]["put"]["requestBody"]["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()).unwrap();
        for (field, schema) in document["components"]["schemas"][name]["properties"].as_object().unwrap() {
            // A biography has lines, and a password may hold whatever is typed.
            if field == "bio" || field.ends_with("_password") {
                continue;
            }
            let value = match (&schema["type"][0], &schema["items"]["type"]) {
                (kind, _) if kind == "string" => json!(BROKEN),
                (kind, items) if kind == "array" && items == "string" => json!([BROKEN]),
                _ => continue,
            };
            let refused = app.patch_as(&alice, path, json!({ (field): value })).await;
            assert!(
                [403, 422].contains(&refused.status.as_u16()),
                "{path} {field}: {} {}",
                refused.status,
                refused.text
            );
            count += 1;
        }
    }
    assert!(count > 30, "{count}");
    assert_eq!(app.all_letters().await.len(), 1);
    assert!(!app.dump().await.contains("forged"));
}

#[tokio::test]
async fn one_client_may_call_credential_routes_so_often_whatever_it_writes_into_headers() {
    let app = App::with(&[("RATE_IP_PER_MINUTE", "5")]).await;
    app.begin_day().await;
    let call = async |number: u32| {
        let mut request = app.request(Method::POST, "/auth/login");
        for header in ["x-forwarded-for", "x-real-ip", "x-client-address", "true-client-ip", "cf-connecting-ip"] {
            request = request.header(header, format!("203.0.113.{number}"));
        }
        let request = request.header("forwarded", format!("for=203.0.113.{number}"));
        app.send(request.json(&json!({ "email": format!("{number}@example.com"), "password": "wrong" }))).await
    };
    for number in 0..5 {
        let answer = call(number).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert!(answer.header("ratelimit").contains(&format!("\"ip\";r={}", 4 - number)), "{:?}", answer.headers);
    }
    let refused = call(6).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"));
    assert_eq!(refused.header("retry-after"), "60");
    app.advance(45).await;
    assert_eq!(call(7).await.header("retry-after"), "15", "the minute goes on");
    app.advance(15).await;
    assert_eq!(call(8).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn links_are_followed_within_the_same_limit() {
    let app = App::with(&[("RATE_IP_PER_MINUTE", "3")]).await;
    app.begin_day().await;
    let calls = [
        app.request(Method::POST, "/api/v1/auth/verify-email").json(&json!({ "token": "forged" })),
        app.request(Method::GET, "/auth/verify-email?token=forged").header("accept", "application/json"),
        app.request(Method::POST, "/api/v1/auth/undo-email-change").json(&json!({ "token": "forged" })),
    ];
    for call in calls.iter().map(|call| call.try_clone().unwrap()) {
        assert_eq!(app.send(call).await.code(), "invalid_verification_token");
    }
    for call in calls {
        assert_eq!(app.send(call).await.code(), "too_many_requests");
    }
}

#[tokio::test]
async fn a_call_that_a_limit_refuses_spends_no_guess_and_an_outage_of_the_limiter_lets_nobody_in() {
    let app = App::with(&[("RATE_LOGIN_PER_MINUTE", "2")]).await;
    app.begin_day().await;
    app.member("a@example.com").await;
    app.advance(60).await;
    for expected in [401, 401, 429, 429, 429] {
        assert_eq!(app.login("a@example.com", "wrong").await.status.as_u16(), expected);
    }
    app.advance(60).await;
    assert_eq!(app.login("a@example.com", "correct-horse-battery").await.status, StatusCode::OK);
    app.fault(json!({ "service": "dynamodb", "operation": "UpdateItem", "table": "TokensTable", "kind": "error", "count": 100 })).await;
    assert_eq!(app.login("a@example.com", "correct-horse-battery").await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_damaged_item_is_nothing_to_whoever_may_not_see_it() {
    const PROFILE: &str = "/api/v1/users/me/profile";
    let app = App::start().await;
    let (member, pending) = (app.member("a@example.com").await, app.register("b@example.com").await);
    for who in [&member, &pending] {
        let item = json!({ "pk": { "S": format!("USER#{}", who.id) }, "sk": { "S": "EXTENDED" }, "v": { "S": "{" } });
        app.dynamodb("PutItem", json!({ "TableName": "UsersTable", "Item": item })).await;
    }
    assert_eq!(app.get_as(&member, PROFILE).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(app.get_as(&pending, PROFILE).await.code(), "email_not_verified");
    app.post_as(&member, "/auth/logout", json!({})).await;
    assert_eq!(app.get_as(&member, PROFILE).await.code(), "session_ended");
}
